"""What a ballot says under each voting method: read strictly, kept in one form, put into words.

Pure: a contract and a ballot's content are plain values here. The one form of a content is what
its leaf commits to, so the same vote is always the same bytes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.web.figures import grouped
from proposals.count_refusals import in_words
from proposals.tally import approval, consent, irv, plurality, schulze, score, stv, yes_no
from proposals.tally.consent import Stance
from proposals.tally.election import check_names
from proposals.tally.errors import InputError
from proposals.tally.motion import Choice

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Content = dict[str, Any]

MOTION_METHODS = (yes_no.METHOD, consent.METHOD)
"""How a body decides for or against a text."""

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
    yes_no.METHOD: _("for, against or abstain"),
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
        words = gettext("Give 2 to %(most)s options, one a line.")
        raise PaperError("options", words % {"most": MAX_OPTIONS})
    for name in names:
        if len(name) > MAX_OPTION_CHARACTERS:
            words = gettext("“%(name)s…” has more than %(most)s characters.")
            raise PaperError("options", words % {"name": name[:40], "most": MAX_OPTION_CHARACTERS})
    try:
        check_names(names)
    except InputError as error:
        raise PaperError("options", f"{capfirst(in_words(error.problem))}.") from None
    if not 1 <= seats < len(names):
        words = gettext("Choose from 1 to %(most)s of %(number)s options.")
        raise PaperError("seats", words % {"most": len(names) - 1, "number": len(names)})


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
        words = gettext("A ballot by %(method)s is an object.")
        raise PaperError("ballot", words % {"method": method})
    field = _FIELDS[method]
    unknown = sorted(str(key) for key in content if key not in {field, *_MORE.get(method, ())})
    if unknown or field not in content:
        raise PaperError(field, _holds(method, field, unknown))
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


def _holds(method: str, field: str, unknown: list[str]) -> str:
    """Say what a ballot holds that holds something else, or not that."""
    words = (
        gettext("A ballot by %(method)s holds “%(field)s” and not “%(unknown)s”.")
        if unknown
        else gettext("A ballot by %(method)s holds “%(field)s”; it is missing.")
    )
    return words % {"method": method, "field": field, "unknown": "".join(unknown[:1])[:40]}


def _read_choice(content: Mapping[str, Any], options: Sequence[str]) -> Content:
    choice = content["choice"]
    if not isinstance(choice, str) or choice not in options:
        words = gettext("“%(choice)s” is not an option: use %(options)s or %(last)s.")
        known = {"options": ", ".join(options[:-1]), "last": options[-1]}
        raise PaperError("choice", words % (known | {"choice": str(choice)[:40]}))
    reason = content.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > MAX_REASON_CHARACTERS or "\x00" in reason:
        words = gettext("A reason is a text of up to %(most)s letters.")
        raise PaperError("reason", words % {"most": grouped(MAX_REASON_CHARACTERS)})
    if choice != Stance.OBJECT:
        if reason.strip():
            raise PaperError("reason", gettext("Only an objection has a reason; choose “object”."))
        return {"choice": choice}
    if not reason.strip():
        # Counted without a reason it would stop nothing: better to say so before it is cast.
        raise PaperError(
            "reason", gettext("Say why you object: an objection without a reason does not stand.")
        )
    return {"choice": choice, "reason": reason.strip()}


def _read_ranking(given: object, options: Sequence[str], method: str) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise PaperError("ranking", gettext("Give a list of options, best first."))
    ranks = [[rank] if isinstance(rank, str) else rank for rank in given]
    if not all(isinstance(rank, list | tuple) and rank for rank in ranks):
        words = gettext("A rank is an option, or a list of options that share it.")
        raise PaperError("ranking", words)
    named = [name for rank in ranks for name in rank]
    _check_named("ranking", named, options)
    if method not in RANKED:
        if method == plurality.METHOD and len(named) > 1:
            raise PaperError("ranking", gettext("Name one option."))
        # No order is asked for, so there is one way only to write it.
        return [name for name in options if name in named]
    if method not in SHARES_RANKS and any(len(rank) > 1 for rank in ranks):
        words = gettext("Two options share a rank; give each a rank of its own.")
        raise PaperError("ranking", words)
    return [
        rank[0] if len(rank) == 1 else [name for name in options if name in rank] for rank in ranks
    ]


def _read_scores(given: object, options: Sequence[str], highest: int) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise PaperError("scores", gettext("Give points by option."))
    _check_named("scores", list(given), options)
    for name, points in given.items():
        if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= highest:
            words = gettext("“%(name)s” takes a whole number from 0 to %(highest)s.")
            raise PaperError("scores", words % {"name": name, "highest": highest})
    return {name: given[name] for name in options if name in given}


def _check_named(field: str, named: Sequence[object], options: Sequence[str]) -> None:
    for name in named:
        if not isinstance(name, str) or name not in options:
            words = gettext("“%(name)s” is not an option of this vote.")
            raise PaperError(field, words % {"name": str(name)[:40]})
    if len(set(named)) != len(named):
        twice = next(name for name in named if list(named).count(name) > 1)
        raise PaperError(field, gettext("“%(name)s” stands on the ballot twice.") % {"name": twice})
