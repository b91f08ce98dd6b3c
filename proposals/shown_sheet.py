"""A tally sheet as a page shows it: the result in words, the stages as a table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from proposals.tally import consent, yes_no
from proposals.tally.ties import join_names

Sheet = Mapping[str, Any]

_MATRICES = {
    "pairwise": _("Votes that rank the option of the row above that of the column"),
    "strongest_paths": _("Strength of the strongest path from the row to the column"),
    "scores": _("Weight that gave each number of points"),
}


METHOD_WORDS = {
    "yes-no": _("for and against"),
    "consent": "consent",
    "approval": "approval",
    "plurality": "plurality",
    "score": "score",
    "irv": _("instant runoff"),
    "schulze": _("the Schulze method"),
    "scottish-stv": _("single transferable vote (Scottish rules)"),
}
"""How a page names each method of counting."""


@dataclass(frozen=True, slots=True)
class Row:
    """One option through all stages."""

    name: str
    cells: tuple[str, ...]
    fate: str
    """`elected`, `excluded` or nothing."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One table that only some methods have."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """The parts of a sheet in the order of a page."""

    method: str
    """The method's name for readers, as the middle of a sentence has it."""

    words: tuple[str, ...]
    """The arithmetic as sentences."""

    acts: tuple[str, ...]
    """What was done at each stage."""

    rows: tuple[Row, ...]
    exhausted: tuple[str, ...]
    """Votes that no option holds, by stage; empty where there never are any."""

    matrices: tuple[Matrix, ...]

    @classmethod
    def of(cls, sheet: Sheet) -> "ShownSheet":
        """Read a sheet of any method."""
        if "stages" not in sheet:
            return cls(str(METHOD_WORDS[sheet["method"]]), tuple(sheet["words"]), (), (), (), ())
        stages = sheet["stages"]
        left = tuple(stage["exhausted"] for stage in stages)
        return cls(
            method=str(METHOD_WORDS[sheet["method"]]),
            words=tuple(_election_words(sheet)),
            acts=tuple(stage["act"] for stage in stages),
            rows=tuple(_row(name, sheet) for name in stages[0]["totals"]) if stages else (),
            exhausted=left if any(Fraction(each) for each in left) else (),
            matrices=tuple(
                _matrix(str(title), sheet[name])
                for name, title in _MATRICES.items()
                if name in sheet
            ),
        )


def result_words(sheet: Sheet) -> str:
    """Return how a vote ended in a few words: `14 for, 3 against`, or who was chosen."""
    votes = sheet.get("votes", {})
    if sheet["method"] == yes_no.METHOD:
        abstained = (
            [gettext("%(votes)s abstained") % {"votes": votes["abstain"]}]
            if Fraction(votes["abstain"])
            else []
        )
        return ", ".join(
            [
                gettext("%(votes)s for") % {"votes": votes["yes"]},
                gettext("%(votes)s against") % {"votes": votes["no"]},
                *abstained,
            ]
        )
    if sheet["method"] == consent.METHOD:
        stand = sheet["standing"]
        objections = ngettext(
            "%(number)s reasoned objection", "%(number)s reasoned objections", stand
        ) % {"number": stand}
        return gettext("%(votes)s consent, %(objections)s") % {
            "votes": votes["consent"],
            "objections": objections if stand else gettext("no reasoned objection"),
        }
    return join_names(sheet["elected"]) or gettext("nobody chosen")


def _election_words(sheet: Sheet) -> list[str]:
    quorum = sheet["quorum"]
    met = "met" if quorum and quorum["met"] else gettext("not met")
    return [
        gettext("Valid: %(sheet)s; blank or void: %(sheet_2)s.")
        % {
            "sheet": sheet["valid"],
            "sheet_2": sheet["void"],
        },
        *(
            [
                gettext("Quorum: %(quorum)s needed, %(quorum_2)s took part: %(met)s.")
                % {
                    "quorum": quorum["needed"],
                    "quorum_2": quorum["present"],
                    "met": met,
                }
            ]
            if quorum and Fraction(quorum["fraction"])
            else []
        ),
        *sheet["notes"],
        *(
            gettext("Stage %(tie)s: %(tie_2)s") % {"tie": tie["stage"], "tie_2": tie["words"]}
            for tie in sheet["ties"]
        ),
        *(
            [gettext("The lot's seed: %(sheet)s") % {"sheet": sheet["lot_seed"]}]
            if sheet["lot_seed"] and sheet["ties"]
            else []
        ),
        gettext("Chosen: %(value)s.") % {"value": join_names(sheet["elected"]) or "nobody"},
    ]


def _row(name: str, sheet: Sheet) -> Row:
    cells = tuple(stage["totals"].get(name, "–") for stage in sheet["stages"])
    if name in sheet["elected"]:
        return Row(name, cells, "elected")
    excluded = any(name in stage["excluded"] for stage in sheet["stages"])
    return Row(name, cells, "excluded" if excluded else "")


def _matrix(title: str, values: Mapping[str, Mapping[str, str]]) -> Matrix:
    heads = tuple(dict.fromkeys(head for row in values.values() for head in row))
    names = [name for name in values if name in heads]
    ordered = (*names, *(head for head in heads if head not in names))
    rows = tuple(
        (name, tuple(str(row.get(head, "–")) for head in ordered)) for name, row in values.items()
    )
    return Matrix(title, ordered, rows)
