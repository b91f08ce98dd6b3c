"""Shape of the HTML input on the deciding floor."""

from collections.abc import Mapping
from typing import Any

from django import forms

from evals.choices import Comparison
from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.registry.models import Deployment, ModelVersion
from proposals.choices import Choice, ProposalType


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
    deployment = forms.ModelChoiceField(
        Deployment.objects.all(),
        required=False,
        empty_label="Choose one",
        help_text="For an authorisation: where it would serve.",
    )
    version = forms.ModelChoiceField(
        ModelVersion.objects.select_related("model").newest_first(),
        required=False,
        empty_label="Choose one",
        label="Model version",
        help_text="For an authorisation: exactly these weights.",
    )
    body = forms.ModelChoiceField(
        Body.objects.all(), label="Body that decides", empty_label="Choose one"
    )
    field_order = ["body", "type", "deployment", "version", "title", "summary", "text"]

    def __init__(self, *args: object, bodies: list[Body], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        ids = [body.pk for body in bodies]
        self.fields["body"].queryset = Body.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        if len(bodies) == 1:
            self.fields["body"].initial = bodies[0]


def metric_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every metric of every suite's newest version, as value and words, suite by suite."""
    versions = SuiteVersion.objects.select_related("suite")
    newest = versions.order_by("suite_id", "-number").distinct("suite_id")
    return [
        (
            str(version),
            [
                (f"{version.pk}|{task['name']}|{metric}", _measure(task, metric))
                for task in version.tasks
                for metric in task["metrics"]
            ],
        )
        for version in newest
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

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["measure"].choices = metric_choices()  # type: ignore[attr-defined]

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
