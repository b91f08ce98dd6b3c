"""The terms of a proposal: what it would do, as data, each type with its own fields.

Pure. Terms are part of the text: each change is a revision with its own digest on the record, the
final text freezes them, the contract of the vote holds them, and the effect reads them there.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.registry import conditions
from oversight.registry.codes import DIGEST, SLUG
from oversight.registry.conditions import ConditionError
from oversight.web.figures import grouped
from oversight.web.languages import spoken
from proposals import charter
from proposals.charter_rules import CharterError
from proposals.choices import ProposalType

Terms = dict[str, Any]

MAX_DAYS = 3650
MAX_HOURS = 1_000_000
MAX_REASON = 2000
MAX_CRITERIA = 50
NOT_WORSE = "not_worse"
_CRITERION = ("task", "metric", "comparison", "threshold", "must_pass")


class TermsError(ValueError):
    """Terms that cannot be used; `field` names the part at fault."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def read(kind: ProposalType, given: object) -> Terms:
    """Return the terms of such a proposal in their one form; what is left empty is left out.

    Raises:
        TermsError: a field is missing, unknown, or not written as its kind asks.
    """
    if not isinstance(given, Mapping):
        raise TermsError("terms", gettext("Give an object of terms."))
    readers = _READERS.get(kind, {})
    unknown = sorted(str(name) for name in given if name not in readers)
    if unknown:
        known = (
            _("use %(readers)s") % {"readers": ", ".join(readers)} if readers else _("it has none")
        )
        raise TermsError(
            "terms",
            gettext("“%(value)s” is no term of such a proposal: %(known)s.")
            % {"value": unknown[0][:40], "known": known},
        )
    found = {
        name: reader(name, given[name])
        for name, reader in readers.items()
        if name in given and given[name] not in (None, "", {})
    }
    missing = [name for name in _NEEDED.get(kind, ()) if name not in found]
    if missing:
        raise TermsError(missing[0], gettext("It is missing."))
    return {name: value for name, value in found.items() if value != {}}


def _read_conditions(name: str, value: object) -> dict[str, Any]:
    try:
        return conditions.read(value)
    except ConditionError as error:
        field = name if error.field == "conditions" else error.field
        raise TermsError(field, spoken(error.problem)) from None


def _read_whole(low: int, high: int) -> Callable[[str, object], int]:
    def read_whole(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise TermsError(
                name,
                gettext("Use a whole number from %(low)s to %(high)s.")
                % {"low": low, "high": grouped(high)},
            )
        return value

    return read_whole


def _read_text(longest: int) -> Callable[[str, object], str]:
    def read_text(name: str, value: object) -> str:
        if not isinstance(value, str) or "\x00" in value or not 1 <= len(value.strip()) <= longest:
            raise TermsError(
                name,
                gettext("Write it in up to %(longest)s characters.")
                % {"longest": grouped(longest)},
            )
        return value.strip()

    return read_text


def _read_digest(name: str, value: object) -> str:
    if not isinstance(value, str) or DIGEST.fullmatch(value) is None:
        raise TermsError(name, gettext("Write a digest as sha256: and 64 hex digits."))
    return value


def _read_slug(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 60 or SLUG.fullmatch(value) is None:
        raise TermsError(name, gettext("Use small letters, digits and hyphens: statistics-office."))
    return value


def _read_website(name: str, value: object) -> str:
    text = _read_text(200)(name, value)
    if not text.startswith(("https://", "http://")) or any(c.isspace() for c in text):
        raise TermsError(name, gettext("Write an address such as https://office.example."))
    return text


def _read_charter(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TermsError(
            name, gettext("Give the whole charter: an object of rules by type of decision.")
        )
    try:
        charter.read(value)
    except CharterError as error:
        raise TermsError(name, str(error)) from None
    return dict(value)


def _read_criteria(name: str, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) > MAX_CRITERIA:
        raise TermsError(
            name,
            gettext("Give a list of up to %(max_criteria)s criteria.")
            % {"max_criteria": MAX_CRITERIA},
        )
    rows = [_read_criterion(name, row) for row in value]
    keys = {(row["task"], row["metric"], row["comparison"]) for row in rows}
    if len(keys) != len(rows):
        raise TermsError(name, gettext("Two criteria ask the same of one task and metric."))
    return rows


def _read_criterion(name: str, row: object) -> dict[str, Any]:
    beside = ("beside",) if isinstance(row, Mapping) and row.get("comparison") == NOT_WORSE else ()
    if not isinstance(row, Mapping) or set(row) != {*_CRITERION, *beside}:
        fields = ", ".join((*_CRITERION, *beside))
        raise TermsError(
            name, gettext("A criterion holds exactly %(fields)s.") % {"fields": fields}
        )
    texts = ("task", "metric")
    if not all(isinstance(row[field], str) and 0 < len(row[field]) <= 80 for field in texts):
        raise TermsError(name, gettext("A criterion names a task and a metric of the suite."))
    known = ("at_least", "below", NOT_WORSE)
    if row["comparison"] not in known or not isinstance(row["must_pass"], bool):
        words = _("comparison is one of %(known)s; must_pass is true or false.") % {
            "known": ", ".join(known),
        }
        raise TermsError(name, words)
    limit = _limit(name, row)
    if beside and limit.startswith("-"):
        raise TermsError(name, gettext("The margin is 0 or more: by how much it may be worse."))
    return {
        **{field: row[field] for field in _CRITERION},
        "threshold": limit,
        **{field: _read_digest(field, row[field]) for field in beside},
    }


def _limit(name: str, row: Mapping[str, Any]) -> str:
    """Return a threshold as its shortest text, as the record writes it."""
    problem = TermsError(name, _("A threshold is a number from -100000 to 100000, such as 0.65."))
    if isinstance(row["threshold"], bool | float):
        raise problem
    try:
        number = Decimal(str(row["threshold"]))
    except InvalidOperation:
        raise problem from None
    if not number.is_finite() or abs(number) > 100_000:
        raise problem
    return f"{number.quantize(Decimal('0.000001')).normalize():f}"


_GRANT: dict[str, Callable[[str, object], Any]] = {
    "conditions": _read_conditions,
    "days": _read_whole(1, MAX_DAYS),
    "review_days": _read_whole(1, MAX_DAYS),
    "override_reason": _read_text(MAX_REASON),
}
_READERS: dict[ProposalType, dict[str, Callable[[str, object], Any]]] = {
    ProposalType.AUTHORISE: _GRANT,
    ProposalType.RENEW: _GRANT,
    ProposalType.ADOPT_SUITE: {"suite": _read_digest, "criteria": _read_criteria},
    ProposalType.AMEND_CHARTER: {"base": _read_whole(1, 100_000), "charter": _read_charter},
    ProposalType.ADMIT_EVALUATOR: {
        "organisation": _read_slug,
        "name": _read_text(120),
        "website": _read_website,
    },
    ProposalType.ALLOCATE: {
        "hours": _read_whole(1, MAX_HOURS),
        "days": _read_whole(1, MAX_DAYS),
    },
    ProposalType.AMENDMENT: {
        "proposal": _read_text(12),
        "amendment": _read_whole(1, 1_000_000),
        "digest": _read_digest,
    },
}
_NEEDED = {
    ProposalType.ADOPT_SUITE: ("suite", "criteria"),
    ProposalType.AMEND_CHARTER: ("base", "charter"),
    ProposalType.ADMIT_EVALUATOR: ("organisation", "name"),
    ProposalType.ALLOCATE: ("hours",),
    ProposalType.AMENDMENT: ("proposal", "amendment", "digest"),
}
