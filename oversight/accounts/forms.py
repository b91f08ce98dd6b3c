"""Shape of the HTML input on the accounts floor."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import (
    URGENT,
    BodyRole,
    NoticeKind,
    OrganisationRole,
    Scope,
)
from oversight.accounts.models import DIGEST_HOUR, Body, Person
from oversight.web.written import LanguageField


class SignupForm(forms.Form):
    """What allauth's sign-up asks beside e-mail and password."""

    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=80,
        help_text=_("Shown beside what you write. It need not be your legal name."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Do nothing more: the account adapter has saved the name."""


class FirstAdministratorForm(forms.Form):
    """The very first account."""

    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("You sign in with it. It is shown to nobody."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters. Add a second factor afterwards, under your account."),
    )

    def clean_password(self) -> str:
        """Hold the password to the site's rules."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class ApiKeyForm(forms.Form):
    """A new key for a program."""

    name = forms.CharField(max_length=80, help_text=_("What will use it, so that you know later."))
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        # With the name by which the API's description asks for it.
        choices=[(each, format_lazy("{} ({})", each.label, each.value)) for each in Scope],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Reading what is public takes none of these."),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=3650,
        initial=365,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
    )


class BodyForm(forms.Form):
    """A new body."""

    name = forms.CharField(max_length=120)
    slug = forms.SlugField(
        label=_("Address name"),
        max_length=60,
        help_text=_("In the page's address, for instance city-council."),
    )
    summary = forms.CharField(
        max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=60,
        initial="Europe/Zurich",
        help_text=_("Where the body sits: its votes close by this clock."),
    )
    language = LanguageField(
        label=_("Working language"),
        initial=settings.LANGUAGE_CODE,
        help_text=_("Of its texts, where their writers do not say otherwise."),
    )


class BodyLanguageForm(forms.Form):
    """In which language a body works."""

    language = LanguageField(
        label=_("Working language"),
        help_text=_("Of its texts, where their writers do not say otherwise."),
    )


class OrganisationForm(forms.Form):
    """A new organisation."""

    name = forms.CharField(max_length=120)
    slug = forms.SlugField(
        label=_("Address name"),
        max_length=60,
        help_text=_("How the record names it, for instance statistics-office."),
    )
    website = forms.URLField(required=False, assume_scheme="https")


class AppointmentForm(forms.Form):
    """A seat in a body, for somebody who has an account."""

    email = forms.EmailField(
        label=_("E-mail of the person"), help_text=_("They need an account first.")
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            (BodyRole.MEMBER, _("Member: votes")),
            (BodyRole.CHAIR, _("Chair: votes, and can be asked to decide a tie")),
            (BodyRole.CLERK, _("Clerk: leads the votes, does not vote")),
        ],
        help_text=_(
            "A vote that ends in a tie goes to the chair where the charter says so: the chair then "
            "decides it alone, within a week. Under any other charter a chair votes like a member."
        ),
    )
    weight = forms.IntegerField(
        label=_("Weight of the vote"),
        min_value=1,
        max_value=1_000_000,
        initial=1,
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("1 unless votes are weighted. A clerk has none."),
    )
    ends_at = forms.DateField(
        label=_("Term ends on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "input-short"}),
        help_text=_("Leave empty for an open term."),
    )


class AffiliationForm(forms.Form):
    """The right to act for an organisation."""

    email = forms.EmailField(
        label=_("E-mail of the person"), help_text=_("They need an account first.")
    )
    role = forms.ChoiceField(choices=OrganisationRole.choices)


EVERYWHERE = "everywhere"
"""The field of kinds that come at once from every body; a body's own is named by its slug."""


class NoticeSettingsForm(forms.Form):
    """How a person is told: mail or none, its hour, and what does not wait for it."""

    gets_mail = forms.BooleanField(
        label=_("Send me mail"),
        required=False,
        help_text=_("Without it, notices stand in your list."),
    )
    language = forms.ChoiceField(
        label=_("In this language"),
        choices=settings.LANGUAGES,
        help_text=_("What others wrote stays in the language they wrote it in."),
    )
    digest_hour = forms.TypedChoiceField(
        label=_("The daily mail comes at"),
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)],
        coerce=int,
        help_text=_(
            "One mail a day with all that was not sent at once; none when there is nothing."
        ),
    )
    time_zone = forms.CharField(
        label=_("By the clock of"),
        max_length=60,
        required=False,
        help_text=_("A time zone such as Europe/Zurich. Empty: that of the body in which you sit."),
    )

    def __init__(self, person: Person, data: Any = None) -> None:
        """Offer the kinds for all bodies, and once more for each body in which the person sits."""
        row = getattr(person, "notice_settings", None)
        first = {
            "gets_mail": row.gets_mail if row else True,
            "digest_hour": row.digest_hour if row else DIGEST_HOUR,
            "time_zone": row.time_zone if row else "",
        }
        first["language"] = row.language if row else settings.LANGUAGE_CODE
        super().__init__(data, initial=first)
        wishes = [*person.immediate_kinds.select_related("body")]
        seats = Body.objects.filter(memberships__in=person.memberships.in_term())
        # A body one has left is still there as long as something is chosen of it.
        chosen = {wish.body for wish in wishes if wish.body}
        self.bodies = {body.slug: body for body in sorted({*seats, *chosen}, key=str)}
        choices = [
            (kind.value, _upper(str(kind.label))) for kind in NoticeKind if kind not in URGENT
        ]
        for name in (EVERYWHERE, *self.bodies):
            body = self.bodies.get(name)
            self.fields[_field(name)] = forms.MultipleChoiceField(
                label=gettext("At once from %(body)s") % {"body": body}
                if body
                else gettext("At once from every body"),
                choices=choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
            of_it = [wish.kind for wish in wishes if wish.body == body]
            self.initial[_field(name)] = of_it

    @property
    def times(self) -> list[forms.BoundField]:
        """The fields that say whether and when mail comes."""
        return [self[name] for name in ("gets_mail", "language", "digest_hour", "time_zone")]

    @property
    def kinds(self) -> list[forms.BoundField]:
        """The fields that say what does not wait: of every body, then of each."""
        return [self[_field(name)] for name in (EVERYWHERE, *self.bodies)]

    @property
    def chosen(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        return {
            "gets_mail": data["gets_mail"],
            "language": data["language"],
            "digest_hour": data["digest_hour"],
            "time_zone": data["time_zone"],
            "at_once": [
                (NoticeKind(kind), self.bodies.get(name))
                for name in (EVERYWHERE, *self.bodies)
                for kind in data[_field(name)]
            ],
        }


def _field(name: str) -> str:
    return f"at_once_{name}"


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
