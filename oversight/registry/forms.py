"""Shape of the HTML input on the registry floor, and the field with which forms name its rows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import RegexValidator, URLValidator
from django.db.models import Model, Q, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.models import Organisation
from oversight.registry import descriptions
from oversight.registry.choices import DescentKind
from oversight.registry.models import Deployment, Endpoint, ModelVersion

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OFFERED = 50
"""Rows a form lists to choose from; with more of them the reader types and is helped to the row."""

NEAR = 5


class NamedInput(forms.TextInput):
    """A text field with suggestions, which browsers offer while one types, without JavaScript."""

    def __init__(self, suggestions: list[tuple[str, str]]) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})
        self.suggestions = suggestions

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Return the input followed by its list of suggestions."""
        list_id = f"{(attrs or {}).get('id', name)}_list"
        written = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self.suggestions)
        return format_html('{}<datalist id="{}">{}</datalist>', written, list_id, options)


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One registered row: chosen from a list while that is short, else named in a word.

    A form calls `fit` on its own copy of the field; subclasses say by which word a row is known.
    """

    words_help: "StrOrPromise" = ""

    def fit(self) -> None:
        """List the rows where a person can look through them; else ask for the name."""
        rows = list(self.rows[: OFFERED + 1])
        if len(rows) <= OFFERED:
            return
        self.is_named = True
        self.widget = NamedInput([(self.word(row), str(row)) for row in rows[:OFFERED]])
        self.widget.is_required = self.required
        self.help_text = f"{self.help_text} {self.words_help}".strip()

    is_named = False

    @property
    def rows(self) -> QuerySet[Any]:
        """Every row that can be named."""
        assert self.queryset is not None  # noqa: S101 - none of the forms leaves it out
        return self.queryset

    def word(self, row: Any) -> str:
        """Return the word by which a row is named."""
        return str(row.slug)

    def named(self, word: str) -> QuerySet[Any]:
        """Return the row that a word names, or none."""
        return self.rows.filter(slug=word)

    def like(self, word: str) -> QuerySet[Any]:
        """Return rows that the word may have meant."""
        return self.rows.filter(Q(slug__icontains=word) | Q(name__icontains=word))

    def to_python(self, value: Any) -> Model | None:
        """Return the row; where there is none of that name, say which are near."""
        if not self.is_named or value in self.empty_values:
            return super().to_python(value)
        word = str(value).strip()[:200].replace("\x00", "")
        found: Model | None = self.named(word).first()
        if found is None:
            near = ", ".join(self.word(row) for row in self.like(word)[:NEAR])
            help_ = (
                gettext("Near it: %(near)s.") % {"near": near}
                if near
                else gettext("Nothing is like it, either.")
            )
            raise forms.ValidationError(
                gettext("There is none with the name “%(word)s”. %(help)s")
                % {
                    "word": word[:60],
                    "help": help_,
                }
            )
        return found

    def prepare_value(self, value: Any) -> Any:
        """Show a row by its word where it is named."""
        if self.is_named and isinstance(value, Model):
            return self.word(value)
        return super().prepare_value(value)


class VersionField(RowField):
    """A model version, named as model/label or by its digest."""

    words_help = _(
        "Type the model's address name and the label, such as smollm2/1.0, or the digest."
    )

    def __init__(self, **options: Any) -> None:
        rows = ModelVersion.objects.select_related("model").newest_first().defer("manifest")
        words = {"label": _("Model version"), "empty_label": _("Choose one")}
        super().__init__(rows, **words | options)

    def word(self, row: ModelVersion) -> str:
        """Return model and label."""
        return f"{row.model.slug}/{row.label}"

    def named(self, word: str) -> QuerySet[ModelVersion]:
        """Return the version of this digest, or of this model and label."""
        slug, _slash, label = word.partition("/")
        return self.rows.filter(Q(digest=word) | Q(model__slug=slug, label=label))

    def like(self, word: str) -> QuerySet[ModelVersion]:
        """Return versions whose model is called so, or whose digest begins so."""
        slug = word.partition("/")[0]
        return self.rows.filter(
            Q(model__slug__icontains=slug)
            | Q(model__name__icontains=slug)
            | Q(digest__startswith=word)
        )


class DeploymentField(RowField):
    """A deployment, named by its address name."""

    words_help = _("Type its address name; the page “In service” lists them all.")

    def __init__(self, **options: Any) -> None:
        super().__init__(Deployment.objects.all(), empty_label=_("Choose one"), **options)


class AddressNameField(forms.CharField):
    """How the record and the page's address name something: small letters, digits, hyphens."""

    def __init__(self, **options: Any) -> None:
        plain = RegexValidator(
            r"\A[a-z0-9]+(-[a-z0-9]+)*\Z",
            gettext("Use small letters, digits and hyphens: town-helpdesk."),
        )
        attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(
            label=_("Address name"),
            max_length=60,
            validators=[plain],
            widget=forms.TextInput(attrs=attrs),
            **options,
        )


class EndpointForm(forms.Form):
    """An endpoint to register."""

    operator = RowField(
        Organisation.objects.none(), empty_label=_("Choose one"), help_text=_("Who runs it.")
    )
    name = forms.CharField(max_length=120, help_text=_("As people know it."))
    slug = AddressNameField(
        help_text=_("How the record names it, for instance town-endpoint. It never changes."),
    )
    base_url = forms.URLField(
        label=_("Web address"),
        required=False,
        assume_scheme="https",
        validators=[URLValidator(["http", "https"])],
        help_text=_("Where programs reach it, such as https://llm.example.org/v1."),
    )

    def __init__(self, *args: Any, operators: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _restrict(self, "operator", operators)


class DeploymentForm(forms.Form):
    """A use to register."""

    endpoint = RowField(
        Endpoint.objects.none(),
        empty_label=_("Choose one"),
        help_text=_("Where it would be served."),
    )
    name = forms.CharField(max_length=120, help_text=_("As people know it, such as Town helpdesk."))
    slug = AddressNameField(
        help_text=_(
            "In the page's address and in the gate's questions, for instance town-helpdesk. "
            "It never changes."
        ),
    )
    purpose = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it does for people, in one sentence."),
    )
    audience = forms.CharField(
        max_length=120, help_text=_("Whom it serves, such as everyone in town.")
    )

    def __init__(self, *args: Any, endpoints: QuerySet[Endpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _restrict(self, "endpoint", endpoints)


class DescriptionForm(forms.Form):
    """What a version, a use or an endpoint says of itself; its fields are those of its kind.

    Every field takes text: what it means, and whether it can be used, is for `descriptions`.
    """

    after = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for item in descriptions.ITEMS[kind]:
            self.fields[item.name] = _field_of(item)

    def document(self) -> descriptions.Document:
        """Return what was written, to be checked by the service."""
        return descriptions.typed(self.kind, self.cleaned_data)

    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields under their headings."""
        found: dict[str, list[forms.BoundField]] = {}
        for item in descriptions.ITEMS[self.kind]:
            found.setdefault(item.part, []).append(self[item.name])
        return list(found.items())


class DescentForm(forms.Form):
    """From what a version was made, and how."""

    parent = VersionField(label=_("Made from"), help_text=_("It has to be registered."))
    kind = forms.ChoiceField(label=_("How"), choices=[("", _("Choose one")), *DescentKind.choices])

    def __init__(self, *args: Any, but: ModelVersion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = ModelVersion.objects.select_related("model").newest_first().defer("manifest")
        _restrict(self, "parent", versions.exclude(pk=but.pk))
        for item in descriptions.ITEMS["data"]:
            self.fields[item.name] = _field_of(item)

    def data_statement(self) -> descriptions.Document:
        """Return what was written about the data, to be checked by the service."""
        return descriptions.typed("data", self.cleaned_data)


def _field_of(item: descriptions.Item) -> forms.Field:
    """Return the form's field for an item."""
    words: dict[str, Any] = {
        "label": gettext(item.label),
        "help_text": gettext(item.help),
        "required": False,
    }
    if item.kind == "choice":
        return forms.ChoiceField(
            choices=[
                ("", gettext("not stated")),
                *((value, gettext(label)) for value, label in item.choices),
            ],
            **words,
        )
    widget = forms.Textarea(attrs={"rows": 3}) if item.kind == "text" else forms.TextInput()
    return forms.CharField(widget=widget, **words)


def _restrict(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Let a field take only these rows, the only one chosen beforehand."""
    field = form.fields[name]
    assert isinstance(field, RowField)  # noqa: S101 - the forms above
    field.queryset = rows
    field.fit()
    first_two = list(rows[:2])
    if len(first_two) == 1:
        form.initial.setdefault(name, first_two[0])
