"""Shape of the HTML input on the evaluation floor."""

from typing import Any

from django import forms

from evals.services.runs import DTYPES
from oversight.registry.forms import VersionField


class RunForm(forms.Form):
    """A run to start."""

    version = VersionField()
    limit = forms.IntegerField(
        label="Only the first items",
        required=False,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        min_value=1,
        max_value=1_000_000,
        help_text="Only the first items of each task. Such a run is no evidence for criteria.",
    )
    dtype = forms.ChoiceField(choices=[(d, d) for d in DTYPES], label="Number format")
    batch_size = forms.IntegerField(
        label="Batch size",
        min_value=1,
        max_value=1024,
        initial=16,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text="How many requests the worker gives the model at a time.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].fit()  # type: ignore[attr-defined]

    def run_settings(self) -> dict[str, Any]:
        """Return what was chosen as a run's settings."""
        return {key: self.cleaned_data[key] for key in ("limit", "dtype", "batch_size")}
