"""Conflicts of interest and delegations."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.accounts.models import Membership
from proposals.forms.texts import ProseField


class ConflictForm(forms.Form):
    """What the conflict of interest is."""

    reason = ProseField(
        label=_("What the conflict is"),
        max_length=1000,
        rows=4,
        help_text=_("For everybody to read: an office, a contract, a relative, a share."),
    )


class SeatField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A member, by the name they show."""

    def label_from_instance(self, obj: Membership) -> str:
        """Return the member's name."""
        return str(obj.person)


class DelegationForm(forms.Form):
    """To whom one's vote goes."""

    to = SeatField(
        Membership.objects.none(), label=_("Delegate my vote to"), empty_label=_("Choose a member")
    )

    def __init__(self, data: Any, *, seat: Membership) -> None:
        super().__init__(data)
        others = Membership.objects.in_term().voting().filter(body=seat.body).exclude(pk=seat.pk)
        members = others.select_related("person").order_by("person__display_name", "pk")
        self.fields["to"].queryset = members  # type: ignore[attr-defined]
