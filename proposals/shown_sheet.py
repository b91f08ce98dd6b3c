"""A tally sheet as a page shows it: the result in words, the stages as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from oversight.web.figures import localised
from proposals.count_words import in_language, listed
from proposals.tally import consent, yes_no

Sheet = Mapping[str, Any]

_MATRICES = {
    "pairwise": _("Votes that rank the option of the row above that of the column"),
    "strongest_paths": _("Strength of the strongest path from the row to the column"),
    "scores": _("Weight that gave each number of points"),
}


METHOD_WORDS = {
    "yes-no": pgettext_lazy("method of counting", "for and against"),
    "consent": pgettext_lazy("method of counting", "consent"),
    "approval": pgettext_lazy("method of counting", "approval"),
    "plurality": pgettext_lazy("method of counting", "plurality"),
    "score": pgettext_lazy("method of counting", "score"),
    "irv": pgettext_lazy("method of counting", "instant runoff"),
    "schulze": pgettext_lazy("method of counting", "the Schulze method"),
    "scottish-stv": pgettext_lazy(
        "method of counting", "single transferable vote (Scottish rules)"
    ),
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
    says_yes_and_no: bool = False
    """Whether the recorded words stand there where the page itself says for and against."""

    @classmethod
    def of(cls, sheet: Sheet) -> "ShownSheet":
        """Read a sheet of any method, in the language that is spoken."""
        method, said = str(METHOD_WORDS[sheet["method"]]), in_language(sheet)
        if "stages" not in sheet:
            words = tuple(said.get(line, line) for line in sheet["words"])
            as_recorded = sheet["method"] == yes_no.METHOD and not said
            return cls(method, words, (), (), (), (), as_recorded)
        stages = sheet["stages"]
        left = tuple(localised(stage["exhausted"]) for stage in stages)
        return cls(
            method=method,
            words=tuple(_election_words(sheet, said)),
            acts=tuple(said.get(stage["act"], stage["act"]) for stage in stages),
            rows=tuple(_row(name, sheet) for name in stages[0]["totals"]) if stages else (),
            exhausted=left if any(Fraction(stage["exhausted"]) for stage in stages) else (),
            matrices=tuple(
                _matrix(str(title), sheet[name])
                for name, title in _MATRICES.items()
                if name in sheet
            ),
        )


def _tie_words(sheet: Sheet) -> str:
    """Return what broke the tie of a motion; empty where nothing had to or did."""
    broken_by = (sheet.get("tie") or {}).get("resolved_by")
    if broken_by == "casting_vote":
        return gettext("decided by the chair's casting vote")
    return gettext("decided by lot") if broken_by == "lot" else ""


def result_words(sheet: Sheet) -> str:
    """Return how a vote ended in a few words: `14 for, 3 against`, or who was chosen.

    A motion's tie that the chair or a lot has broken is part of it: the figures do not say why.
    """
    return ", ".join(filter(None, [_result_words(sheet), _tie_words(sheet)]))


def _result_words(sheet: Sheet) -> str:
    votes = sheet.get("votes", {})
    if sheet["method"] == yes_no.METHOD:
        abstained = (
            [gettext("%(votes)s abstained") % {"votes": localised(votes["abstain"])}]
            if Fraction(votes["abstain"])
            else []
        )
        return ", ".join(
            [
                gettext("%(votes)s for") % {"votes": localised(votes["yes"])},
                gettext("%(votes)s against") % {"votes": localised(votes["no"])},
                *abstained,
            ]
        )
    if sheet["method"] == consent.METHOD:
        stand = sheet["standing"]
        objections = ngettext(
            "%(number)s reasoned objection", "%(number)s reasoned objections", stand
        ) % {"number": stand}
        return gettext("%(votes)s consent, %(objections)s") % {
            "votes": localised(votes["consent"]),
            "objections": objections if stand else gettext("no reasoned objection"),
        }
    return listed(sheet["elected"]) or gettext("nobody chosen")


def _election_words(sheet: Sheet, said: Mapping[str, str]) -> list[str]:
    """Return the arithmetic of an election as sentences; `said` has the recorded ones."""
    return [
        gettext("Valid: %(sheet)s; blank or void: %(sheet_2)s.")
        % {"sheet": localised(sheet["valid"]), "sheet_2": localised(sheet["void"])},
        *_quorum_words(sheet["quorum"]),
        *(said.get(note, note) for note in sheet["notes"]),
        *(
            gettext("Stage %(tie)s: %(tie_2)s")
            % {"tie": tie["stage"], "tie_2": said.get(tie["words"], tie["words"])}
            for tie in sheet["ties"]
        ),
        *(
            [gettext("The lot's seed: %(sheet)s") % {"sheet": sheet["lot_seed"]}]
            if sheet["lot_seed"] and sheet["ties"]
            else []
        ),
        gettext("Chosen: %(value)s.")
        % {"value": listed(sheet["elected"]) or pgettext("elected", "nobody")},
    ]


def _quorum_words(quorum: Mapping[str, Any] | None) -> list[str]:
    if not quorum or not Fraction(quorum["fraction"]):
        return []
    is_met = pgettext("a quorum", "met") if quorum["met"] else pgettext("a quorum", "not met")
    return [
        gettext("Quorum: %(quorum)s needed, %(quorum_2)s took part: %(met)s.")
        % {
            "quorum": localised(quorum["needed"]),
            "quorum_2": localised(quorum["present"]),
            "met": is_met,
        }
    ]


def _row(name: str, sheet: Sheet) -> Row:
    cells = tuple(localised(stage["totals"].get(name, "–")) for stage in sheet["stages"])
    if name in sheet["elected"]:
        return Row(name, cells, "elected")
    excluded = any(name in stage["excluded"] for stage in sheet["stages"])
    return Row(name, cells, "excluded" if excluded else "")


def _matrix(title: str, values: Mapping[str, Mapping[str, str]]) -> Matrix:
    heads = tuple(dict.fromkeys(head for row in values.values() for head in row))
    names = [name for name in values if name in heads]
    ordered = (*names, *(head for head in heads if head not in names))
    rows = tuple(
        (name, tuple(localised(str(row.get(head, "–"))) for head in ordered))
        for name, row in values.items()
    )
    # Options are named by people; only what stands beside them is ours.
    shown = tuple(
        pgettext("points", "none") if head == "none" and head not in values else head
        for head in ordered
    )
    return Matrix(title, shown, rows)
