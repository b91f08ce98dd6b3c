"""What a body's charter says about each type of decision."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from oversight.web.languages import filled as filled_later
from proposals.charter import first
from proposals.charter_chapters import Chapter, chapters, title_of
from proposals.charter_rules import NUMBERS, faults_in, filled, methods_for
from proposals.charter_words import (
    DELEGATIONS,
    EMERGENCIES,
    EVALUATORS,
    PROPOSERS,
    QUORUM_WORDS,
    RECUSALS,
    SECRECIES,
    TIE_WORDS,
    hours_words,
)
from proposals.choices import FOLLOWS, GRANTING, ProposalType
from proposals.papers import METHOD_NAMES
from proposals.tally import exact, motion
from proposals.tally.errors import InputError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _stopped(words: "StrOrPromise") -> str:
    return f"{str(words).rstrip('.')}."


_with_stop = lazy(_stopped, str)
"""A sentence with its full stop, in the language that is spoken when it is read."""


def _in_english(text: str) -> str:
    """Return a span as the field reads it: “7 jours”, as a French form shows it, is “7 days”."""
    number = int(found[0]) if (found := re.match(r"\d{1,5}", text, re.ASCII)) else 0
    units = {
        ngettext("%(number)s day", "%(number)s days", number): "days",
        ngettext("%(number)s hour", "%(number)s hours", number): "hours",
    }
    for words, unit in units.items():
        if text.casefold() == (words % {"number": number}).casefold():
            return f"{number} {unit}"
    return text


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
        found = self._WORDS.fullmatch("0 hours" if text == "0" else _in_english(text))
        if not text:
            return None
        if found is None:
            raise forms.ValidationError(
                gettext("Write a number of days or hours: 7 days, 36 hours.")
            )
        hours = int(found[1]) * (24 if found[2].lower().startswith("d") else 1)
        if not self.least <= hours <= self.most:
            raise forms.ValidationError(
                gettext("Use %(hours_words)s to %(hours_words_2)s.")
                % {
                    "hours_words": hours_words(self.least),
                    "hours_words_2": hours_words(self.most),
                }
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
            raise forms.ValidationError(
                gettext("Write a share such as 2/3, 0.6 or 60 %.")
            ) from None
        return exact.fraction_text(share / 100 if text.endswith("%") else share)


_VOTE = ("threshold", "base", "comparison", "quorum", "quorum_base", "tie_rule")
COMPARISONS = [
    (motion.Comparison.AT_LEAST.value, _("at least")),
    (motion.Comparison.MORE_THAN.value, _("more than")),
]
BASES = [
    (motion.Base.YES_AND_NO.value, _("the votes for and against (abstaining counts for neither)")),
    (motion.Base.VOTES_CAST.value, _("the votes cast (abstaining weighs against)")),
    (motion.Base.ROLL.value, _("the whole roll (not voting weighs against)")),
]


_NO_END = ("override_threshold", "sunset_days", "review_days", "evaluators")
"""Asked only where an authorisation is given, with criteria and an end."""

_MAJORITY = ("comparison", "threshold", "base")
_EMERGENCY = ("emergency", "emergency_hours")


def _unused(kind: ProposalType) -> set[str]:
    """Return the rules that a type never uses: its form does not ask for them."""
    unused = set(_MAJORITY if kind == ProposalType.ELECTION else ("highest",))
    if kind not in GRANTING:
        unused |= set(_NO_END)
    if kind == ProposalType.AMENDMENT:
        unused |= {"proposers", "seconders"}
    if kind not in {ProposalType.AUTHORISE, ProposalType.SUSPEND}:
        unused |= set(_EMERGENCY)
    return unused


class RulesForm(forms.Form):
    """What a charter says about one type of decision."""

    proposers = forms.ChoiceField(choices=list(PROPOSERS.items()), label=_("Who proposes"))
    seconders = forms.IntegerField(
        label=_("Seconders"),
        required=False,
        min_value=NUMBERS["seconders"][0],
        max_value=NUMBERS["seconders"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_(
            "How many other members support a draft before its deliberation opens. 0 for none."
        ),
    )
    notice_hours = PeriodField(
        "notice_hours",
        label=pgettext_lazy("before a vote can open", "Notice"),
        help_text=_("How long the final text stands before the vote can open. 0 for none."),
    )
    deliberation_hours = PeriodField(
        "deliberation_hours",
        label=_("Deliberation"),
        help_text=_("The least time in which everybody can discuss. 0 for none."),
    )
    voting_hours = PeriodField(
        "voting_hours",
        label=_("Voting period"),
        help_text=_("How long a vote is open; a clerk may close it earlier once all have voted."),
    )
    comparison = forms.ChoiceField(choices=COMPARISONS, label=_("Carried by"))
    threshold = ShareField(label=_("Threshold"), help_text=_("A share: 1/2, 2/3, 60 %."))
    base = forms.ChoiceField(choices=BASES, label=_("Of what"))
    quorum = ShareField(label=_("Quorum"), help_text=_("The share that must vote. 0 for none."))
    quorum_base = forms.ChoiceField(
        choices=[
            (base.value, filled_later("… %(words)s", words=words))
            for base, words in QUORUM_WORDS.items()
        ],
        label=_("Quorum of what"),
    )
    method = forms.ChoiceField(label=_("Method"))
    highest = forms.IntegerField(
        label=_("Most points"),
        required=False,
        min_value=NUMBERS["highest"][0],
        max_value=NUMBERS["highest"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("For the method “score”: points go from 0 to this."),
    )
    tie_rule = forms.ChoiceField(
        choices=[(rule.value, words) for rule, words in TIE_WORDS.items()], label=_("Ties")
    )
    secrecy = forms.ChoiceField(choices=list(SECRECIES.items()), label=_("Secrecy"))
    delegation = forms.ChoiceField(choices=list(DELEGATIONS.items()), label=_("Delegation"))
    recusal = forms.ChoiceField(choices=list(RECUSALS.items()), label=_("Conflicts of interest"))
    override_threshold = ShareField(
        label=_("Threshold against a failed criterion"),
        help_text=_("At least this share when a must-pass criterion is not shown to be met."),
    )
    sunset_days = forms.IntegerField(
        label=_("Days until an authorisation ends"),
        min_value=NUMBERS["sunset_days"][0],
        max_value=NUMBERS["sunset_days"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("It ends by itself unless the body renews it."),
    )
    review_days = forms.IntegerField(
        label=_("Days before that end at which the renewal is drafted"),
        min_value=NUMBERS["review_days"][0],
        max_value=NUMBERS["review_days"][1],
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("The clock drafts it, and a clerk completes it. 0 for never."),
    )
    evaluators = forms.ChoiceField(
        choices=list(EVALUATORS.items()), label=_("Whose evidence counts")
    )
    emergency = forms.ChoiceField(
        choices=[(name, _with_stop(words)) for name, words in EMERGENCIES.items()],
        label=_("Emergencies"),
    )
    emergency_hours = PeriodField(
        "emergency_hours",
        label=_("An emergency suspension lapses after"),
        help_text=_("Unless the body ratifies it. At least as long as such a vote takes."),
    )
    dissent_hours = PeriodField(
        "dissent_hours",
        label=_("Time for dissents"),
        help_text=_("After the decision, to explain a vote or put a dissent on the record."),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        kind: ProposalType,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self._usual = filled(rules) if rules else first()[kind.value]
        shown = {**self._usual, **self._usual["vote"]}
        super().__init__(data, prefix=kind.value, initial=shown)
        methods = [(name, _sentence(str(METHOD_NAMES[name]))) for name in methods_for(kind)]
        self.fields["method"].choices = methods  # type: ignore[attr-defined]
        for name in _unused(kind):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Hold the rules together against what a charter may say; all faults go to their fields.

        In place of what cannot be read stands the usual rule, and what rests on it is not said.
        """
        found: dict[str, Any] = super().clean() or {}
        unread = set(self.errors)
        for error in list(faults_in(self.kind.value, self.rules())):
            if not unread & {error.field, *_RESTS_ON.get(error.field, ())}:
                name = error.field if error.field in self.fields else None
                self.add_error(name, _sentence(error.problem))
        return found

    def rules(self) -> dict[str, Any]:
        """Return the rules as the charter's document holds them."""
        found = self._usual | self.cleaned_data
        vote = self._usual["vote"] | {name: found[name] for name in _VOTE if name in found}
        # The document has one for motions, too; it may never ask for less than the threshold.
        unasked = max(self._usual["override_threshold"], vote["threshold"], key=Fraction)
        override = self.cleaned_data.get("override_threshold") or unasked
        return {
            "vote": vote,
            "override_threshold": override,
            "method": found["method"],
            "highest": found.get("highest") or self._usual["highest"],
            "seconders": self.cleaned_data.get("seconders") or 0,
            "secrecy": found["secrecy"],
            "delegation": found["delegation"],
            "recusal": found["recusal"],
            "notice_hours": found["notice_hours"],
            "deliberation_hours": found["deliberation_hours"],
            "voting_hours": found["voting_hours"],
            **{name: found[name] for name in _PLAIN},
        }

    @property
    def title(self) -> str:
        """What is decided so, after “To”."""
        return title_of(self.kind)

    @property
    def is_own(self) -> bool:
        """Whether the charter rules on this type by itself."""
        return True


_RESTS_ON = {
    "comparison": ("threshold",),
    "override_threshold": ("threshold", "comparison"),
    "tie_rule": ("method",),
    "delegation": ("secrecy",),
    "emergency_hours": ("emergency", "deliberation_hours", "notice_hours", "voting_hours"),
    "review_days": ("sunset_days",),
}
"""What else a fault of a rule may be due to."""

_PLAIN = (
    "sunset_days",
    "proposers",
    "emergency",
    "emergency_hours",
    "review_days",
    "evaluators",
    "dissent_hours",
)
"""Rules that stand in the document as they are entered."""


class OptionalRulesForm(RulesForm):
    """Rules of its own for a type that otherwise follows another, or is not decided at all."""

    own = forms.BooleanField(required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        kind: ProposalType,
        rules: Mapping[str, Any],
        is_own: bool,
    ) -> None:
        super().__init__(data, kind=kind, rules=rules)
        followed = FOLLOWS.get(kind)
        self.fields["own"].label = (
            gettext("Rules of its own") if followed else gettext("The body decides such a thing")
        )
        if followed:
            otherwise = gettext("Otherwise it is decided as to %(title_of)s.") % {
                "title_of": title_of(followed),
            }
            self.fields["own"].help_text = otherwise
        self.initial["own"] = is_own

    @property
    def is_own(self) -> bool:
        """Whether the box is ticked."""
        if not self.is_bound:
            return bool(self.initial["own"])
        field = self.fields["own"]
        return bool(field.widget.value_from_datadict(self.data, self.files, self.add_prefix("own")))

    def full_clean(self) -> None:
        """Ask for nothing where the type has no rules of its own."""
        super().full_clean()
        if self.is_bound and not self.is_own:
            self._errors = ErrorDict()
            self.cleaned_data = {"own": False}


class CharterForm:
    """A whole charter: a form for each type of decision, read together.

    The usual three types come first; the others follow one of them unless they get rules of their
    own.
    """

    def __init__(
        self, data: Mapping[str, Any] | None, *, document: Mapping[str, Any] | None = None
    ) -> None:
        given = document or first()
        self.forms = [
            RulesForm(data, kind=kind, rules=given[kind.value])
            for kind in ProposalType
            if kind in _USUAL and kind.value in given
        ]
        self.optional = [
            OptionalRulesForm(
                data, kind=kind, rules=_rules_to_begin_with(kind, given), is_own=kind.value in given
            )
            for kind in ProposalType
            if kind not in _USUAL or kind.value not in given
        ]

    @property
    def all(self) -> list[RulesForm]:
        """Every form, in the order of the page."""
        return [*self.forms, *self.optional]

    def is_valid(self) -> bool:
        """Say whether all can be used; each is asked, so that all their faults are shown."""
        return not sum(not form.is_valid() for form in self.all)

    @property
    def faults(self) -> int:
        """How many fields need mending."""
        return sum(len(form.errors) for form in self.all if form.is_bound)

    @property
    def document(self) -> dict[str, Any]:
        """The charter, once valid."""
        return {form.kind.value: form.rules() for form in self.all if form.is_own}

    @property
    def chapters(self) -> list[Chapter]:
        """The charter, once valid, in plain words."""
        return chapters(self.document)


_USUAL = (ProposalType.AUTHORISE, ProposalType.MOTION, ProposalType.ELECTION)


def _rules_to_begin_with(kind: ProposalType, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the form of a type shows first: its rules, those it follows, or the usual."""
    followed = FOLLOWS.get(kind)
    rules = document.get(kind.value) or (document[followed.value] if followed else None)
    return dict(rules or first()[kind.value])


def _sentence(words: str) -> str:
    return (words[:1].upper() + words[1:]).replace("at_least", "“at least”")
