"""A file to put beside a text."""

from django import forms

from proposals.file_types import MAX_BYTES, TYPES


class AttachmentForm(forms.Form):
    """One file."""

    file = forms.FileField(
        max_length=255,
        label="File",
        help_text=f"Up to {MAX_BYTES // 1_000_000} MB: PDF, PNG, JPEG, OpenDocument, Office Open "
        "XML, plain text, Markdown, CSV or JSON. It stands in public with its digest.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(TYPES)}),
    )
