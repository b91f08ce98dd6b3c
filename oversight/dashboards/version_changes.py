"""What sets one version of a model apart from another: files, what is said of it, results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from oversight.dashboards.findings import Finding, headline_findings
from oversight.registry import descriptions
from oversight.registry.manifest import Difference, Manifest
from oversight.registry.models import Description, ModelVersion

FILES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs."""

    name: str
    kind: str
    """`added`, `missing` or `changed`."""
    size_before: int | None
    size_after: int | None
    moved: str
    """The name under which the same contents lie in the other version; empty if nowhere."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of the description that differs, in words; empty where it is not filled."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ResultPair:
    """What was found on one task, on either version."""

    task: Mapping[str, Any]
    suite: str
    before: Finding | None
    after: Finding | None

    @property
    def query(self) -> str:
        """The comparison of both runs sample by sample; empty where only one ran."""
        if self.before is None or self.after is None:
            return ""
        return f"run={self.before.run.ref}&run={self.after.run.ref}"


@dataclass(frozen=True, slots=True)
class VersionChanges:
    """All that sets `after` apart from `before`."""

    before: ModelVersion
    after: ModelVersion
    files: list[FileChange]
    files_equal: int
    fields: list[FieldChange]
    results: list[ResultPair]

    @property
    def files_left_out(self) -> int:
        """How many files differ beyond those shown."""
        return len(self.files) - len(self.files_shown)

    @property
    def files_shown(self) -> list[FileChange]:
        """The first files that differ."""
        return self.files[:FILES_SHOWN]

    def as_record(self) -> dict[str, Any]:
        """Return it as data."""
        return {
            "before": {"version": str(self.before), "digest": self.before.digest},
            "after": {"version": str(self.after), "digest": self.after.digest},
            "files_equal": self.files_equal,
            "files": [
                {
                    "name": each.name,
                    "change": each.kind,
                    "size_before": each.size_before,
                    "size_after": each.size_after,
                    "same_contents_as": each.moved or None,
                }
                for each in self.files
            ],
            "fields": [
                {"field": each.name, "before": each.before, "after": each.after}
                for each in self.fields
            ],
            "results": [
                {
                    "suite": pair.suite,
                    "task": pair.task["name"],
                    "metric": pair.task["metric"],
                    "before": _score(pair.before),
                    "after": _score(pair.after),
                }
                for pair in self.results
            ],
        }


def changes(before: ModelVersion, after: ModelVersion) -> VersionChanges:
    """Set two versions beside each other."""
    old, new = Manifest.from_json(before.manifest), Manifest.from_json(after.manifest)
    differences = old.differences(new)
    equal = len(new.files) - sum(each.found is not None for each in differences)
    return VersionChanges(
        before, after, _files(differences), equal, _fields(before, after), _results(before, after)
    )


def _files(differences: list[Difference]) -> list[FileChange]:
    gone = {d.expected.sha256: d.name for d in differences if d.expected and not d.found}
    come = {d.found.sha256: d.name for d in differences if d.found and not d.expected}
    return [
        FileChange(
            each.name,
            each.kind,
            each.expected.size if each.expected else None,
            each.found.size if each.found else None,
            _moved(each, gone, come),
        )
        for each in differences
    ]


def _moved(each: Difference, gone: Mapping[str, str], come: Mapping[str, str]) -> str:
    if each.found and not each.expected:
        return gone.get(each.found.sha256, "")
    if each.expected and not each.found:
        return come.get(each.expected.sha256, "")
    return ""


def _fields(before: ModelVersion, after: ModelVersion) -> list[FieldChange]:
    newest = Description.objects.newest([before.subject, after.subject])
    old, new = (
        dict(newest[row.subject].document) if row.subject in newest else {}
        for row in (before, after)
    )
    found = [
        FieldChange(
            item.name,
            item.label,
            descriptions.said(item, old[item.name]) if item.name in old else "",
            descriptions.said(item, new[item.name]) if item.name in new else "",
        )
        for item in descriptions.VERSION
    ]
    licence = FieldChange("licence", _("Licence"), before.licence, after.licence)
    return [each for each in (licence, *found) if each.before != each.after]


def _results(before: ModelVersion, after: ModelVersion) -> list[ResultPair]:
    found = headline_findings([before, after])
    old = {finding.key: finding for finding in found.get(before.pk, [])}
    new = {finding.key: finding for finding in found.get(after.pk, [])}
    pairs = []
    for key in sorted(old.keys() | new.keys()):
        known = new.get(key) or old[key]
        suite = str(known.run.suite_version)
        pairs.append(ResultPair(known.task, suite, old.get(key), new.get(key)))
    return pairs


def _score(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    row = finding.aggregate
    return {"mean": row.mean, "low": row.low, "high": row.high, "n": row.n, "run": finding.run.ref}
