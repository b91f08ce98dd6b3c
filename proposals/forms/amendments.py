"""Another wording of a proposal's text, and the answer to one."""

from django import forms
from django.utils.translation import gettext_lazy as _

from proposals.forms.texts import ProseField
from proposals.services.amendment_words import MAX_REASON
from proposals.services.amendments import MAX_ANSWER
from proposals.services.drafting import MAX_TEXT


class AmendmentForm(forms.Form):
    """The whole text as it should be, and why."""

    text = ProseField(
        max_length=MAX_TEXT,
        rows=18,
        strip=False,
        label=_("The text as it should be"),
        help_text=_("Change what you would have otherwise, and leave the rest as it is."),
    )
    reason = ProseField(
        max_length=MAX_REASON,
        rows=4,
        label=_("Reason"),
        help_text=_("Why it should be so. It stands in public under your name."),
    )
    base_number = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def base_on(self, number: int) -> None:
        """Keep what was typed, but as a change of another revision."""
        self.data = {**self.data.dict(), "base_number": str(number)}  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """Why an amendment is rejected."""

    reason = ProseField(
        label=_("Public reason"),
        max_length=MAX_ANSWER,
        rows=3,
        help_text=_("It stands beside the amendment, for everybody to read."),
    )
