"""`oversight-gate`: `litellm`, `weights`, `digest` and `serve`.

Exit status: 0 everything is allowed, 1 something is refused, 2 there was not enough to judge by.
"""

import argparse
import re
import sys
from datetime import timedelta
from pathlib import Path

from oversight_gate import checks, reports
from oversight_gate.bundle import BundleFile, BundleJudge
from oversight_gate.findings import CANNOT_JUDGE, Report, Verdict
from oversight_gate.judging import CannotTell, Judge
from oversight_gate.notes import Malformed, Policy, parse_policy
from oversight_gate.site import SiteJudge

_SPANS = {"m": 60, "h": 3600, "d": 86_400}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        judge = judge_of(options)
        status: int = options.run(options, judge)
    except (CannotTell, Malformed, OSError) as error:
        print(f"oversight-gate: {reports.plain(error)}", file=sys.stderr)
        return CANNOT_JUDGE
    return status


def judge_of(options: argparse.Namespace) -> Judge:
    """Return the judge that the options name.

    Raises:
        CannotTell: there is not enough to judge by.
    """
    policy = _policy(options.policy)
    if options.site:
        return SiteJudge(options.site, policy)
    if policy is None:
        raise CannotTell(
            "A bundle is judged by a --policy of your own: a file with the line `log VKEY` of the "
            "key that you keep, the witnesses you trust, and `quorum NAME` or `quorum none`."
        )
    kind = BundleFile if options.run is _serve else BundleJudge
    return kind(options.bundle, policy, options.max_age)


def _policy(path: Path | None) -> Policy | None:
    return parse_policy(path.read_text(encoding="utf-8")) if path else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oversight-gate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    litellm = commands.add_parser("litellm", help="check configurations of a LiteLLM proxy")
    litellm.add_argument("files", nargs="+", type=Path, metavar="FILE")
    litellm.add_argument(
        "--environment",
        action="store_true",
        help="take os.environ/ references from this environment; else they cannot be told",
    )
    litellm.add_argument(
        "--other-weights",
        choices=["refuse", "note"],
        default="refuse",
        help="what a fallback to other weights is, where both models are allowed",
    )
    litellm.set_defaults(run=_litellm)
    weights = commands.add_parser("weights", help="read a folder of weights and ask about it")
    weights.add_argument("folder", type=Path, metavar="DIR")
    weights.add_argument("--deployment", required=True, metavar="NAME")
    weights.add_argument(
        "--subject", metavar="DIGEST", help="what the files must be; says which differ"
    )
    weights.set_defaults(run=_weights)
    digest = commands.add_parser("digest", help="ask about one digest")
    digest.add_argument("subject", metavar="sha256:…")
    digest.add_argument("--deployment", required=True, metavar="NAME")
    digest.set_defaults(run=_digest)
    serve = commands.add_parser("serve", help="answer nginx and Kubernetes")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7390)
    serve.add_argument(
        "--certificate", type=Path, metavar="PEM", help="Kubernetes asks over TLS only"
    )
    serve.add_argument("--key", type=Path, metavar="PEM")
    serve.set_defaults(run=_serve)
    for command in (litellm, weights, digest, serve):
        _add_judge(command)
    for command in (litellm, weights, digest):
        command.add_argument(
            "--format", choices=["people", "json", "sarif", "github"], default="people"
        )
    return parser


def _add_judge(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--site", metavar="URL", help="ask this site's gate")
    source.add_argument(
        "--bundle", type=Path, metavar="ZIP", help="judge offline by an audit bundle"
    )
    command.add_argument(
        "--policy", type=Path, metavar="FILE", help="whom you trust (c2sp.org/tlog-policy)"
    )
    command.add_argument(
        "--max-age",
        type=_span,
        default=timedelta(days=1),
        metavar="24h",
        help="how old a bundle may be (default: 24h)",
    )


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("write minutes, hours or days, such as 30m, 24h or 7d")
    return timedelta(seconds=int(match[1]) * _SPANS[match[2]])


def _litellm(options: argparse.Namespace, judge: Judge) -> int:
    other = Verdict.REFUSED if options.other_weights == "refuse" else Verdict.NOTE
    found = [
        checks.litellm(path, judge, use_environment=options.environment, other_weights=other)
        for path in options.files
    ]
    return _told(found, options)


def _weights(options: argparse.Namespace, judge: Judge) -> int:
    report = checks.weights(
        options.folder, options.deployment, judge, expected=options.subject, bundle=options.bundle
    )
    return _told([report], options)


def _digest(options: argparse.Namespace, judge: Judge) -> int:
    return _told([checks.digest(options.subject, options.deployment, judge)], options)


def _serve(options: argparse.Namespace, judge: Judge) -> int:
    from oversight_gate.server import make_server

    server = make_server(judge, options.host, options.port, options.certificate, options.key)
    scheme = "https" if options.certificate else "http"
    print(f"oversight-gate: judging by {judge.name}", flush=True)
    print(
        f"oversight-gate: listening on {scheme}://{options.host}:{server.server_port}", flush=True
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


def _told(found: list[Report], options: argparse.Namespace) -> int:
    """Write the reports, as one where a form has room for one only; return the worst status."""
    statuses = {report.status for report in found}
    if options.format in {"json", "sarif"} and len(found) > 1:
        one = Report(", ".join(report.about for report in found), found[0].judged_by)
        for report in found:
            one.rows += report.rows
            one.add(report.findings)
        found = [one]
    for report in found:
        reports.write(report, options.format)
    return 1 if 1 in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main())
