"""A file to put beside a text."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.web.languages import filled
from proposals.file_types import MAX_BYTES, TYPES


class AttachmentForm(forms.Form):
    """One file."""

    file = forms.FileField(
        max_length=255,
        label=_("File"),
        help_text=filled(
            _(
                "Up to %(value)s MB: PDF, PNG, JPEG, OpenDocument, Office Open XML, plain "
                "text, Markdown, CSV or JSON. It stands in public with its digest."
            ),
            value=MAX_BYTES // 1_000_000,
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(TYPES)}),
    )
