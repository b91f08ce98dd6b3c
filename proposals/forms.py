"""Shape of the HTML input on the deciding floor."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from evals.choices import Comparison
from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.registry.forms import DeploymentField, VersionField
from proposals.charter import NUMBERS, CharterError, first, hours_words, read_rules
from proposals.choices import Choice, ProposalType
from proposals.tally import exact, motion
from proposals.tally.errors import InputError


class ProseField(forms.CharField):
    """A text of several lines, with line ends as the record has them.

    Browsers send CRLF, which would count twice and look like a change. The browser is not told the
    limit, because it would cut a pasted text without a word; the form says what is too long.
    """

    def __init__(self, *, rows: int, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), **options)

    def to_python(self, value: Any) -> str:
        """Return the text with plain line ends."""
        return (super().to_python(value) or "").replace("\r\n", "\n")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the attributes of the textarea: no limit among them."""
        return {k: v for k, v in super().widget_attrs(widget).items() if k != "maxlength"}


class TextForm(forms.Form):
    """A proposal's text."""

    title = forms.CharField(max_length=160, help_text="What the body would do, as an act.")
    summary = ProseField(
        max_length=400,
        rows=2,
        help_text="One or two sentences that stand under the title.",
    )
    text = ProseField(
        max_length=100_000,
        rows=14,
        help_text="Markdown: # headings, **bold**, lists, [links](https://…), tables.",
    )


class RevisionForm(TextForm):
    """The next revision, based on the one the writer saw."""

    base_number = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def base_on(self, number: int) -> None:
        """Keep what was typed, but as the successor of another revision."""
        self.data = {**self.data.dict(), "base_number": str(number)}  # type: ignore[attr-defined]


class ProposalForm(TextForm):
    """A new proposal."""

    type = forms.ChoiceField(choices=ProposalType.choices, label="What it would do")
    deployment = DeploymentField(
        required=False, help_text="For an authorisation: where it would serve."
    )
    version = VersionField(required=False, help_text="For an authorisation: exactly these weights.")
    body = forms.ModelChoiceField(
        Body.objects.all(), label="Body that decides", empty_label="Choose one"
    )
    field_order = ["body", "type", "deployment", "version", "title", "summary", "text"]

    def __init__(self, *args: object, bodies: list[Body], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["deployment"].fit()  # type: ignore[attr-defined]
        self.fields["version"].fit()  # type: ignore[attr-defined]
        ids = [body.pk for body in bodies]
        self.fields["body"].queryset = Body.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        if len(bodies) == 1:
            self.fields["body"].initial = bodies[0]

    def clean(self) -> dict[str, Any]:
        """Ask for what an authorisation is about."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("type") == ProposalType.AUTHORISE:
            for name, words in (("deployment", "where it serves"), ("version", "which weights")):
                if name not in self.errors and found.get(name) is None:
                    self.add_error(name, f"An authorisation says {words}: choose one.")
        return found


SUITES_OFFERED = 20
"""Suites whose measures a criterion's form lists; with more of them the reader searches."""


def suites_like(wanted: str) -> QuerySet[SuiteVersion]:
    """Return the newest version of each suite whose title or address name holds these words."""
    versions = SuiteVersion.objects.select_related("suite").order_by("suite_id", "-number")
    named = Q(suite__title__icontains=wanted) | Q(suite__slug__icontains=wanted)
    return (versions.filter(named) if wanted else versions).distinct("suite_id")


def metric_choices(suites: Iterable[SuiteVersion]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every metric of these suites, as value and words, suite by suite."""
    return [
        (
            str(version),
            [
                (f"{version.pk}|{task['name']}|{metric}", _measure(task, metric))
                for task in version.tasks
                for metric in task["metrics"]
            ],
        )
        for version in suites
    ]


def _measure(task: Mapping[str, Any], metric: str) -> str:
    label = task["metric_label"] if metric == task["metric"] else metric
    return f"{task['title']}: {label}"


class CriterionForm(forms.Form):
    """What is asked of the model, before it is evaluated."""

    measure = forms.ChoiceField(label="What is measured")
    comparison = forms.ChoiceField(choices=Comparison.choices, label="Asked")
    threshold = forms.DecimalField(
        max_digits=10,
        decimal_places=6,
        widget=forms.NumberInput(attrs={"class": "input-short", "step": "any"}),
        help_text="Judged on the 95 % interval: it must lie wholly on the right side.",
    )
    must_pass = forms.BooleanField(
        required=False,
        initial=True,
        label="Must pass",
        help_text="If it is not met, the charter's higher threshold applies to the vote.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, wanted: str = "") -> None:
        super().__init__(data)
        found = list(suites_like(wanted)[: SUITES_OFFERED + 1])
        self.is_cut = len(found) > SUITES_OFFERED
        self.has_suites = bool(found)
        choices = metric_choices(found[:SUITES_OFFERED])
        self.fields["measure"].choices = choices  # type: ignore[attr-defined]

    @property
    def measured(self) -> tuple[int, str, str]:
        """The suite version's key, task and metric that were chosen."""
        version, task, metric = self.cleaned_data["measure"].split("|")
        return int(version), task, metric


class CommentForm(forms.Form):
    """A contribution to the discussion."""

    text = ProseField(
        label="Your comment",
        max_length=5000,
        rows=4,
        help_text="Up to 5,000 characters of Markdown. It stands in public under your name.",
    )
    parent = forms.IntegerField(required=False, widget=forms.HiddenInput)


class HideForm(forms.Form):
    """Why a comment is hidden."""

    reason = forms.CharField(
        label="Public reason",
        max_length=400,
        help_text="It stands in the comment's place, for everybody to read.",
    )


class ReasonForm(forms.Form):
    """A public reason."""

    reason = ProseField(
        label="Public reason",
        max_length=1000,
        rows=3,
        help_text="It stands at the top of the proposal's page, for everybody to read.",
    )


class OpenVoteForm(forms.Form):
    """When the vote closes."""

    closes_at = forms.DateTimeField(
        label="Closes at",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="In the body's time zone. Leave empty for the charter's usual time.",
    )


class BallotForm(forms.Form):
    """A ballot."""

    choice = forms.ChoiceField(
        label="Your vote",
        choices=Choice.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose yes, no or abstain."},
    )


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


COMPARISONS = [
    (motion.Comparison.AT_LEAST.value, "at least"),
    (motion.Comparison.MORE_THAN.value, "more than"),
]
BASES = [
    (motion.Base.YES_AND_NO.value, "the votes for and against (abstaining counts for neither)"),
    (motion.Base.VOTES_CAST.value, "the votes cast (abstaining weighs against)"),
    (motion.Base.ROLL.value, "the whole roll (not voting weighs against)"),
]


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
    quorum = ShareField(
        label="Quorum", help_text="The share of the whole roll that must vote. 0 for none."
    )
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
        if kind != ProposalType.AUTHORISE:
            # A motion has neither criteria nor an authorisation that could end.
            del self.fields["override_threshold"], self.fields["sunset_days"]

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
        vote = {name: found[name] for name in ("threshold", "base", "comparison", "quorum")}
        # The document has one for motions, too; it may never ask for less than the threshold.
        unasked = max(self._usual["override_threshold"], found["threshold"], key=Fraction)
        override = found.get("override_threshold") or unasked
        return {
            "vote": self._usual["vote"] | vote,
            "override_threshold": override,
            "secrecy": self._usual["secrecy"],
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
