"""Shape of the HTML input for webhooks."""

from django import forms

from oversight.accounts.models import Body
from oversight.webhooks.choices import USUAL
from oversight.webhooks.models import URL_CHARACTERS


class SubscriptionForm(forms.Form):
    """A new subscription."""

    url = forms.CharField(
        label="Address",
        max_length=URL_CHARACTERS,
        help_text="Where to send it, with https://. It is asked first whether it wants this.",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label="What it is for", max_length=80, required=False, help_text="For you alone."
    )
    types = forms.MultipleChoiceField(
        label="What it is sent",
        choices=USUAL,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Everything that comes onto the record, if you choose none.",
    )
    body = forms.ModelChoiceField(
        Body.objects.all(),
        to_field_name="slug",
        required=False,
        empty_label="every body, and what belongs to none",
        help_text="Only the acts of one body.",
    )
    subject = forms.CharField(
        label="Only about",
        max_length=201,
        required=False,
        help_text="One thing as the record names it, for instance proposal:2026-001.",
    )
