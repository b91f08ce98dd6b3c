"""What is said of a suite as a whole, and what comes into its draft from elsewhere."""

from django import forms
from django.utils.translation import gettext_lazy as _

CATEGORY_WORDS = {
    "capability": _("capability"),
    "bias": _("bias"),
    "safety": _("safety hazards"),
    "truthfulness": _("truthfulness"),
    "over-refusal": _("over-refusal"),
    "language": _("language coverage"),
}


class SuiteForm(forms.Form):
    """What is said of a suite as a whole."""

    title = forms.CharField(max_length=160, help_text=_("As it stands in lists of suites."))
    slug = forms.SlugField(
        max_length=50,
        label=_("Address name"),
        help_text=_(
            "Lower-case letters, digits and single hyphens, such as public-service. "
            "The name of a published suite makes a new version of it."
        ),
    )
    summary = forms.CharField(
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it measures, in a sentence or two, for somebody who decides by it."),
    )
    licence = forms.CharField(
        max_length=100,
        help_text=_("An SPDX identifier such as CC-BY-4.0, or how the texts may be used."),
    )
    source = forms.CharField(
        max_length=500, help_text=_("Who wrote the rows, where and when, and where they are kept.")
    )


class StockForm(forms.Form):
    """A task that the harness brings along."""

    stock = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$",
        max_length=100,
        label=_("Name in lm-eval"),
        help_text=_("A task or group of lm-eval, such as arc_easy. It fetches its own data."),
        error_messages={"invalid": _("Write the name as lm-eval has it, such as arc_easy.")},
    )
    title = forms.CharField(max_length=200)
    description = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))
    category = forms.ChoiceField(choices=list(CATEGORY_WORDS.items()))
    metric = forms.RegexField(r"^[a-z][a-z0-9_@]*$", max_length=60, initial="acc")
    metric_label = forms.CharField(max_length=100, initial="accuracy", label=_("Metric in words"))


class ZipForm(forms.Form):
    """A suite from another installation."""

    zip = forms.FileField(
        label=_("Suite as a zip"),
        help_text=_("The lm-eval.zip of a suite's page. It becomes a draft to look at first."),
        widget=forms.FileInput(attrs={"accept": ".zip"}),
    )
