"""How the endpoints of a version are checked."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from evals.models import Suite
from oversight.registry.forms import RowField


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
