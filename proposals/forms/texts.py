"""What is proposed, asked of a model, said, and when a vote closes."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.choices import Comparison
from evals.metric_words import metric_words
from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.registry.forms import DeploymentField, VersionField
from oversight.web.written import LanguageField
from proposals.choices import ProposalType
from proposals.papers import MAX_OPTION_CHARACTERS, MAX_OPTIONS


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

    title = forms.CharField(max_length=160, help_text=_("What the body would do, as an act."))
    summary = ProseField(
        max_length=400,
        rows=2,
        help_text=_("One or two sentences that stand under the title."),
    )
    text = ProseField(
        max_length=100_000,
        rows=14,
        help_text=_("Markdown: # headings, **bold**, lists, [links](https://…), tables."),
    )


class OptionsField(ProseField):
    """What an election is about: one option a line, as a list of names without empty lines."""

    def __init__(self) -> None:
        super().__init__(
            rows=5,
            error_messages={"required": _("Say what can be chosen: one option a line.")},
            max_length=MAX_OPTIONS * (MAX_OPTION_CHARACTERS + 1),
            label=_("Options"),
            help_text=_("For a choice: one option a line, in the order of the ballot."),
        )

    def clean(self, value: Any) -> Any:
        """Return the names."""
        return [line.strip() for line in super().clean(value).split("\n") if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Show names as lines."""
        return "\n".join(value) if isinstance(value, list) else value


class SeatsField(forms.IntegerField):
    """How many of the options are to be chosen."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            min_value=1,
            max_value=MAX_OPTIONS,
            initial=1,
            label=_("How many are chosen"),
            widget=forms.NumberInput(attrs={"class": "input-short"}),
        )


class RevisionForm(TextForm):
    """The next revision, based on the one the writer saw."""

    options = OptionsField()
    seats = SeatsField()
    language = LanguageField()
    base_number = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    field_order = ["language"]

    def __init__(self, *args: object, has_options: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not has_options:
            del self.fields["options"], self.fields["seats"]

    def base_on(self, number: int) -> None:
        """Keep what was typed, but as the successor of another revision."""
        self.data = {**self.data.dict(), "base_number": str(number)}  # type: ignore[attr-defined]


class ProposalForm(TextForm):
    """A new proposal of one type: its subject and its text; `forms.kinds` has its terms."""

    type = forms.ChoiceField(choices=ProposalType.choices, widget=forms.HiddenInput)
    body = forms.ModelChoiceField(
        Body.objects.all(), label=_("Body that decides"), empty_label=None
    )
    deployment = DeploymentField(help_text=_("Where it would serve."))
    version = VersionField(help_text=_("Exactly these weights."))
    options = OptionsField()
    seats = SeatsField()
    language = LanguageField()
    field_order = [
        "type",
        "body",
        "deployment",
        "version",
        "language",
        "title",
        "summary",
        "text",
        "options",
        "seats",
    ]

    def __init__(
        self, *args: object, bodies: list[Body], kind: ProposalType, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.initial["type"] = kind.value
        ids = [body.pk for body in bodies]
        self.fields["body"].queryset = Body.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        if len(bodies) == 1:
            self.fields["body"].widget = forms.HiddenInput()
            self.initial["body"] = bodies[0].pk
        self.fields["language"].initial = bodies[0].language
        if len({body.language for body in bodies}) > 1:
            self.fields["language"].initial = ""
            self.fields["language"].choices = [  # type: ignore[attr-defined]
                ("", _("That of the body")),
                *settings.TEXT_LANGUAGES,
            ]
        self._keep(kind)

    def _keep(self, kind: ProposalType) -> None:
        """Leave only what the type asks for."""
        for name in ("deployment", "version"):
            if kind == ProposalType.AUTHORISE:
                self.fields[name].fit()  # type: ignore[attr-defined]
                words = {
                    "deployment": gettext("where it serves"),
                    "version": gettext("which weights"),
                }[name]
                missing = _("An authorisation says %(words)s: choose one.") % {"words": words}
                self.fields[name].error_messages["required"] = missing
            else:
                del self.fields[name]
        if kind != ProposalType.ELECTION:
            del self.fields["options"], self.fields["seats"]

    def clean(self) -> dict[str, Any]:
        """Let one be chosen where nothing else is said."""
        found: dict[str, Any] = super().clean() or {}
        if "seats" in self.fields:
            found["seats"] = found.get("seats") or 1
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
    label = metric_words(task, metric)
    return f"{task['title']}: {label}"


class CriterionForm(forms.Form):
    """What is asked of the model, before it is evaluated."""

    measure = forms.ChoiceField(label=_("What is measured"))
    comparison = forms.ChoiceField(choices=Comparison.choices, label=_("Asked"))
    threshold = forms.DecimalField(
        max_digits=10,
        decimal_places=6,
        widget=forms.NumberInput(attrs={"class": "input-short", "step": "any"}),
        help_text=(
            _(
                "Judged on the 95 % interval: it must lie wholly on the right "
                "side. For “not worse than” it is the margin, such as 0.02."
            )
        ),
    )
    beside = VersionField(
        required=False,
        label=_("Compared with"),
        help_text=(
            _(
                "For “not worse than” only. Both versions answer the same samples, and the "
                "interval of their difference is judged."
            )
        ),
    )
    must_pass = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Must pass"),
        help_text=_("If it is not met, the charter's higher threshold applies to the vote."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, wanted: str = "") -> None:
        super().__init__(data)
        found = list(suites_like(wanted)[: SUITES_OFFERED + 1])
        self.is_cut = len(found) > SUITES_OFFERED
        self.has_suites = bool(found)
        choices = metric_choices(found[:SUITES_OFFERED])
        self.fields["measure"].choices = choices  # type: ignore[attr-defined]
        self.fields["beside"].fit()  # type: ignore[attr-defined]

    @property
    def measured(self) -> tuple[int, str, str]:
        """The suite version's key, task and metric that were chosen."""
        version, task, metric = self.cleaned_data["measure"].split("|")
        return int(version), task, metric


class CommentForm(forms.Form):
    """A contribution to the discussion."""

    text = ProseField(
        label=_("Your comment"),
        max_length=5000,
        rows=4,
        help_text=_("Up to 5,000 characters of Markdown. It stands in public under your name."),
    )
    is_question = forms.BooleanField(
        required=False,
        label=_("It is a question to the proposer"),
        help_text=_("The text cannot become final before the proposer answers it."),
    )
    language = LanguageField()
    parent = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, may_ask: bool = False, language: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = language
        if not may_ask:
            del self.fields["is_question"]


class HideForm(forms.Form):
    """Why a comment is hidden."""

    reason = forms.CharField(
        label=_("Public reason"),
        max_length=400,
        help_text=_("It stands in the comment's place, for everybody to read."),
    )


class ReasonForm(forms.Form):
    """A public reason."""

    reason = ProseField(
        label=_("Public reason"),
        max_length=1000,
        rows=3,
        help_text=_("It stands at the top of the proposal's page, for everybody to read."),
    )


class OpenVoteForm(forms.Form):
    """When the vote opens and closes; without an opening it opens at once."""

    opens_at = forms.DateTimeField(
        label=_("Opens at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_(
            "In the body's time zone. Leave empty to open it now; else the clock opens it."
        ),
    )

    closes_at = forms.DateTimeField(
        label=_("Closes at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In the body's time zone. Leave empty for the charter's usual time."),
    )
