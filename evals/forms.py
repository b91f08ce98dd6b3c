"""Shape of the HTML input on the evaluation floor."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.models import Suite
from evals.services.runs import DTYPES
from evals.suites.authoring import FORMS, MARKINGS
from evals.suites.document import FILE_LIMIT_BYTES
from evals.suites.metric_words import metric_choices
from oversight.registry.forms import RowField, VersionField
from oversight.web.figures import grouped

CATEGORY_WORDS = {
    "capability": _("capability"),
    "bias": _("bias"),
    "safety": _("safety hazards"),
    "truthfulness": _("truthfulness"),
    "over-refusal": _("over-refusal"),
    "language": _("language coverage"),
}
VISIBILITY_WORDS = {
    "public": _("public: everybody reads the items"),
    "restricted": _("restricted: auditors read the items, scores are public"),
    "sealed": _("sealed: nobody reads the items; their digest is public"),
}


class RunForm(forms.Form):
    """A run to start."""

    version = VersionField()
    limit = forms.IntegerField(
        label=_("Only the first items"),
        required=False,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        min_value=1,
        max_value=1_000_000,
        help_text=_("Only the first items of each task. Such a run is no evidence for criteria."),
    )
    dtype = forms.ChoiceField(choices=[(d, d) for d in DTYPES], label=_("Number format"))
    batch_size = forms.IntegerField(
        label=_("Batch size"),
        min_value=1,
        max_value=1024,
        initial=16,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("How many requests the worker gives the model at a time."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].fit()  # type: ignore[attr-defined]

    def run_settings(self) -> dict[str, Any]:
        """Return what was chosen as a run's settings."""
        return {key: self.cleaned_data[key] for key in ("limit", "dtype", "batch_size")}


class SuiteField(RowField):
    """A suite, named by its address name; its newest version is meant."""

    words_help = _("Type its address name; the page “Findings” lists them all.")

    def like(self, word: str) -> QuerySet[Suite]:
        """Return suites that the word may have meant."""
        return self.rows.filter(Q(slug__icontains=word) | Q(title__icontains=word))


class CheckForm(forms.Form):
    """How the endpoints of a version are checked."""

    suite = SuiteField(
        Suite.objects.none(),
        empty_label=_("Choose one"),
        help_text=_("Short written answers, asked greedily, tell most."),
    )
    items = forms.IntegerField(
        label=_("Items of each task"),
        initial=50,
        min_value=5,
        max_value=500,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("More items decide more, and cost the operators more."),
    )
    every_hours = forms.IntegerField(
        label=_("Hours between rounds"),
        initial=24,
        min_value=1,
        max_value=720,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )
    agreement = forms.DecimalField(
        label=_("Share of answers that have to be alike"),
        initial="0.90",
        min_value=Decimal("0.5"),
        max_value=1,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "input-short", "step": "0.01"}),
        help_text=_("Lower where engines or number formats differ."),
    )
    with_weights = forms.BooleanField(
        label=_("A worker answers with the registered weights, too"),
        required=False,
        help_text=_("Then it is clear who answers otherwise."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["suite"]
        field.queryset = Suite.objects.filter(versions__isnull=False).distinct()  # type: ignore[attr-defined]
        field.fit()  # type: ignore[attr-defined]

    def plan(self) -> dict[str, Any]:
        """Return what was chosen as the service takes it."""
        chosen = dict(self.cleaned_data)
        return {"suite_version": chosen.pop("suite").current, **chosen}


class SuiteForm(forms.Form):
    """What is said of a suite as a whole."""

    title = forms.CharField(max_length=160, help_text=_("As it stands in lists of suites."))
    slug = forms.SlugField(
        max_length=50,
        label=_("Address name"),
        help_text=_(
            "Lower-case letters, digits and single hyphens, such as public-service. "
            "The name of a published suite makes a new version of it."
        ),
    )
    summary = forms.CharField(
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it measures, in a sentence or two, for somebody who decides by it."),
    )
    licence = forms.CharField(
        max_length=100,
        help_text=_("An SPDX identifier such as CC-BY-4.0, or how the texts may be used."),
    )
    source = forms.CharField(
        max_length=500, help_text=_("Who wrote the rows, where and when, and where they are kept.")
    )


class UploadForm(forms.Form):
    """A file of rows for one task."""

    task = forms.RegexField(
        r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$",
        max_length=60,
        label=_("Name of the task"),
        help_text=_("Lower-case letters, digits and hyphens, such as facts."),
        error_messages={"invalid": _("Use lower-case letters, digits and hyphens, such as facts.")},
    )
    file = forms.FileField(
        label=_("File of rows"),
        help_text=_("JSON Lines, CSV or Parquet: at most 64 MiB and 200,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.csv,.parquet"}),
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > FILE_LIMIT_BYTES:
            raise forms.ValidationError(
                gettext("It has %(size)s bytes; keep it to %(value)s MiB.")
                % {
                    "size": grouped(file.size),
                    "value": FILE_LIMIT_BYTES // 1048576,
                }
            )
        return file


class StockForm(forms.Form):
    """A task that the harness brings along."""

    stock = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$",
        max_length=100,
        label=_("Name in lm-eval"),
        help_text=_("A task or group of lm-eval, such as arc_easy. It fetches its own data."),
        error_messages={"invalid": _("Write the name as lm-eval has it, such as arc_easy.")},
    )
    title = forms.CharField(max_length=200)
    description = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))
    category = forms.ChoiceField(choices=list(CATEGORY_WORDS.items()))
    metric = forms.RegexField(r"^[a-z][a-z0-9_@]*$", max_length=60, initial="acc")
    metric_label = forms.CharField(max_length=100, initial="accuracy", label=_("Metric in words"))


class ZipForm(forms.Form):
    """A suite from another installation."""

    zip = forms.FileField(
        label=_("Suite as a zip"),
        help_text=_("The lm-eval.zip of a suite's page. It becomes a draft to look at first."),
        widget=forms.FileInput(attrs={"accept": ".zip"}),
    )


class ShapeForm(forms.Form):
    """Which column of an upload is what."""

    form = forms.ChoiceField(
        choices=list(FORMS.items()), widget=forms.RadioSelect, label=_("How it is asked")
    )
    prompt = forms.ChoiceField(label=_("Column of the question or prompt"), required=False)
    choices = forms.MultipleChoiceField(
        label=_("Columns of the choices"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "One column that holds a list, or one column for each choice. None to generate."
        ),
    )
    answer = forms.ChoiceField(label=_("Column of the right answer"), required=False)
    marking = forms.ChoiceField(
        choices=list(MARKINGS.items()),
        required=False,
        label=_("The answer names a choice by"),
        help_text=_("For multiple choice only."),
    )
    id = forms.ChoiceField(label=_("Column of the row's id"), required=False)
    group = forms.ChoiceField(label=_("Column of groups"), required=False)
    clustered = forms.BooleanField(
        required=False,
        label=_("The rows of a group belong together"),
        help_text=(
            _(
                "Such as questions about one passage: each group counts as one in every interval. "
                "Otherwise groups are reported apart."
            )
        ),
    )

    def __init__(self, *args: Any, columns: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(name, f"{name} ({kind})") for name, kind in columns.items()]
        for key in ("prompt", "answer", "id", "group"):
            self.fields[key].choices = [("", "none"), *named]  # type: ignore[attr-defined]
        self.fields["choices"].choices = named  # type: ignore[attr-defined]

    def clean_clustered(self) -> bool:
        """Refuse to keep groups together that there are none of."""
        together = bool(self.cleaned_data["clustered"])
        if together and not self.cleaned_data.get("group"):
            raise forms.ValidationError(
                gettext("Choose the column that says which rows belong together.")
            )
        return together

    def chosen(self) -> dict[str, Any]:
        """Return which column is what."""
        names = ("prompt", "choices", "answer", "marking", "id", "group", "clustered")
        return {name: self.cleaned_data[name] for name in names}


class _Lines(forms.CharField):
    """Text that is kept exactly, but for the line ends that browsers send."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(
            strip=False,
            required=kwargs.pop("required", False),
            widget=forms.Textarea(attrs={"rows": rows, "class": "template", "spellcheck": "false"}),
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class TaskForm(forms.Form):
    """How one task is worded, asked and judged."""

    field_order = ("sample", "title", "description", "prompt", "choices", "target")

    title = forms.CharField(max_length=200)
    description = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))
    category = forms.ChoiceField(choices=list(CATEGORY_WORDS.items()))
    visibility = forms.ChoiceField(choices=list(VISIBILITY_WORDS.items()))
    sensitive = forms.BooleanField(
        required=False, label=_("Texts may hurt: show them only after the reader's click")
    )
    instruction = _Lines(
        rows=2,
        label=_("Before everything"),
        max_length=8_000,
        help_text=_("Said once, at the start."),
    )
    prompt = _Lines(
        rows=5,
        max_length=8_000,
        help_text=_("A template: {{column}} stands for a column of the row, as it is."),
    )
    choices = _Lines(
        required=True,
        rows=2,
        max_length=8_000,
        help_text=_("The column that holds the list, a template, or one fixed choice a line."),
    )
    target = _Lines(
        required=True,
        rows=2,
        max_length=8_000,
        help_text=_(
            "The column or template of the right answer: a choice's place from 0, or text."
        ),
    )
    delimiter = forms.CharField(
        strip=False,
        required=False,
        max_length=20,
        label=_("Between prompt and answer"),
        help_text=_("One space, unless you know better."),
        widget=forms.TextInput(attrs={"class": "input-short template"}),
    )
    stops = _Lines(
        rows=2, label=_("Stop at"), help_text=_("One text a line; \\n stands for a line end.")
    )
    max_gen_toks = forms.IntegerField(
        label=_("Longest reply, in tokens"),
        min_value=1,
        max_value=2_048,
        required=False,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )
    ignore_case = forms.BooleanField(required=False, label=_("Capitals do not matter to the match"))
    ignore_punctuation = forms.BooleanField(
        required=False, label=_("Punctuation does not matter to the match")
    )
    metric = forms.ChoiceField(label=_("Metric that judges"))
    metric_label = forms.CharField(max_length=100, label=_("Metric in words"))
    direction = forms.ChoiceField(
        choices=[("higher", _("higher is better")), ("lower", _("lower is better"))],
        label=_("Direction"),
    )
    neutral = forms.RegexField(
        r"^(?:[01]\.[0-9]{1,6}|[01])$",
        required=False,
        label=_("Even-handed value"),
        help_text=_("Where a fair model is neither at 0 nor at 1, such as 0.5."),
        widget=forms.TextInput(attrs={"class": "input-short"}),
    )
    num_fewshot = forms.IntegerField(
        label=_("Worked examples before each question"),
        min_value=0,
        max_value=32,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**32 - 1,
        help_text=_("Draws the worked examples."),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )
    apply_chat_template = forms.BooleanField(
        required=False, label=_("Ask through the model's chat template")
    )
    sample = forms.IntegerField(
        label=_("Row to preview"),
        min_value=1,
        required=False,
        initial=1,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )

    def __init__(self, data: Any = None, *, task: Mapping[str, Any]) -> None:
        super().__init__(data, initial=_initial(task))
        self.task = task
        self.fields["metric"].choices = metric_choices(task["metrics"])  # type: ignore[attr-defined]
        kind = task["config"]["output_type"]
        for name in _FIELDS_NOT_OF[kind]:
            del self.fields[name]
        if kind == "generate_until":
            self.fields["max_gen_toks"].required = True

    def changed_task(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Return the task's entry with what the form says."""
        data = self.cleaned_data
        plain = ("title", "description", "category", "visibility", "sensitive", "metric")
        more = ("metric_label", "num_fewshot", "seed", "apply_chat_template")
        changed = {**task, **{key: data[key] for key in (*plain, *more)}}
        changed["higher_is_better"] = data["direction"] == "higher"
        changed.pop("neutral", None)
        if data["neutral"]:
            changed["neutral"] = data["neutral"]
        changed["config"] = self._config(task["config"], changed["higher_is_better"])
        return changed

    def _config(self, before: Mapping[str, Any], higher: bool) -> dict[str, Any]:
        data = self.cleaned_data
        config = {**before, "doc_to_text": data["prompt"], "doc_to_target": _number(data["target"])}
        for key, value in (("description", data["instruction"]), ("target_delimiter", None)):
            config.pop(key, None)
            if value:
                config[key] = value
        if data["delimiter"] != " ":
            config["target_delimiter"] = data["delimiter"]
        if "choices" in data:
            config["doc_to_choice"] = _listed(data["choices"])
        if "stops" in data:
            stops = [line.replace("\\n", "\n") for line in data["stops"].split("\n") if line]
            config["generation_kwargs"] = {
                **before["generation_kwargs"],
                "until": stops,
                "max_gen_toks": data["max_gen_toks"],
            }
        config["metric_list"] = [
            self._metric({**each, "higher_is_better": higher}) for each in before["metric_list"]
        ]
        return config

    def _metric(self, entry: dict[str, Any]) -> dict[str, Any]:
        for key in ("ignore_case", "ignore_punctuation"):
            if key in self.cleaned_data:
                entry.pop(key, None)
                if self.cleaned_data[key]:
                    entry[key] = True
        return entry


_FIELDS_NOT_OF = {
    "multiple_choice": ("stops", "max_gen_toks", "ignore_case", "ignore_punctuation"),
    "loglikelihood": ("stops", "max_gen_toks", "ignore_case", "ignore_punctuation", "choices"),
    "generate_until": ("choices",),
}


def _initial(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's entry as the form shows it."""
    config = task["config"]
    choices = config.get("doc_to_choice", "")
    generation = config.get("generation_kwargs", {})
    metric = config["metric_list"][0]
    stops = "\n".join(stop.replace("\n", "\\n") for stop in generation.get("until", []))
    return {
        **task,
        "instruction": config.get("description", ""),
        "prompt": config["doc_to_text"],
        "choices": "\n".join(choices) if isinstance(choices, list) else choices,
        "target": str(config["doc_to_target"]),
        "delimiter": config.get("target_delimiter", " "),
        "stops": stops,
        "max_gen_toks": generation.get("max_gen_toks"),
        "ignore_case": metric.get("ignore_case", False),
        "ignore_punctuation": metric.get("ignore_punctuation", False),
        "direction": "higher" if task["higher_is_better"] else "lower",
        "sample": 1,
    }


def _number(target: str) -> str | int:
    return int(target) if target.isascii() and target.isdigit() and len(target) < 4 else target


def _listed(choices: str) -> str | list[str]:
    lines = [line for line in choices.split("\n") if line.strip()]
    is_template = "{{" in choices or "{%" in choices
    return choices if is_template or len(lines) < 2 else lines
