"""What is said and done about a decision after it was made."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.web.written import LanguageField
from proposals.forms.texts import ProseField
from proposals.services import annulment, emergency, statements


class SuspensionForm(forms.Form):
    """Why an authorisation is suspended at once."""

    reason = ProseField(
        label=_("Public reason"),
        max_length=emergency.MAX_REASON,
        rows=4,
        help_text=_("What has happened, and why it cannot wait. It is public and stays so."),
    )


class RulingForm(forms.Form):
    """Who has annulled a decision, and what for."""

    authority = forms.CharField(
        max_length=annulment.MAX_AUTHORITY,
        help_text=_("Who ruled, with the ruling's number: Administrative Court, VB.2026.00123."),
    )
    reason = ProseField(
        label=_("Public reason"),
        max_length=annulment.MAX_REASON,
        rows=4,
        help_text=_("What the ruling says in short. It stands in red on the decision's page."),
    )


class StatementForm(forms.Form):
    """Reasons, an explanation of one's vote, or a dissent."""

    text = ProseField(
        max_length=statements.MAX_TEXT,
        rows=10,
        help_text=_("Markdown, up to 10,000 characters. It is public, under your name, and stays."),
    )
    language = LanguageField()
