"""Tally sheets fetched with their decisions, and what they come to as plain values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import JSONField
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast
from django.utils.translation import override

from proposals.shown_sheet import result_words
from proposals.tally import consent, yes_no

_SIDES = {
    yes_no.METHOD: ("yes", "no"),
    consent.METHOD: ("consent", "object"),
}
"""By method of a motion, under which words its sheet has the votes for and those against."""


def with_sheet(decisions: Any) -> Any:
    """Annotate decisions with `found_sheet`, and leave their records, which are long, behind."""
    sheet = KeyTransform("sheet", Cast("record", JSONField()))
    return decisions.annotate(found_sheet=sheet).defer("record")


def result_in_english(sheet: Mapping[str, Any]) -> str:
    """Return how a vote ended, for programs: `14 for, 3 against`, or who was chosen."""
    with override(settings.LANGUAGE_CODE):
        return result_words(sheet)


def figures(sheet: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a sheet comes to; None where its method has no such thing."""
    votes, rules = sheet.get("votes", {}), sheet.get("rules", {})
    quorum, sides = sheet["quorum"] or {}, _SIDES.get(sheet["method"], ("", ""))
    cast = Decimal(votes["cast"]) if votes else Decimal(sheet["valid"]) + Decimal(sheet["void"])
    return {
        "result": result_in_english(sheet),
        "method": sheet["method"],
        "votes_for": _decimal(votes.get(sides[0])),
        "votes_against": _decimal(votes.get(sides[1])),
        "abstentions": _decimal(votes.get("abstain")),
        "votes_cast": cast,
        "on_roll": _decimal(votes.get("roll")),
        "threshold": rules.get("threshold"),
        "threshold_comparison": rules.get("comparison"),
        "threshold_base": rules.get("base"),
        "share_for": sheet.get("threshold", {}).get("share"),
        "quorum": quorum.get("fraction"),
        "quorum_base": quorum.get("base"),
        "quorum_met": quorum.get("met"),
        "tie_broken_by": _broken_by(sheet),
    }


def _broken_by(sheet: Mapping[str, Any]) -> str | None:
    """Return what broke a tie: the chair's casting vote or a lot; None where neither did."""
    ties = sheet["ties"] if "ties" in sheet else [sheet.get("tie")]
    found = {tie["resolved_by"] for tie in ties if tie}
    return next((each for each in ("casting_vote", "lot") if each in found), None)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
