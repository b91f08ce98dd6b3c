"""The checks: a configuration, a folder of weights, a digest. Each returns a report."""

from pathlib import Path

from oversight_gate import bundle as bundles
from oversight_gate.findings import Finding, Report, Row, Rule, Verdict
from oversight_gate.judging import CannotTell, Judge, told
from oversight_gate.litellm_file import open_proxy
from oversight_gate.litellm_rules import DIGEST, Checker
from oversight_gate.weights import NoManifest, differences, digest_of, manifest_of
from oversight_gate.yaml_file import Place, Unreadable


def litellm(
    path: Path, judge: Judge, *, use_environment: bool = False, other_weights: Verdict
) -> Report:
    """Check a LiteLLM configuration with all that it includes."""
    try:
        proxy = open_proxy(path)
    except Unreadable as found:
        report = Report(str(path), judge.name)
        place = Place(found.path, found.line)
        says = f"The file {found.says}."
        report.add([Finding(Rule.UNREADABLE, Verdict.REFUSED, place, says)])
        return report
    checker = Checker(proxy, judge, use_environment=use_environment, other_weights=other_weights)
    return checker.run()


def weights(
    folder: Path,
    deployment: str,
    judge: Judge,
    *,
    expected: str | None = None,
    bundle: Path | None = None,
) -> Report:
    """Read a folder of weights and ask whether what is in it may serve a deployment."""
    place = Place(str(folder), 0)
    try:
        manifest = manifest_of(folder)
    except NoManifest as error:
        report = Report(str(folder), judge.name)
        report.add([Finding(Rule.UNREADABLE, Verdict.REFUSED, place, f"{error}.")])
        return report
    found = digest_of(manifest)
    if expected and expected != found:
        report = Report(f"{folder} ({found})", judge.name)
        known = (
            bundles.manifest_in(bundle, expected) if bundle and DIGEST.fullmatch(expected) else None
        )
        lines = differences(known, manifest) if known else [f"they are {found}"]
        says = f"The files are not {expected}: {'; '.join(lines[:20])}."
        do = "Restore the files, or register what is there as a version of its own."
        report.add([Finding(Rule.CHANGED_FILES, Verdict.REFUSED, place, says, do)])
        return report
    return _asked(str(folder), found, deployment, judge)


def digest(subject: str, deployment: str, judge: Judge) -> Report:
    """Ask about one digest."""
    return _asked(subject, subject, deployment, judge)


def _asked(about: str, subject: str, deployment: str, judge: Judge) -> Report:
    report = Report(about, judge.name)
    place = Place(about, 0)
    if DIGEST.fullmatch(subject) is None:
        says = "A digest is sha256: and 64 hexadecimal digits in lower case."
        report.add([Finding(Rule.UNNAMED, Verdict.CANNOT_TELL, place, says)])
        return report
    try:
        answer = judge.ask(subject, deployment)
    except CannotTell as reason:
        report.add([Finding(Rule.NOT_JUDGED, Verdict.CANNOT_TELL, place, str(reason))])
        return report
    verdict = None if answer.allowed else Verdict.REFUSED
    conditions = told(answer.conditions)
    report.rows.append(Row(subject, deployment, verdict, answer.says, conditions=conditions))
    if not answer.allowed:
        says = f"{subject} may not serve {deployment}: {answer.says}."
        report.add([Finding(Rule.NOT_ALLOWED, Verdict.REFUSED, place, says)])
    return report
