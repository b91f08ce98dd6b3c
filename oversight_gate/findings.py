"""What was found: rules with their names, verdicts with their places."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from oversight_gate.yaml_file import Place

ALL_ALLOWED, SOMETHING_REFUSED, CANNOT_JUDGE = 0, 1, 2


class Verdict(StrEnum):
    """How bad a finding is."""

    REFUSED = "refused"
    CANNOT_TELL = "cannot tell"
    NOTE = "note"


class Rule(StrEnum):
    """What is looked at; the names stand in reports and are never changed."""

    NOT_ALLOWED = "not-allowed"
    UNNAMED = "names-no-weights"
    NO_SUCH_ROUTE = "leads-nowhere"
    LEADS_TO_REFUSED = "leads-to-refused"
    OTHER_WEIGHTS = "leads-to-other-weights"
    SAME_NAME = "same-name-other-weights"
    WILDCARD = "wildcard"
    ENVIRONMENT = "decided-by-environment"
    OPEN_DOOR = "models-from-elsewhere"
    UNKNOWN_KEY = "unknown-key"
    UNREADABLE = "unreadable"
    CONDITION = "breaks-condition"
    CHANGED_FILES = "changed-files"
    NOT_JUDGED = "not-judged"


RULES: dict[Rule, str] = {
    Rule.NOT_ALLOWED: "The gate refuses these weights for this deployment.",
    Rule.UNNAMED: "An entry does not say which weights it serves, and for which deployment.",
    Rule.NO_SUCH_ROUTE: "A fallback or alias leads to a name that no entry has.",
    Rule.LEADS_TO_REFUSED: "A fallback or alias leads to a model that is refused.",
    Rule.OTHER_WEIGHTS: "A fallback answers with other weights than were asked for.",
    Rule.SAME_NAME: "One public name is spread over different weights.",
    Rule.WILDCARD: "An entry takes names that nobody has listed.",
    Rule.ENVIRONMENT: "What is served depends on a variable of the environment.",
    Rule.OPEN_DOOR: "Models can come into service beside this file.",
    Rule.UNKNOWN_KEY: "A key that this program does not know could lead requests elsewhere.",
    Rule.UNREADABLE: "The file is not read as it stands.",
    Rule.CONDITION: "A setting breaks a condition of the authorisation.",
    Rule.CHANGED_FILES: "The files are not those that were registered.",
    Rule.NOT_JUDGED: "There was not enough to judge by.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found at one place, and what to do about it."""

    rule: Rule
    verdict: Verdict
    place: Place
    says: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was asked about, for the overview: a model of a file, a folder, a digest."""

    name: str
    serves: str
    verdict: Verdict | None
    """None: allowed."""
    says: str
    place: Place | None = None
    conditions: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """All that was found, and by what it was judged."""

    about: str
    judged_by: str
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings, each once."""
        for each in findings:
            if each not in self.findings:
                self.findings.append(each)

    @property
    def status(self) -> int:
        """The exit status: 0 all allowed, 1 something refused, 2 not able to judge."""
        verdicts = {each.verdict for each in self.findings} | {row.verdict for row in self.rows}
        if Verdict.REFUSED in verdicts:
            return SOMETHING_REFUSED
        return CANNOT_JUDGE if Verdict.CANNOT_TELL in verdicts else ALL_ALLOWED
