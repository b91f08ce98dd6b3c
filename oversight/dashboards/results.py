"""How a vote ended: the outcome in figures and words, and the ballots that it is made of."""

from fractions import Fraction
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from proposals import papers
from proposals.ballot_box import carried_by, is_secret, last_ballots
from proposals.ballot_files import has_blt
from proposals.charter_words import fraction_words
from proposals.models import Ballot, Contract, Decision, RollEntry
from proposals.shown_sheet import ShownSheet, result_words
from proposals.tally import yes_no

CHOICES = {"yes": _("For"), "no": _("Against"), "abstain": _("Abstained")}
"""What a ballot on a motion says, by its word on the record."""

BASES = {
    "votes_cast": ("cast", _("the votes cast")),
    "yes_and_no": ("votes", _("the votes for and against")),
    "roll": ("roll", _("the whole roll")),
}
"""What a threshold is a share of: the result bar's word, and ours."""


def result_of(found: Decision, contract: Contract) -> dict[str, Any]:
    """Return the outcome in figures and words, and the ballots that it is made of."""
    sheet = found.sheet
    ballots = {
        "sheet": sheet,
        "shown": ShownSheet.of(sheet),
        "has_blt": has_blt(found),
        "ballots": [] if is_secret(contract) else ballots_by_name(contract),
        "secret_ballots": secret_ballots(found) if is_secret(contract) else [],
        "is_secret": is_secret(contract),
        "is_weighted": contract.roll.exclude(weight=1).exists(),
        "absent": without_ballot(contract),
    }
    if sheet["method"] != yes_no.METHOD:
        return ballots | {"headline": capfirst(found.result_words)}
    votes, rules = sheet["votes"], sheet["rules"]
    base, base_words = BASES[rules["base"]]
    comparison = {"at_least": gettext("at least"), "more_than": gettext("more than")}[
        rules["comparison"]
    ]
    share = sheet["threshold"]["share"]
    return ballots | {
        "bar": {name: int(Fraction(value)) for name, value in votes.items()}
        | {"waiting": int(Fraction(votes["roll"]) - Fraction(votes["cast"])), "base": base},
        "headline": result_words(sheet),
        "threshold": rules["threshold"],
        "needed": gettext("%(comparison)s %(fraction_words)s of %(base_words)s")
        % {
            "comparison": comparison,
            "fraction_words": fraction_words(Fraction(rules["threshold"])),
            "base_words": base_words,
        },
        "share": Fraction(share) if share else None,
    }


def ballots_by_name(contract: Contract) -> list[Ballot]:
    """Return the ballots that count, each with the members it carries as `for_others`."""
    ballots = last_ballots(contract)
    carried = carried_by(contract, ballots)
    for ballot in ballots:
        ballot.for_others = carried[ballot.entry_id]  # type: ignore[attr-defined]
    return ballots


def secret_ballots(found: Decision) -> list[dict[str, Any]]:
    """Return the ballots without names, as the record lists them."""
    return [
        {"words": papers.words(row), "weight": row["weight"]} for row in found.content["ballots"]
    ]


def without_ballot(contract: Contract) -> list[RollEntry]:
    """Return who was on the roll and never cast a ballot."""
    cast = Ballot.objects.filter(entry=OuterRef("pk"))
    return list(contract.roll.filter(~Exists(cast)).select_related("membership__person"))
