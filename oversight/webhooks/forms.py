"""Shape of the HTML input for webhooks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Body, Organisation, Person
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
        label=_("What it is for"),
        max_length=80,
        required=False,
        help_text=_("For those who manage it."),
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
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=_("Whose it is"),
        to_field_name="slug",
        required=False,
        empty_label=_("your own"),
        help_text=_("All operators of an organisation manage its webhooks."),
    )
    subject = forms.CharField(
        label=_("Only about"),
        max_length=201,
        required=False,
        help_text=_("One thing as the record names it, for instance proposal:2026-001."),
    )

    def __init__(self, person: Person, data: Any = None) -> None:
        """Offer the organisations that the person operates for; where there are none, nothing."""
        super().__init__(data)
        operated = person.affiliations.in_term().filter(role=OrganisationRole.OPERATOR)
        offered = Organisation.objects.filter(pk__in=operated.values("organisation"))
        if offered.exists():
            whose: Any = self.fields["organisation"]
            whose.queryset = offered
        else:
            del self.fields["organisation"]
