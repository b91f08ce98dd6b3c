"""What is said in short: arguments, statements and answers to them, passages, moderation."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oversight.web.languages import filled
from oversight.web.written import LanguageField
from proposals.choices import Answer, Side
from proposals.forms.texts import CommentForm, ProseField
from proposals.models.opinions import MAX_STATEMENT
from proposals.models.talk import MAX_ARGUMENT, MAX_QUOTE


class ArgumentForm(forms.Form):
    """An argument for or against."""

    side = forms.ChoiceField(choices=Side.choices, widget=forms.RadioSelect, label=_("It speaks"))
    text = ProseField(
        label=_("The argument"),
        max_length=MAX_ARGUMENT,
        rows=3,
        help_text=filled(
            _(
                "One reason, in up to %(max_argument)s characters. It stands in public under "
                "your name, and others support it."
            ),
            max_argument=MAX_ARGUMENT,
        ),
    )
    language = LanguageField()

    def __init__(self, *args: Any, language: str = "", **kwargs: Any) -> None:
        # It shares its page with the form of a comment, whose fields are called alike.
        super().__init__(*args, **{"auto_id": "argument_%s", **kwargs})
        self.fields["language"].initial = language


class StatementForm(forms.Form):
    """A statement of the opinion map."""

    text = ProseField(
        label=_("A statement"),
        max_length=MAX_STATEMENT,
        rows=2,
        help_text=filled(
            _(
                "One opinion that others can agree or disagree with, in up to "
                "%(max_statement)s characters. It stands in public under your name; what you "
                "answer does not."
            ),
            max_statement=MAX_STATEMENT,
        ),
    )
    language = LanguageField()

    def __init__(self, *args: Any, language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = language


class AnswerForm(forms.Form):
    """What somebody thinks of a statement."""

    statement = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    answer = forms.ChoiceField(choices=Answer.choices)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)


class PassageForm(CommentForm):
    """A comment on a passage: the whole paragraph, a part of it, or the words selected there."""

    WHOLE = "whole"
    SELECTED = "selected"
    part = forms.ChoiceField(label=_("About"), widget=forms.RadioSelect)
    quote = forms.CharField(required=False, max_length=MAX_QUOTE, widget=forms.HiddenInput)
    field_order = ["part", "text", "is_question", "language"]

    def __init__(self, *args: Any, parts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["part"].choices = parts  # type: ignore[attr-defined]
        self.fields["part"].initial = parts[-1][0] if len(parts) == 1 else self.WHOLE
        if len(parts) == 1:
            self.fields["part"].widget = forms.HiddenInput()
        del self.fields["parent"]


class ModerationForm(forms.Form):
    """Why something is hidden, or shown again."""

    act = forms.ChoiceField(
        choices=[("hidden", "hide"), ("restored", "restore")], widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label=_("Public reason"),
        max_length=400,
        help_text=_("It stands in the log of moderation, for everybody to read."),
    )
