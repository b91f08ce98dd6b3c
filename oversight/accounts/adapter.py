"""allauth's hooks: where we differ from its defaults."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from oversight.accounts.models import Person
from oversight.accounts.notices import begin_in_language


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Keeps the display name, lower-cases the e-mail, and notes the first page's language."""

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

    def post_login(self, request: HttpRequest, user: Person, **options: Any) -> HttpResponse:
        """Have notices written in the language of this page, where none was chosen."""
        language = get_language() or settings.LANGUAGE_CODE
        if language in dict(settings.LANGUAGES):
            begin_in_language(person=user, language=language)
        answer: HttpResponse = super().post_login(request, user, **options)
        return answer
