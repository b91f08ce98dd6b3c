"""The lines of a count in the reader's language.

A tally sheet holds its lines in English, as they are on the record and as anyone's count writes
them. Only pages translate them: what the sheet's figures say is written once in
English and once in the reader's language, and where the first is the recorded line, to the letter,
the second is shown. A line that is none of ours therefore stays as it was recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.utils.translation import (
    get_language,
    gettext,
    gettext_lazy,
    ngettext,
    override,
    pgettext,
)

from oversight.web.figures import localised
from proposals.tally import consent, yes_no
from proposals.tally.exact import number_text
from proposals.tally.ties import EXCLUSION, SEAT

Sheet = Mapping[str, Any]

_QUORUM_BASES = {
    "roll": gettext_lazy("of the roll"),
    "roll_and_recused": gettext_lazy("of the roll with those recused"),
    "members": gettext_lazy("of the members on the roll"),
}
_BASES = {
    "votes_cast": gettext_lazy("of the votes cast"),
    "yes_and_no": gettext_lazy("of the votes for and against"),
    "roll": gettext_lazy("of the roll"),
}
_OUTCOMES = (
    gettext_lazy("Outcome: carried."),
    gettext_lazy("Outcome: not carried."),
    gettext_lazy("Outcome: tied."),
    gettext_lazy("Outcome: no quorum."),
)
_ACTS = (
    gettext_lazy("first preferences"),
    gettext_lazy("approvals"),
    gettext_lazy("points"),
    gettext_lazy("candidates beaten one to one"),
    gettext_lazy("candidates beaten by strongest path"),
)


def in_language(sheet: Sheet) -> dict[str, str]:
    """Return, by recorded line of a sheet, the same in the language that is spoken.

    Acts and ties of stages are among them. Empty where English is spoken.
    """
    if get_language() == settings.LANGUAGE_CODE:
        return {}
    with override(settings.LANGUAGE_CODE):
        written = list(_lines(sheet))
    return dict(zip(written, _lines(sheet), strict=True))


def listed(names: Sequence[str]) -> str:
    """Write names as a list in words: `Ada`, `Ada and Bo`, `Ada, Bo and Cy`."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(items)s and %(last)s") % {"items": ", ".join(names[:-1]), "last": names[-1]}


def _lines(sheet: Sheet) -> Iterator[str]:
    if sheet["method"] == yes_no.METHOD:
        return _motion(sheet)
    return _by_consent(sheet) if sheet["method"] == consent.METHOD else _election(sheet)


# -- Motions ---------------------------------------------------------------------------------


def _motion(sheet: Sheet) -> Iterator[str]:
    yield gettext(
        "Cast: %(yes)s yes + %(no)s no + %(abstain)s abstain = %(cast)s, of a roll of %(roll)s."
    ) % _figures(sheet["votes"])
    yield _quorum(sheet["quorum"])
    yield _threshold(sheet)
    if sheet["tie"]:
        yield _tied_motion(sheet["tie"], sheet["rules"]["tie_rule"])
    yield from map(str, _OUTCOMES)


def _by_consent(sheet: Sheet) -> Iterator[str]:
    yield gettext(
        "Cast: %(consent)s consent + %(abstain)s abstain + %(object)s object = %(cast)s, of a roll "
        "of %(roll)s."
    ) % _figures(sheet["votes"])
    yield _quorum(sheet["quorum"])
    yield _objections(len(sheet["objections"]), sheet["standing"], sheet["votes"]["consent"])
    yield from map(str, _OUTCOMES)


def _quorum(found: Mapping[str, Any]) -> str:
    share = Fraction(found["fraction"])
    if not share:
        return gettext("Quorum: none is required.")
    is_met, of_members = found["met"], found["base"] == "members"
    if of_members:
        words = (
            gettext(
                "Quorum: at least %(fraction)s %(of_base)s: %(fraction)s × %(whole)s = %(needed)s; "
                "%(present)s voted, so the quorum is met."
            )
            if is_met
            else gettext(
                "Quorum: at least %(fraction)s %(of_base)s: %(fraction)s × %(whole)s = %(needed)s; "
                "%(present)s voted, so the quorum is not met."
            )
        )
    else:
        words = (
            gettext(
                "Quorum: at least %(fraction)s %(of_base)s: %(fraction)s × %(whole)s = %(needed)s; "
                "%(present)s were cast, so the quorum is met."
            )
            if is_met
            else gettext(
                "Quorum: at least %(fraction)s %(of_base)s: %(fraction)s × %(whole)s = %(needed)s; "
                "%(present)s were cast, so the quorum is not met."
            )
        )
    figures = {name: found[name] for name in ("fraction", "whole", "needed", "present")}
    return words % (_figures(figures) | {"of_base": _QUORUM_BASES[found["base"]]})


def _threshold(sheet: Sheet) -> str:
    rules, found, yes = sheet["rules"], sheet["threshold"], sheet["votes"]["yes"]
    words = (
        gettext(
            "Threshold: %(asked)s %(of_base)s: %(threshold)s × %(whole)s = %(line)s; %(yes)s yes "
            "is %(position)s, so the threshold is met."
        )
        if found["met"]
        else gettext(
            "Threshold: %(asked)s %(of_base)s: %(threshold)s × %(whole)s = %(line)s; %(yes)s yes "
            "is %(position)s, so the threshold is not met."
        )
    )
    asked = {
        "at_least": gettext("at least %(share)s"),
        "more_than": gettext("more than %(share)s"),
    }[rules["comparison"]]
    figures = _figures(
        {
            "threshold": rules["threshold"],
            "whole": found["base_weight"],
            "line": found["line"],
            "yes": yes,
        }
    )
    return words % {
        **figures,
        "asked": asked % {"share": figures["threshold"]},
        "of_base": _BASES[rules["base"]],
        "position": _position(Fraction(yes), Fraction(found["line"])),
    }


def _position(yes: Fraction, line: Fraction) -> str:
    if yes == line:
        return gettext("exactly that")
    return pgettext("than a number", "more") if yes > line else pgettext("than a number", "less")


def _tied_motion(tie: Mapping[str, Any], rule: str) -> str:
    side = {"yes": pgettext("a vote", "yes"), "no": pgettext("a vote", "no")}.get(tie["chosen"], "")
    found = tie["resolved_by"]
    if found == "status_quo":
        return gettext("Tie: yes and no are equal and the rule is that the status quo stands.")
    if found == "casting_vote":
        words = gettext("Tie: yes and no are equal; the chair's casting vote is %(side)s.")
        return words % {"side": side}
    if found == "lot":
        words = gettext("Tie: yes and no are equal; the lot drawn by seed %(seed)s says %(side)s.")
        return words % {"seed": repr(tie["lot_seed"]), "side": side}
    if rule == "chair":
        return gettext(
            "Tie: yes and no are equal; the chair's casting vote has to decide and has not yet."
        )
    return gettext("Tie: yes and no are equal; a lot has to decide and has not yet.")


def _objections(made: int, standing: int, consented: str) -> str:
    if not made:
        return (
            gettext("Objections: none.")
            if Fraction(consented)
            else gettext("Objections: none, but nobody consented.")
        )
    words = (
        gettext(
            "Objections: %(made)s made, %(standing)s with a reason; one that stands is enough, so "
            "the motion is stopped."
        )
        if standing
        else gettext(
            "Objections: %(made)s made, %(standing)s with a reason; without a reason an objection "
            "does not stand."
        )
    )
    return words % {"made": made, "standing": standing}


# -- Elections -------------------------------------------------------------------------------


def _election(sheet: Sheet) -> Iterator[str]:
    yield from map(str, _ACTS)
    stages = sheet["stages"]
    for name in stages[0]["totals"] if stages else ():
        yield gettext("surplus of %(name)s") % {"name": name}
    for stage in stages:
        if stage["excluded"]:
            yield gettext("exclude %(names)s") % {"names": listed(stage["excluded"])}
    yield from _notes(sheet, sum(len(stage["elected"]) for stage in stages))
    for tie in sheet["ties"]:
        yield _tie_at_seat(tie, sheet) if tie["about"] == SEAT else _tie_at_stage(tie, sheet)


def _notes(sheet: Sheet, elected: int) -> Iterator[str]:
    """Write what a count of any method may note, whether this one did or not."""
    seats = {"seats": sheet["seats"], "vacant": sheet["seats"] - elected, "filled": elected}
    yield gettext("There is no valid vote; nobody is elected.")
    yield gettext(
        "Quota: %(valid)s valid votes divided by %(seats)s + 1, without the fraction, plus 1, is "
        "%(quota)s."
    ) % (seats | {"valid": localised(sheet["valid"]), "quota": sheet["quota"]})
    yield gettext("Fewer candidates than seats: %(vacant)s of %(seats)s stay vacant.") % seats
    yield (
        gettext(
            "Only %(filled)s of %(seats)s seats are filled: nobody else has votes, %(vacant)s "
            "vacant."
        )
        % seats
    )
    stage = sheet["stages"][-1] if sheet["stages"] else {"elected": []}
    for name in stage["elected"]:
        held = sum(map(Fraction, stage["totals"].values()), Fraction())
        yield gettext(
            "%(name)s has %(votes)s of the %(held)s votes still held; more than half is more than "
            "%(half)s."
        ) % {
            "name": name,
            "votes": localised(stage["totals"][name]),
            "held": localised(number_text(held)),
            "half": localised(number_text(held / 2)),
        }


def _tie_at_seat(tie: Mapping[str, Any], sheet: Sheet) -> str:
    left = sheet["seats"] - len(sheet["stages"][0]["elected"])
    number = len(tie["chosen"]) or left
    tied = ngettext(
        "%(tied)s are tied for %(number)s seat", "%(tied)s are tied for %(number)s seats", number
    ) % {"tied": listed(tie["candidates"]), "number": number}
    return _ended(tied, tie, sheet)


def _tie_at_stage(tie: Mapping[str, Any], sheet: Sheet) -> str:
    stage, left = _looked_back(tie, sheet["stages"])
    found = tie["resolved_by"]
    said = {"tied": listed(tie["candidates"]), "left": listed(left), "stage": stage}
    if found == "earlier_stage":
        words = (
            gettext("%(tied)s are tied; looking back to stage %(stage)s, %(left)s had the fewest.")
            if tie["about"] == EXCLUSION
            else gettext(
                "%(tied)s are tied; looking back to stage %(stage)s, %(left)s had the most."
            )
        )
        return words % said
    if found == "together":
        words = gettext(
            "%(tied)s are tied; all of %(left)s go at once, as their order cannot matter."
        )
        return words % said
    return _ended(
        gettext("%(tied)s are tied; %(left)s were equal at every stage") % said, tie, sheet
    )


def _ended(words: str, tie: Mapping[str, Any], sheet: Sheet) -> str:
    """Say what decided a tie, or why nothing did."""
    said = {"words": words, "chosen": listed(tie["chosen"])}
    if tie["resolved_by"] == "lot":
        return gettext("%(words)s; the lot picks %(chosen)s.") % said
    if tie["resolved_by"] == "casting_vote":
        return gettext("%(words)s; the chair's casting vote picks %(chosen)s.") % said
    if sheet["tie_rule"] == "chair":
        return gettext("%(words)s and the chair's casting vote does not rank them.") % said
    return gettext("%(words)s and no lot may be drawn.") % said


def _looked_back(tie: Mapping[str, Any], stages: Sequence[Sheet]) -> tuple[int, list[str]]:
    """Return who of the tied the earlier stages leave over, and the stage that left them."""
    left, extreme = list(tie["candidates"]), min if tie["about"] == EXCLUSION else max
    for number in range(tie["stage"], 0, -1):
        totals = {name: Fraction(stages[number - 1]["totals"][name]) for name in left}
        wanted = extreme(totals.values())
        left = [name for name in left if totals[name] == wanted]
        if len(left) == 1:
            return number, left
    return 0, left


def _figures(values: Mapping[str, str]) -> dict[str, str]:
    return {name: localised(value) for name, value in values.items()}
