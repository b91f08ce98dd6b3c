"""Shape of the HTML input about minutes."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class PeriodForm(forms.Form):
    """Which days new minutes are about."""

    starts_on = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date", "class": "input-short"})
    )
    ends_on = forms.DateField(
        label=_("To and with"),
        widget=forms.DateInput(attrs={"type": "date", "class": "input-short"}),
        help_text=_("The days as the body's own time zone has them."),
    )


class MinutesForm(forms.Form):
    """The text of minutes."""

    text = forms.CharField(
        label=_("Text"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "true"}),
        help_text=_("Markdown. <code>member:…</code> is shown as the member's name."),
    )


def last_month(today: date) -> dict[str, Any]:
    """Return the month before today's as the form's first offer."""
    end = today.replace(day=1) - timedelta(days=1)
    return {"starts_on": end.replace(day=1), "ends_on": end}
