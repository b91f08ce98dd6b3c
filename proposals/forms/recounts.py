"""A file of ballots to be counted."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.web.languages import filled
from proposals.recounts import MAX_BYTES, NAMES, SEED_CHARACTERS
from proposals.tally.election import MAX_SEATS


class RecountForm(forms.Form):
    """Ballots as BLT, in a file or pasted, and how to count them."""

    method = forms.ChoiceField(label=_("Method"), choices=list(NAMES.items()))
    file = forms.FileField(
        label=_("File of ballots (BLT)"),
        required=False,
        max_length=255,
        allow_empty_file=True,
        help_text=filled(
            _("Up to %(value)s MB. It is counted and forgotten."), value=MAX_BYTES // 1_000_000
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".blt,.txt,text/plain"}),
    )
    text = forms.CharField(
        label=_("Or the ballots, pasted"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
    )
    seats = forms.IntegerField(
        label=_("Seats"),
        required=False,
        min_value=1,
        max_value=MAX_SEATS,
        help_text=_("If it is another number than the file says."),
    )
    lot_seed = forms.CharField(
        label=_("Seed of the lot"),
        required=False,
        max_length=SEED_CHARACTERS,
        help_text=_("If ties fell to a lot: the seed that was revealed."),
    )

    @property
    def field(self) -> str:
        """Where the ballots are: in the file, or in the text."""
        return "file" if self.cleaned_data["file"] else "text"

    @property
    def ballots(self) -> bytes | str:
        """What is to be counted, or as much of it as shows that it is too long."""
        file = self.cleaned_data["file"]
        content: bytes | str = file.read(MAX_BYTES + 1) if file else self.cleaned_data["text"]
        return content

    def clean(self) -> dict[str, Any]:
        """Ask for ballots in one of the two places, not in both."""
        data = super().clean() or {}
        file, text = data.get("file"), data.get("text", "").strip()
        if bool(file) == bool(text) and "file" not in self.errors:
            both = _("Send the ballots as a file or as text, not both.")
            self.add_error(
                "file", both if text else gettext("Choose a file, or paste the ballots below.")
            )
        return data
