"""What each type of proposal asks for beside its text: its terms, as fields for people."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.choices import Comparison
from evals.metric_words import metric_words
from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.registry.forms import VersionField
from oversight.registry.models import Authorisation, ModelVersion
from proposals.choices import ABOUT_AUTHORISATIONS, TARGETED, ProposalType
from proposals.forms.charters import CharterForm
from proposals.forms.texts import ProseField
from proposals.models import Charter, Decision
from proposals.terms import MAX_HOURS, MAX_REASON

Terms = dict[str, Any]


class CodesField(forms.CharField):
    """A list of codes in one line, such as “de, fr”."""

    def to_python(self, value: Any) -> Any:
        """Return the codes."""
        return [code for code in (super().to_python(value) or "").replace(",", " ").split() if code]

    def prepare_value(self, value: Any) -> Any:
        """Show codes as one line."""
        return ", ".join(value) if isinstance(value, list) else value


class TermsForm(forms.Form):
    """The terms of a type that has none; base of the others."""

    template = ""
    """What shows the fields where they are more than a list."""

    def __init__(self, data: Mapping[str, Any] | None, *, terms: Mapping[str, Any]) -> None:  # noqa: ARG002
        super().__init__(data)

    def terms(self) -> Terms:
        """Return the terms as the service takes them."""
        return {}


class GrantForm(TermsForm):
    """Conditions and end of an authorisation, and why a criterion would be overridden."""

    audience = forms.CharField(
        required=False, max_length=120, help_text=_("Whom it may serve, such as residents over 18.")
    )
    languages = CodesField(
        required=False, max_length=400, help_text=_("In which languages: de, fr, en-GB.")
    )
    regions = CodesField(
        required=False,
        max_length=400,
        help_text=_("Where: codes of countries or parts: CH, DE-BE."),
    )
    requests_per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        label=_("Requests a minute"),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("At most, for each caller."),
    )
    maximum_temperature = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=2,
        max_digits=5,
        decimal_places=4,
        label=_("Highest temperature"),
        widget=forms.NumberInput(attrs={"class": "input-short", "step": "any"}),
        help_text=_("How freely the model may choose words: 0 to 2."),
    )
    system_prompt = forms.CharField(
        required=False,
        max_length=71,
        label=_("Digest of the system prompt"),
        help_text=_("sha256: and 64 hex digits: the model may serve with exactly this prompt."),
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label=_("Days until it ends"),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("Leave empty for the charter's usual time; never more than that."),
    )
    review_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label=_("Days until it is reviewed"),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_(
            "If the body is to look at it again before the charter's usual time: a renewal "
            "is drafted then."
        ),
    )
    override_reason = ProseField(
        required=False,
        rows=3,
        max_length=MAX_REASON,
        label=_("Reason for deciding against a criterion"),
        help_text=_("Only if a must-pass criterion is not shown to be met. It stands in public."),
    )

    CONDITIONS = (
        "audience",
        "languages",
        "regions",
        "requests_per_minute",
        "maximum_temperature",
        "system_prompt",
    )

    def __init__(self, data: Mapping[str, Any] | None, *, terms: Mapping[str, Any]) -> None:
        super().__init__(data, terms=terms)
        self.initial = {**terms, **terms.get("conditions", {})}

    def terms(self) -> Terms:
        """Return conditions, times and the reason, where they are given."""
        found = self.cleaned_data
        conditions = {name: found[name] for name in self.CONDITIONS if found[name]}
        if found["maximum_temperature"] is not None:
            conditions["maximum_temperature"] = f"{found['maximum_temperature'].normalize():f}"
        given = {
            "conditions": conditions,
            "days": found["days"],
            "review_days": found["review_days"],
            "override_reason": found["override_reason"].strip(),
        }
        return {name: value for name, value in given.items() if value}


class EvaluatorForm(TermsForm):
    """The organisation that would be admitted."""

    organisation = forms.SlugField(
        max_length=60,
        label=_("Address name of the organisation"),
        help_text=_("How the record names it, such as statistics-office. It may be known already."),
    )
    name = forms.CharField(max_length=120, label=_("Name of the organisation"))
    website = forms.URLField(required=False, assume_scheme="https", max_length=200)

    def __init__(self, data: Mapping[str, Any] | None, *, terms: Mapping[str, Any]) -> None:
        super().__init__(data, terms=terms)
        self.initial = dict(terms)

    def terms(self) -> Terms:
        """Return the organisation."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class BudgetForm(TermsForm):
    """How much the evaluations of the body's proposals may take."""

    hours = forms.IntegerField(
        min_value=1,
        max_value=MAX_HOURS,
        label=_("Hours of hosts"),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("How long all hosts together may work for evaluations of its proposals."),
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label=_("Days until it ends"),
        widget=forms.NumberInput(attrs={"class": "input-short"}),
        help_text=_("Leave empty for the charter's usual time; never more than that."),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, terms: Mapping[str, Any]) -> None:
        super().__init__(data, terms=terms)
        self.initial = dict(terms)

    def terms(self) -> Terms:
        """Return hours and days."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class SuiteForm(TermsForm):
    """Which measures of one suite would be asked, each with what it must reach."""

    template = "proposals/_suite_fields.html"

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        terms: Mapping[str, Any],
        version: SuiteVersion,
    ) -> None:
        super().__init__(data, terms=terms)
        self.version = version
        asked = {(row["task"], row["metric"]): row for row in terms.get("criteria", [])}
        compared = [row["beside"] for row in terms.get("criteria", []) if "beside" in row]
        self.fields["beside"] = VersionField(
            required=False,
            initial=ModelVersion.objects.filter(digest__in=compared).first(),
            label=gettext("Compared with"),
            help_text=gettext(
                "For “not worse than” only: whatever is proposed later answers the same "
                "samples as this version, and the threshold is by how much it may be worse."
            ),
        )
        self.fields["beside"].fit()  # type: ignore[attr-defined]
        self.measures = [(task, metric) for task in version.tasks for metric in task["metrics"]]
        for number, (task, metric) in enumerate(self.measures):
            self._add(number, asked.get((task["name"], metric), {}))

    def _add(self, number: int, row: Mapping[str, Any]) -> None:
        """Add the three fields of one measure."""
        self.fields[f"comparison-{number}"] = forms.ChoiceField(
            choices=[("", gettext("not asked")), *Comparison.choices],
            required=False,
            initial=row.get("comparison", ""),
            label=gettext("Asked"),
        )
        self.fields[f"threshold-{number}"] = forms.DecimalField(
            required=False,
            max_digits=12,
            decimal_places=6,
            initial=row.get("threshold"),
            label=gettext("Threshold"),
            widget=forms.NumberInput(attrs={"class": "input-short", "step": "any"}),
        )
        self.fields[f"must-{number}"] = forms.BooleanField(
            required=False, initial=row.get("must_pass", True), label=gettext("Must pass")
        )

    def clean(self) -> dict[str, Any]:
        """Ask for a threshold wherever something is asked."""
        found: dict[str, Any] = super().clean() or {}
        for number in range(len(self.measures)):
            asked = found.get(f"comparison-{number}")
            if asked and found.get(f"threshold-{number}") is None and not self.errors:
                self.add_error(f"threshold-{number}", gettext("Say what it must reach."))
        asked = [found.get(f"comparison-{number}") for number in range(len(self.measures))]
        if Comparison.NOT_WORSE in asked and not found.get("beside"):
            self.add_error("beside", gettext("Choose the version that it must not be worse than."))
        return found

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each measure with its fields."""
        return [
            {
                "title": task["title"],
                "metric": metric_words(task, metric),
                "comparison": self[f"comparison-{number}"],
                "threshold": self[f"threshold-{number}"],
                "must": self[f"must-{number}"],
            }
            for number, (task, metric) in enumerate(self.measures)
        ]

    def terms(self) -> Terms:
        """Return the suite and what would be asked of it."""
        found = self.cleaned_data
        return {
            "suite": self.version.digest,
            "criteria": [
                {
                    "task": task["name"],
                    "metric": metric,
                    "comparison": found[f"comparison-{number}"],
                    "threshold": f"{Decimal(found[f'threshold-{number}']).normalize():f}",
                    "must_pass": found[f"must-{number}"],
                    **self._beside(found[f"comparison-{number}"]),
                }
                for number, (task, metric) in enumerate(self.measures)
                if found[f"comparison-{number}"]
            ],
        }

    def _beside(self, comparison: str) -> dict[str, str]:
        """Return the version to compare with, where that is what is asked."""
        is_compared = comparison == Comparison.NOT_WORSE
        return {"beside": self.cleaned_data["beside"].digest} if is_compared else {}


class AmendmentForm(TermsForm):
    """The whole charter that would take the place of the one in force."""

    template = "proposals/_charter_fields.html"
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        terms: Mapping[str, Any],
        charter: Charter,
    ) -> None:
        super().__init__(data, terms=terms)
        self.charter_form = CharterForm(data, document=terms.get("charter", charter.document))
        # A charter that has changed meanwhile is amended as it is now: the writer sees both.
        self.initial["base"] = charter.number

    def is_valid(self) -> bool:
        """Say whether every rule can be used."""
        return self.charter_form.is_valid() & super().is_valid()

    def terms(self) -> Terms:
        """Return the charter and the number of the one that it would replace."""
        return {"base": self.cleaned_data["base"], "charter": self.charter_form.document}


def terms_form(
    kind: ProposalType,
    body: Body,
    data: Mapping[str, Any] | None,
    *,
    terms: Mapping[str, Any],
    version: SuiteVersion | None = None,
) -> TermsForm:
    """Return the form for the terms of a type; for a suite the version says which measures."""
    if kind in {ProposalType.AUTHORISE, ProposalType.RENEW}:
        return GrantForm(data, terms=terms)
    if kind == ProposalType.ADMIT_EVALUATOR:
        return EvaluatorForm(data, terms=terms)
    if kind == ProposalType.ALLOCATE:
        return BudgetForm(data, terms=terms)
    if kind == ProposalType.ADOPT_SUITE and version is not None:
        return SuiteForm(data, terms=terms, version=version)
    if kind == ProposalType.AMEND_CHARTER:
        charter = Charter.objects.filter(body=body).order_by("-number")[0]
        return AmendmentForm(data, terms=terms, charter=charter)
    return TermsForm(data, terms=terms)


TARGETS_OFFERED = 200


class TargetField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The earlier decision that a proposal is about, named by its reference and title."""

    def __init__(self) -> None:
        super().__init__(
            Decision.objects.none(),
            label=_("About which decision"),
            empty_label=_("Choose one"),
            to_field_name="proposal__ref",
        )

    def prepare_value(self, value: Any) -> Any:
        """Show a decision by its reference."""
        return value.ref if isinstance(value, Decision) else value

    def label_from_instance(self, obj: Any) -> str:
        """Return reference and title."""
        return f"{obj.ref}: {obj.proposal.title}"


def targets(kind: ProposalType, body: Body) -> QuerySet[Decision]:
    """Return the decisions of the body that such a proposal can be about, newest first."""
    found = Decision.objects.select_related("proposal").filter(proposal__body=body)
    if kind in ABOUT_AUTHORISATIONS:
        standing = Authorisation.objects.standing()
        return found.filter(proposal__ref__in=standing.values("decision_ref"))
    if kind == ProposalType.ANNUL:
        return found.filter(annulled_at=None).exclude(proposal__type=ProposalType.ANNUL)
    return found.none()


def has_target(kind: ProposalType) -> bool:
    """Say whether such a proposal is about an earlier decision."""
    return kind in TARGETED
