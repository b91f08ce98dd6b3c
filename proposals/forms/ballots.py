"""Ballots of every method, filled in by keyboard alone and without scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from proposals.forms.texts import ProseField
from proposals.papers import (
    CHOICES,
    ELECTION_METHODS,
    MAX_REASON_CHARACTERS,
    RANKED,
    SHARES_RANKS,
    STANCES,
)
from proposals.tally import approval, consent, plurality, score, yes_no
from proposals.tally.motion import Choice

Content = Mapping[str, Any]


class BallotForm(forms.Form):
    """What every ballot's form does: `content` is what was voted, for the service to check."""

    template = "proposals/_ballot_fields.html"

    def __init__(self, data: Any = None, *, contract: Content, last: Content | None = None) -> None:
        self.contract = contract
        super().__init__(data, initial=self.initial_of(last) if last is not None else None)
        self.ask()

    def initial_of(self, last: Content) -> dict[str, Any]:
        """Return the fields as the last ballot filled them."""
        return dict(last)

    def ask(self) -> None:
        """Add the fields that depend on the contract."""

    @property
    def content(self) -> dict[str, Any]:
        """What the ballot says, once valid."""
        return dict(self.cleaned_data)

    @property
    def is_step(self) -> bool:
        """Whether a button was pressed that changes the paper and casts nothing."""
        return False


class YesNoForm(BallotForm):
    """For, against or abstain."""

    choice = forms.ChoiceField(
        label=_("Your vote"),
        choices=[(choice.value, label) for choice, label in CHOICES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose for, against or abstain.")},
    )


class ConsentForm(BallotForm):
    """Consent, abstain, or object with a reason."""

    choice = forms.ChoiceField(
        label=_("Your vote"),
        choices=[(stance.value, label) for stance, label in STANCES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose consent, abstain or object.")},
    )
    reason = ProseField(
        label=_("Reason of an objection"),
        required=False,
        max_length=MAX_REASON_CHARACTERS,
        rows=4,
        help_text=_(
            "One reasoned objection stops the motion. The reason is published at the close."
        ),
    )

    @property
    def content(self) -> dict[str, Any]:
        """The choice, and the reason where there is one."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class ApprovalForm(BallotForm):
    """Any number of options."""

    ranking = forms.MultipleChoiceField(
        label=_("Who or what you approve of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose as many as you like. Choosing none casts a blank ballot."),
    )

    def ask(self) -> None:
        """Offer the contract's options."""
        named = [(name, name) for name in self.contract["options"]]
        self.fields["ranking"].choices = named  # type: ignore[attr-defined]


class PluralityForm(BallotForm):
    """One option."""

    ranking = forms.ChoiceField(
        label=_("Your vote"),
        widget=forms.RadioSelect,
        required=False,
    )

    def ask(self) -> None:
        """Offer the contract's options, and none of them."""
        named = [(name, name) for name in self.contract["options"]]
        self.fields["ranking"].choices = [*named, ("", gettext("None of them (blank)"))]  # type: ignore[attr-defined]

    def initial_of(self, last: Content) -> dict[str, Any]:
        """Return the one option named, if any."""
        return {"ranking": "".join(last["ranking"][:1])}

    @property
    def content(self) -> dict[str, Any]:
        """The option as a ranking of one."""
        chosen = self.cleaned_data["ranking"]
        return {"ranking": [chosen] if chosen else []}


class ScoreForm(BallotForm):
    """Points for each option, in number fields."""

    template = "proposals/_ballot_scores.html"

    def ask(self) -> None:
        """Add a field for each option; its name is its place, so no option can break a form."""
        highest = self.contract["highest"]
        words = gettext("Give a whole number from 0 to %(highest)s.") % {"highest": highest}
        for place, name in enumerate(self.contract["options"]):
            self.fields[f"points-{place}"] = forms.IntegerField(
                label=name,
                required=False,
                min_value=0,
                max_value=highest,
                widget=forms.NumberInput(attrs={"class": "rank-number", "inputmode": "numeric"}),
                error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), words),
            )

    def initial_of(self, last: Content) -> dict[str, Any]:
        """Return the points of the last ballot."""
        places = enumerate(self.contract["options"])
        return {f"points-{place}": last["scores"].get(name) for place, name in places}

    @property
    def content(self) -> dict[str, Any]:
        """Points by option, those without left out."""
        given = {
            name: self.cleaned_data[f"points-{place}"]
            for place, name in enumerate(self.contract["options"])
        }
        return {"scores": {name: points for name, points in given.items() if points is not None}}


class RankingForm(BallotForm):
    """Ranks in number fields, with buttons that move an option up or down; nothing is dragged.

    A step (`up:2`, `down:2`, `out:2`, `sort`) comes back as a paper put in order, and casts
    nothing; the numbers are places in the contract's list of options.
    """

    template = "proposals/_ballot_ranking.html"

    def ask(self) -> None:
        """Add a field for each option; its name is its place, so no option can break a form."""
        most = len(self.contract["options"])
        words = gettext("Give a whole number from 1 to %(most)s, or nothing.") % {"most": most}
        for place, name in enumerate(self.contract["options"]):
            self.fields[f"rank-{place}"] = forms.IntegerField(
                label=name,
                required=False,
                min_value=1,
                max_value=most,
                widget=forms.NumberInput(attrs={"class": "rank-number", "inputmode": "numeric"}),
                error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), words),
            )

    def initial_of(self, last: Content) -> dict[str, Any]:
        """Return the ranks of the last ballot."""
        return {
            f"rank-{self.contract['options'].index(name)}": number
            for number, rank in enumerate(last["ranking"], start=1)
            for name in ([rank] if isinstance(rank, str) else rank)
        }

    @property
    def shares_ranks(self) -> bool:
        """Whether several options may have one rank."""
        return self.contract["method"] in SHARES_RANKS

    @property
    def is_step(self) -> bool:
        """Whether a button was pressed that changes the paper and casts nothing."""
        return self.is_bound and bool(self.data.get("step"))

    @property
    def content(self) -> dict[str, Any]:
        """The ranking; numbers left out between ranks mean nothing."""
        return {"ranking": [[self._name(place) for place in rank] for rank in self._ranks()]}

    @property
    def names(self) -> list[str]:
        """The options in order, as a casting vote lists them; shared ranks as they stand."""
        return [self._name(place) for rank in self._ranks() for place in rank]

    def rows(self) -> list[dict[str, Any]]:
        """Return options with their fields, ranked ones first and in order."""
        ranks = {
            place: self[f"rank-{place}"].value() for place in range(len(self.contract["options"]))
        }

        def position(place: int) -> tuple[bool, int, int]:
            value = str(ranks[place] or "")
            is_ranked = value.isdecimal() and len(value) < 5
            return not is_ranked, int(value) if is_ranked else 0, place

        ordered = sorted(ranks, key=position)
        return [
            {
                "key": str(place),
                "name": self._name(place),
                "field": self[f"rank-{place}"],
                "is_ranked": bool(ranks[place]),
            }
            for place in ordered
        ]

    def stepped(self) -> "RankingForm":
        """Return a form with the step taken, numbered from 1 without gaps; the form is valid."""
        act, _, which = self.data["step"].partition(":")
        known = which.isdecimal() and int(which) < len(self.contract["options"])
        ranks = _step(self._ranks(), act, int(which) if known else -1)
        names = [[self._name(place) for place in rank] for rank in ranks]
        return RankingForm(contract=self.contract, last={"ranking": names})

    def _name(self, place: int) -> str:
        return str(self.contract["options"][place])

    def _ranks(self) -> list[list[int]]:
        """Return the places of the options by rank, best first."""
        given: dict[int, list[int]] = {}
        for place in range(len(self.contract["options"])):
            number = self.cleaned_data[f"rank-{place}"]
            if number is not None:
                given.setdefault(number, []).append(place)
        return [given[number] for number in sorted(given)]


def _step(ranks: Sequence[list[int]], act: str, place: int) -> list[list[int]]:
    """Return the ranks after one step; a step that leads nowhere changes nothing."""
    order = [list(rank) for rank in ranks]
    at = next((number for number, rank in enumerate(order) if place in rank), None)
    if at is None:
        # Not ranked yet: it becomes the last of those that are.
        return [*order, [place]] if act == "up" and place >= 0 else order
    if act in {"up", "down", "out"}:
        was_shared = len(order[at]) > 1
        order[at].remove(place)
        if act == "up":
            order.insert(at if was_shared else max(0, at - 1), [place])
        elif act == "down":
            order.insert(at + (1 if was_shared else 2), [place])
    return [rank for rank in order if rank]


FORMS: dict[str, type[BallotForm]] = {
    yes_no.METHOD: YesNoForm,
    consent.METHOD: ConsentForm,
    approval.METHOD: ApprovalForm,
    plurality.METHOD: PluralityForm,
    score.METHOD: ScoreForm,
    **dict.fromkeys(RANKED, RankingForm),
}


def ballot_form(data: Any = None, *, contract: Content, last: Content | None = None) -> BallotForm:
    """Return the form of a contract's method, filled as the last ballot was."""
    return FORMS[contract["method"]](data, contract=contract, last=last)


class CastingForm(forms.Form):
    """The chair's yes or no on a tied motion."""

    template = "proposals/_ballot_fields.html"
    choice = forms.ChoiceField(
        label=_("Your casting vote"),
        choices=[(choice.value, CHOICES[choice]) for choice in (Choice.YES, Choice.NO)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose for or against.")},
    )

    @property
    def names(self) -> list[str]:
        """The word alone."""
        return [self.cleaned_data["choice"]]


def casting_form(data: Any = None, *, contract: Content) -> "CastingForm | RankingForm":
    """Return what a tie asks the chair: yes or no, or an order of all options."""
    if contract["method"] in ELECTION_METHODS:
        return RankingForm(data, contract=contract)
    return CastingForm(data)
