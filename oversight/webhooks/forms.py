"""Shape of the HTML input for webhooks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.accounts.models import Body
from oversight.webhooks.choices import USUAL
from oversight.webhooks.models import URL_CHARACTERS


class SubscriptionForm(forms.Form):
    """A new subscription."""

    url = forms.CharField(
        label=_("Address"),
        max_length=URL_CHARACTERS,
        help_text=_("Where to send it, with https://. It is asked first whether it wants this."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("What it is for"), max_length=80, required=False, help_text=_("For you alone.")
    )
    types = forms.MultipleChoiceField(
        label=_("What it is sent"),
        choices=USUAL,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Everything that comes onto the record, if you choose none."),
    )
    body = forms.ModelChoiceField(
        Body.objects.all(),
        to_field_name="slug",
        required=False,
        empty_label=_("every body, and what belongs to none"),
        help_text=_("Only the acts of one body."),
    )
    subject = forms.CharField(
        label=_("Only about"),
        max_length=201,
        required=False,
        help_text=_("One thing as the record names it, for instance proposal:2026-001."),
    )
