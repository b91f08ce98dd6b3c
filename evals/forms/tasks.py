"""How one task is worded, asked and judged."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from evals.forms.suites import CATEGORY_WORDS
from evals.metric_words import metric_choices

VISIBILITY_WORDS = {
    "public": _("public: everybody reads the items"),
    "restricted": _("restricted: auditors read the items, scores are public"),
    "sealed": _("sealed: nobody reads the items; their digest is public"),
}


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
