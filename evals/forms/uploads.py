"""A file of rows for one task, and which of its columns is what."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.suites.authoring import FORMS, MARKINGS
from evals.suites.document import FILE_LIMIT_BYTES
from oversight.web.figures import grouped


class UploadForm(forms.Form):
    """A file of rows for one task."""

    task = forms.RegexField(
        r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$",
        max_length=60,
        label=_("Name of the task"),
        help_text=_("Lower-case letters, digits and hyphens, such as facts."),
        error_messages={"invalid": _("Use lower-case letters, digits and hyphens, such as facts.")},
    )
    file = forms.FileField(
        label=_("File of rows"),
        help_text=_("JSON Lines, CSV or Parquet: at most 64 MiB and 200,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.csv,.parquet"}),
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > FILE_LIMIT_BYTES:
            raise forms.ValidationError(
                gettext("It has %(size)s bytes; keep it to %(value)s MiB.")
                % {
                    "size": grouped(file.size),
                    "value": FILE_LIMIT_BYTES // 1048576,
                }
            )
        return file


class ShapeForm(forms.Form):
    """Which column of an upload is what."""

    form = forms.ChoiceField(
        choices=list(FORMS.items()), widget=forms.RadioSelect, label=_("How it is asked")
    )
    prompt = forms.ChoiceField(label=_("Column of the question or prompt"), required=False)
    choices = forms.MultipleChoiceField(
        label=_("Columns of the choices"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "One column that holds a list, or one column for each choice. None to generate."
        ),
    )
    answer = forms.ChoiceField(label=_("Column of the right answer"), required=False)
    marking = forms.ChoiceField(
        choices=list(MARKINGS.items()),
        required=False,
        label=_("The answer names a choice by"),
        help_text=_("For multiple choice only."),
    )
    id = forms.ChoiceField(label=_("Column of the row's id"), required=False)
    group = forms.ChoiceField(label=_("Column of groups"), required=False)
    clustered = forms.BooleanField(
        required=False,
        label=_("The rows of a group belong together"),
        help_text=(
            _(
                "Such as questions about one passage: each group counts as one in every interval. "
                "Otherwise groups are reported apart."
            )
        ),
    )

    def __init__(self, *args: Any, columns: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(name, f"{name} ({kind})") for name, kind in columns.items()]
        for key in ("prompt", "answer", "id", "group"):
            self.fields[key].choices = [("", gettext("none")), *named]  # type: ignore[attr-defined]
        self.fields["choices"].choices = named  # type: ignore[attr-defined]

    def clean_clustered(self) -> bool:
        """Refuse to keep groups together that there are none of."""
        together = bool(self.cleaned_data["clustered"])
        if together and not self.cleaned_data.get("group"):
            raise forms.ValidationError(
                gettext("Choose the column that says which rows belong together.")
            )
        return together

    def chosen(self) -> dict[str, Any]:
        """Return which column is what."""
        names = ("prompt", "choices", "answer", "marking", "id", "group", "clustered")
        return {name: self.cleaned_data[name] for name in names}
