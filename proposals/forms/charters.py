"""What a body's charter says about each type of decision."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django import forms

from proposals.charter import (
    DELEGATIONS,
    NUMBERS,
    QUORUM_WORDS,
    RECUSALS,
    SECRECIES,
    TIE_WORDS,
    CharterError,
    first,
    hours_words,
    methods_for,
    read_rules,
)
from proposals.choices import ProposalType
from proposals.papers import METHOD_NAMES
from proposals.tally import exact, motion
from proposals.tally.errors import InputError


class PeriodField(forms.Field):
    """A span of time in words, such as “7 days” or “36 hours”; its value is whole hours."""

    _WORDS = re.compile(r"(\d{1,5}) *(hours?|h|days?|d)", re.IGNORECASE | re.ASCII)

    def __init__(self, rule: str, **options: Any) -> None:
        self.least, self.most = NUMBERS[rule]
        attrs = {"class": "input-short", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **options)

    def to_python(self, value: Any) -> Any:
        """Return hours; raises a ValidationError that says how to write it."""
        text = str(value or "").strip()
        found = self._WORDS.fullmatch("0 hours" if text == "0" else text)
        if not text:
            return None
        if found is None:
            raise forms.ValidationError("Write a number of days or hours: 7 days, 36 hours.")
        hours = int(found[1]) * (24 if found[2].lower().startswith("d") else 1)
        if not self.least <= hours <= self.most:
            raise forms.ValidationError(
                f"Use {hours_words(self.least)} to {hours_words(self.most)}."
            )
        return hours

    def prepare_value(self, value: Any) -> Any:
        """Show hours the way people write them."""
        return hours_words(value) if isinstance(value, int) else value


class ShareField(forms.CharField):
    """A share such as 2/3, 0.6 or 60 %; its value is an exact fraction as text."""

    def __init__(self, **options: Any) -> None:
        attrs = {"class": "input-short", "list": "shares", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), max_length=20, **options)

    def to_python(self, value: Any) -> Any:
        """Return the fraction; raises a ValidationError that says how to write it."""
        text = (super().to_python(value) or "").strip()
        if not text:
            return None
        try:
            share = exact.fraction(text.rstrip("% "), "share")
        except InputError:
            raise forms.ValidationError("Write a share such as 2/3, 0.6 or 60 %.") from None
        return exact.fraction_text(share / 100 if text.endswith("%") else share)


_VOTE = ("threshold", "base", "comparison", "quorum", "quorum_base", "tie_rule")
COMPARISONS = [
    (motion.Comparison.AT_LEAST.value, "at least"),
    (motion.Comparison.MORE_THAN.value, "more than"),
]
BASES = [
    (motion.Base.YES_AND_NO.value, "the votes for and against (abstaining counts for neither)"),
    (motion.Base.VOTES_CAST.value, "the votes cast (abstaining weighs against)"),
    (motion.Base.ROLL.value, "the whole roll (not voting weighs against)"),
]


# A motion has neither criteria nor an authorisation that could end; an election has no majority.
_NO_END = ("override_threshold", "sunset_days")
_UNUSED = {
    ProposalType.AUTHORISE: ("highest",),
    ProposalType.MOTION: ("highest", *_NO_END),
    ProposalType.ELECTION: ("comparison", "threshold", "base", *_NO_END),
}


class RulesForm(forms.Form):
    """What a charter says about one type of decision."""

    notice_hours = PeriodField(
        "notice_hours",
        label="Notice",
        help_text="How long the final text stands before the vote can open. 0 for none.",
    )
    deliberation_hours = PeriodField(
        "deliberation_hours",
        label="Deliberation",
        help_text="The least time in which everybody can discuss. 0 for none.",
    )
    voting_hours = PeriodField(
        "voting_hours",
        label="Voting period",
        help_text="How long a vote is open unless all have voted before.",
    )
    comparison = forms.ChoiceField(choices=COMPARISONS, label="Carried by")
    threshold = ShareField(label="Threshold", help_text="A share: 1/2, 2/3, 60 %.")
    base = forms.ChoiceField(choices=BASES, label="Of what")
    quorum = ShareField(label="Quorum", help_text="The share that must vote. 0 for none.")
    quorum_base = forms.ChoiceField(
        choices=[(base.value, f"… {words}") for base, words in QUORUM_WORDS.items()],
        label="Quorum of what",
    )
    method = forms.ChoiceField(label="Method")
    highest = forms.IntegerField(
        label="Most points",
        required=False,
        min_value=NUMBERS["highest"][0],
        max_value=NUMBERS["highest"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text="For the method “score”: points go from 0 to this.",
    )
    tie_rule = forms.ChoiceField(
        choices=[(rule.value, words) for rule, words in TIE_WORDS.items()], label="Ties"
    )
    secrecy = forms.ChoiceField(choices=list(SECRECIES.items()), label="Secrecy")
    delegation = forms.ChoiceField(choices=list(DELEGATIONS.items()), label="Delegation")
    recusal = forms.ChoiceField(choices=list(RECUSALS.items()), label="Conflicts of interest")
    override_threshold = ShareField(
        label="Threshold against a failed criterion",
        help_text="At least this share when a must-pass criterion is not shown to be met.",
    )
    sunset_days = forms.IntegerField(
        label="Days until an authorisation ends",
        min_value=NUMBERS["sunset_days"][0],
        max_value=NUMBERS["sunset_days"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text="It ends by itself unless the body renews it.",
    )

    def __init__(self, data: Mapping[str, Any] | None, *, kind: ProposalType) -> None:
        self.kind = kind
        self._usual = first()[kind.value]
        shown = {**self._usual, **self._usual["vote"]}
        super().__init__(data, prefix=kind.value, initial=shown)
        methods = [(name, _sentence(METHOD_NAMES[name])) for name in methods_for(kind)]
        self.fields["method"].choices = methods  # type: ignore[attr-defined]
        for name in _UNUSED[kind]:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Hold the rules together against what a charter may say; faults go to their fields."""
        found: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                read_rules(self.kind.value, self.rules())
            except CharterError as error:
                name = error.field if error.field in self.fields else None
                self.add_error(name, _sentence(error.problem))
        return found

    def rules(self) -> dict[str, Any]:
        """Return the rules as the charter's document holds them."""
        found = self.cleaned_data
        vote = self._usual["vote"] | {name: found[name] for name in _VOTE if name in found}
        # The document has one for motions, too; it may never ask for less than the threshold.
        unasked = max(self._usual["override_threshold"], vote["threshold"], key=Fraction)
        override = found.get("override_threshold") or unasked
        return {
            "vote": vote,
            "override_threshold": override,
            "method": found["method"],
            "highest": found.get("highest") or self._usual["highest"],
            "secrecy": found["secrecy"],
            "delegation": found["delegation"],
            "recusal": found["recusal"],
            "notice_hours": found["notice_hours"],
            "deliberation_hours": found["deliberation_hours"],
            "voting_hours": found["voting_hours"],
            "sunset_days": found.get("sunset_days") or self._usual["sunset_days"],
        }

    def words(self) -> list[str]:
        """Return the rules, once valid, as sentences."""
        return read_rules(self.kind.value, self.rules()).words(self.kind)


def _sentence(words: str) -> str:
    return (words[:1].upper() + words[1:]).replace("at_least", "“at least”")
