"""allauth's hooks: where we differ from its defaults."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from oversight.accounts.models import Person


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Keeps the chosen display name and lower-cases the e-mail at sign-up."""

    def save_user(
        self, request: HttpRequest, user: Person, form: Any, commit: bool = True
    ) -> Person:
        """Save the person with the name they want to be seen under."""
        person: Person = super().save_user(request, user, form, commit=False)
        person.email = person.email.lower()
        person.display_name = form.cleaned_data.get("display_name", "").strip()
        if commit:
            person.save()
        return person
