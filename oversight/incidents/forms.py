"""Shape of the HTML input about incidents."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.incidents import files, form_token
from oversight.incidents.choices import Category, Harm, Relation, Severity, Status
from oversight.incidents.filters import fit_to_rows
from oversight.incidents.services import handling, reporting
from oversight.registry.forms import DeploymentField
from oversight.web.languages import filled
from oversight.web.written import LanguageField
from proposals.file_types import FileError
from proposals.forms.texts import ProseField
from proposals.services import emergency


class ManyFilesInput(forms.ClearableFileInput):
    """A field for several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, or none."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=_("Files"),
            widget=ManyFilesInput(attrs={"accept": files.ACCEPT}),
            help_text=filled(
                _(
                    "Up to %(most_at_once)s, %(value)s MB each: %(taken)s. Only those who handle "
                    "the report see them."
                ),
                most_at_once=files.MOST_AT_ONCE,
                value=files.MAX_BYTES // 1_000_000,
                taken=files.TAKEN,
            ),
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the files as a list.

        What is refused is said at once, whatever else is wrong; the service looks into them itself.
        """
        given = data if isinstance(data, list | tuple) else [data]
        sent = [super(FilesField, self).clean(each, initial) for each in given if each]
        try:
            files.checked(read(sent))
        except FileError as error:
            raise forms.ValidationError(str(error)) from None
        for each in sent:
            each.seek(0)
        return sent


def read(sent: Sequence["UploadedFile[bytes]"]) -> list[tuple[str, bytes]]:
    """Return names and contents; a file is read no further than it takes to see it is too large."""
    return [(file.name or "", file.read(files.MAX_BYTES + 1)) for file in sent]


class ReportForm(forms.Form):
    """A report of somebody who need not say who they are."""

    text = ProseField(
        label=_("What happened?"),
        max_length=reporting.MAX_TEXT,
        rows=10,
        help_text=_(
            "What it did, when, and what came of it. Copy the answer if you can. Names and "
            "numbers of people are safe here: none of this is published as it stands."
        ),
    )
    category = forms.ChoiceField(
        choices=[("", _("Choose one")), *Category.choices], label=_("Of what kind was it?")
    )
    deployment = DeploymentField(
        required=False, label=_("Where?"), help_text=_("The use it was about, if you know.")
    )
    occurred_on = forms.DateField(
        required=False,
        label=_("On which day?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The first day that you know of."),
    )
    relation = forms.ChoiceField(
        required=False,
        choices=[("", _("I do not say")), *Relation.choices],
        label=_("How are you concerned?"),
    )
    attachments = FilesField()
    email = forms.EmailField(
        required=False,
        label=_("E-mail"),
        max_length=reporting.MAX_EMAIL,
        help_text=_(
            "Only for questions of those who handle the report. It is never published, and "
            "erased when you ask. Without it, your secret link is the way back."
        ),
    )
    website = forms.CharField(
        required=False,
        label=_("Leave this empty"),
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    form = forms.CharField(widget=forms.HiddenInput, max_length=300, label=_("Form"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        fit_to_rows(self)
        self.fields["form"].initial = form_token.new_token

    def clean_website(self) -> str:
        """Refuse who fills in what people do not see."""
        if self.cleaned_data["website"]:
            raise forms.ValidationError(
                gettext("Leave this field empty: it tells programs from people.")
            )
        return ""


class AdditionForm(forms.Form):
    """What a reporter adds."""

    text = ProseField(label=_("What do you add?"), max_length=reporting.MAX_TEXT, rows=6)
    attachments = FilesField()


class JudgementForm(forms.Form):
    """How grave it is and what went wrong."""

    severity = forms.ChoiceField(choices=Severity.choices, widget=forms.RadioSelect)
    category = forms.ChoiceField(choices=Category.choices, label=_("What went wrong"))
    harm = forms.ChoiceField(choices=Harm.choices, label=_("Kind of harm, done or possible"))


class TextForm(forms.Form):
    """The public text."""

    title = forms.CharField(max_length=handling.MAX_TITLE, label=_("Public title"))
    text = ProseField(
        label=_("Public text"),
        max_length=handling.MAX_TEXT,
        rows=8,
        help_text=_(
            "For everybody: what happened, without names, addresses or anything else that "
            "leads to a person. The reporter's own words stay private."
        ),
    )
    language = LanguageField()


class TriageForm(TextForm, JudgementForm):
    """Both, and the use it is about."""

    deployment = DeploymentField(required=False, label=_("The use it is about"))
    field_order = ("severity", "category", "harm", "deployment", "title", "text", "language")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        fit_to_rows(self)


class MoveForm(forms.Form):
    """Where it goes next."""

    to = forms.ChoiceField(label=_("It becomes"))
    reason = ProseField(
        required=False,
        max_length=handling.MAX_REASON,
        rows=3,
        label=_("Public reason"),
        help_text=_("Needed to close or reject it: what was found, what was done."),
    )

    def __init__(self, *arguments: Any, open_to: Sequence[Status], **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(each.value, each.label) for each in open_to]


class NoteForm(forms.Form):
    """A line of the public timeline."""

    text = ProseField(label=_("Public note"), max_length=handling.MAX_NOTE, rows=3)


class AnswerForm(forms.Form):
    """What the body writes to the reporter."""

    text = ProseField(
        label=_("To the reporter"),
        max_length=handling.MAX_NOTE,
        rows=4,
        help_text=_(
            "They read it under their secret link. Everybody sees that you wrote, not what."
        ),
    )


class LinkForm(forms.Form):
    """What it is about, by name."""

    to = forms.CharField(
        label=_("Link it to"),
        max_length=160,
        help_text=_(
            "The address name of a use, the digest of a model version (sha256:…), or the "
            "reference of an evaluation (run-…)."
        ),
    )


class HidingForm(forms.Form):
    """Why the public text is hidden or shown again."""

    reason = ProseField(label=_("Public reason"), max_length=handling.MAX_HIDING, rows=2)


class SuspensionForm(forms.Form):
    """Why what serves is suspended at once."""

    reason = ProseField(
        label=_("Public reason"),
        max_length=emergency.MAX_REASON,
        rows=3,
        help_text=_("What has happened, and why it cannot wait. It is public and stays so."),
    )
