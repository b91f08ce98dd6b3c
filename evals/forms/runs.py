"""A run to start."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from evals.services.runs import DTYPES
from oversight.registry.forms import VersionField


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
    fresh = forms.BooleanField(
        label=_("Compute every answer anew"),
        required=False,
        help_text=_(
            "Otherwise a worker recalls what it answered before under the same weights and "
            "settings; the run's page then says so."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].fit()  # type: ignore[attr-defined]

    def run_settings(self) -> dict[str, Any]:
        """Return what was chosen as a run's settings."""
        return {key: self.cleaned_data[key] for key in ("limit", "dtype", "batch_size", "fresh")}
