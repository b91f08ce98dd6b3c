"""Which incidents a list shows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from oversight.accounts.policy import can_read_restricted, is_person
from oversight.incidents.choices import Category, Severity, Status
from oversight.incidents.models import Incident
from oversight.incidents.queries import IncidentQuerySet
from oversight.registry.forms import DeploymentField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OPEN = "open"
MINE = "me"


class IncidentFilter(forms.Form):
    """Filters of the public list; what cannot be used narrows nothing."""

    status = forms.ChoiceField(
        required=False,
        label=_("State"),
        choices=[
            ("", _("All but rejected")),
            (OPEN, _("Open")),
            *[each for each in Status.choices if each[0] != Status.RECEIVED],
        ],
    )
    severity = forms.ChoiceField(required=False, choices=[("", _("Any")), *Severity.choices])
    category = forms.ChoiceField(
        required=False, label=_("What went wrong"), choices=[("", _("Anything")), *Category.choices]
    )
    deployment = DeploymentField(required=False, label=_("Use"), to_field_name="slug")

    handled = forms.ChoiceField(
        required=False,
        label=_("Handled by"),
        choices=[("", _("Anybody")), (MINE, pgettext_lazy("handled by", "You"))],
    )

    def __init__(self, *arguments: Any, user: object = None, **options: Any) -> None:
        """Take whose incidents `handled` narrows the list to; who handles none is not asked."""
        super().__init__(*arguments, **options)
        self.user = user
        if not handles_some(user):
            del self.fields["handled"]
        fit_to_rows(self, empty=gettext("Any"))


def handles_some(user: object) -> bool:
    """Say whether the user may handle incidents, or read what is private of them."""
    if can_read_restricted(user):
        return True
    return is_person(user) and user.memberships.in_term().clerks().exists()


def fit_to_rows(form: forms.Form, *, empty: "StrOrPromise" = "") -> None:
    """Let the form list the uses while they are few, and ask for one by name otherwise."""
    field = form.fields["deployment"]
    assert isinstance(field, DeploymentField)  # noqa: S101 - so in every form about incidents
    field.empty_label = empty or _("Choose one")
    field.fit()


def filtered(form: IncidentFilter) -> IncidentQuerySet:
    """Return what the list shows, newest first: what a clerk has looked at, and no rejected ones.

    A rejected report is shown where one asks for those: that it came and why it was rejected.
    """
    form.is_valid()  # what is wrong is left out of the cleaned data
    data = form.cleaned_data
    rows = Incident.objects.with_parts().exclude(status=Status.RECEIVED).newest_first()
    status = data.get("status")
    if status == OPEN:
        rows = rows.open()
    elif status:
        rows = rows.filter(status=status)
    else:
        rows = rows.exclude(status=Status.REJECTED)
    if data.get("severity"):
        rows = rows.filter(severity=data["severity"])
    if data.get("category"):
        rows = rows.published().filter(category=data["category"])
    if data.get("deployment"):
        rows = rows.about("deployment", [data["deployment"].pk])
    if data.get("handled"):
        rows = rows.handled_by(form.user)
    return rows
