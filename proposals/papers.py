"""What a ballot says under each voting method: read strictly, kept in one form, put into words.

Pure: a contract and a ballot's content are plain values here. The one form of a content is what
its leaf commits to, so the same vote is always the same bytes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from proposals.tally import approval, consent, irv, plurality, schulze, score, stv, yes_no
from proposals.tally.consent import Stance
from proposals.tally.election import check_names
from proposals.tally.errors import InputError
from proposals.tally.motion import Choice

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Content = dict[str, Any]

MOTION_METHODS = (yes_no.METHOD, consent.METHOD)
"""How a body says yes or no to a text."""

ELECTION_METHODS = (
    approval.METHOD,
    plurality.METHOD,
    score.METHOD,
    irv.METHOD,
    stv.METHOD,
    schulze.METHOD,
)
"""How a body chooses among options."""

RANKED = frozenset({irv.METHOD, stv.METHOD, schulze.METHOD})
SHARES_RANKS = frozenset({schulze.METHOD})
"""Ranked methods that read a shared rank; the others would end the ballot there."""

ONE_SEAT = frozenset({irv.METHOD, schulze.METHOD})

METHOD_NAMES = {
    yes_no.METHOD: _("yes, no or abstain"),
    consent.METHOD: _("consent: carried unless a reasoned objection stands"),
    approval.METHOD: _("approval: each member approves any number of options, the most wins"),
    plurality.METHOD: _("plurality: each member names one option, the most wins"),
    score.METHOD: _("score: each member gives points, the highest total wins"),
    irv.METHOD: _("instant runoff: members rank, the last goes until one has more than half"),
    stv.METHOD: _("single transferable vote (Scottish rules): members rank, seats in proportion"),
    schulze.METHOD: _("Schulze: members rank, whoever nobody beats wins"),
}
"""Each method in the words of a charter page."""

STANCES = {Stance.CONSENT: _("Consent"), Stance.ABSTAIN: _("Abstain"), Stance.OBJECT: _("Object")}
CHOICES = {Choice.YES: _("For"), Choice.NO: _("Against"), Choice.ABSTAIN: _("Abstain")}
WORDS: "dict[str, StrOrPromise]" = {
    str(word): label for kind in (STANCES, CHOICES) for word, label in kind.items()
}

MAX_OPTIONS = 50
MAX_OPTION_CHARACTERS = 160
MAX_REASON_CHARACTERS = 2000


class PaperError(ValueError):
    """A ballot or a list of options that cannot be used; `field` names the part at fault."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


def check_options(names: Sequence[str], seats: int) -> None:
    """Check what an election asks for: options and how many of them are to be chosen.

    Raises:
        PaperError: too few or too many options, a name twice or unusable, or too many seats.
    """
    if not 2 <= len(names) <= MAX_OPTIONS:
        raise PaperError("options", f"Give 2 to {MAX_OPTIONS} options, one a line.")
    for name in names:
        if len(name) > MAX_OPTION_CHARACTERS:
            problem = f"“{name[:40]}…” has more than {MAX_OPTION_CHARACTERS} characters."
            raise PaperError("options", problem)
    try:
        check_names(names)
    except InputError as error:
        raise PaperError("options", f"{error.problem[:1].upper()}{error.problem[1:]}.") from None
    if not 1 <= seats < len(names):
        raise PaperError("seats", f"Choose from 1 to {len(names) - 1} of {len(names)} options.")


def read(contract: Mapping[str, Any], given: object) -> Content:
    """Return what a ballot says, in the one form that is committed to.

    Args:
        contract: the decision contract; `method`, `options` and `highest` are read.
        given: an object, or for a motion just the word.

    Raises:
        PaperError: an unknown or repeated option, a number out of range, a field too many.
    """
    method, options = contract["method"], contract["options"]
    content = {"choice": given} if isinstance(given, str) else given
    if not isinstance(content, Mapping):
        raise PaperError("ballot", f"A ballot by {method} is an object.")
    field = _FIELDS[method]
    unknown = sorted(str(key) for key in content if key not in {field, *_MORE.get(method, ())})
    if unknown or field not in content:
        raise PaperError(field, f"A ballot by {method} holds “{field}”" + _unknown_words(unknown))
    if method == score.METHOD:
        return {"scores": _read_scores(content["scores"], options, contract["highest"])}
    if field == "ranking":
        return {"ranking": _read_ranking(content["ranking"], options, method)}
    return _read_choice(content, options)


def words(content: Mapping[str, Any]) -> str:
    """Return what a ballot says, for its owner's page and, once published, for everybody's."""
    if "choice" in content:
        word = str(WORDS.get(content["choice"], content["choice"]))
        return f"{word}: {content['reason']}" if "reason" in content else word
    if "scores" in content:
        given = sorted(content["scores"].items(), key=lambda pair: (-pair[1], pair[0]))
        return ", ".join(f"{name} {points}" for name, points in given) or str(BLANK)
    ranks = [rank if isinstance(rank, str) else " = ".join(rank) for rank in content["ranking"]]
    return "; ".join(f"{place}. {rank}" for place, rank in enumerate(ranks, start=1)) or str(BLANK)


BLANK = _("Blank")

_FIELDS = {
    **dict.fromkeys(MOTION_METHODS, "choice"),
    **dict.fromkeys(ELECTION_METHODS, "ranking"),
    score.METHOD: "scores",
}
_MORE = {consent.METHOD: ("reason",)}


def _unknown_words(unknown: list[str]) -> str:
    return f" and not “{unknown[0][:40]}”." if unknown else "; it is missing."


def _read_choice(content: Mapping[str, Any], options: Sequence[str]) -> Content:
    choice = content["choice"]
    if not isinstance(choice, str) or choice not in options:
        known = f"{', '.join(options[:-1])} or {options[-1]}"
        raise PaperError("choice", f"“{str(choice)[:40]}” is not an option: use {known}.")
    reason = content.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > MAX_REASON_CHARACTERS or "\x00" in reason:
        raise PaperError(
            "reason", f"A reason is a text of up to {MAX_REASON_CHARACTERS:,} letters."
        )
    if choice != Stance.OBJECT:
        if reason.strip():
            raise PaperError("reason", "Only an objection has a reason; choose “object”.")
        return {"choice": choice}
    if not reason.strip():
        # Counted without a reason it would stop nothing: better to say so before it is cast.
        raise PaperError(
            "reason", "Say why you object: an objection without a reason does not stand."
        )
    return {"choice": choice, "reason": reason.strip()}


def _read_ranking(given: object, options: Sequence[str], method: str) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise PaperError("ranking", "Give a list of options, best first.")
    ranks = [[rank] if isinstance(rank, str) else rank for rank in given]
    if not all(isinstance(rank, list | tuple) and rank for rank in ranks):
        raise PaperError("ranking", "A rank is an option, or a list of options that share it.")
    named = [name for rank in ranks for name in rank]
    _check_named("ranking", named, options)
    if method not in RANKED:
        if method == plurality.METHOD and len(named) > 1:
            raise PaperError("ranking", "Name one option.")
        # No order is asked for, so there is one way only to write it.
        return [name for name in options if name in named]
    if method not in SHARES_RANKS and any(len(rank) > 1 for rank in ranks):
        raise PaperError("ranking", "Two options share a rank; give each a rank of its own.")
    return [
        rank[0] if len(rank) == 1 else [name for name in options if name in rank] for rank in ranks
    ]


def _read_scores(given: object, options: Sequence[str], highest: int) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise PaperError("scores", "Give points by option.")
    _check_named("scores", list(given), options)
    for name, points in given.items():
        if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= highest:
            raise PaperError("scores", f"“{name}” takes a whole number from 0 to {highest}.")
    return {name: given[name] for name in options if name in given}


def _check_named(field: str, named: Sequence[object], options: Sequence[str]) -> None:
    for name in named:
        if not isinstance(name, str) or name not in options:
            raise PaperError(field, f"“{str(name)[:40]}” is not an option of this vote.")
    if len(set(named)) != len(named):
        twice = next(name for name in named if list(named).count(name) > 1)
        raise PaperError(field, f"“{twice}” stands on the ballot twice.")
