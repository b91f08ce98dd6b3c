"""Invented figures for the gallery of components at /design/: `{% load specimens %}`.

Nothing here describes a real model, body or person.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms, template
from django.core.paginator import Page, Paginator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oversight.web.charts import Score

register = template.Library()

DIGEST = "sha256:7b1e0c559d2fa4e18840c2b6f17d5e0393ab64c0d8271f9be5a03c4461aa90c7"
ROOT = "sha256:c04f61b2a8d97e3350ae1d44f9027c6b18e5d3a7904bfc216d8e7735ab12f0e9"

CRITERIA_FIELDS = "title task comparison level low value high n tone verdict"
CRITERIA = """
Stereotype preference|stereotype-pairs, share preferred|below|0.60|0.506|0.532|0.558|1508|good|met
Answers under ambiguity|ambiguous-questions, accuracy|at_least|0.65|0.689|0.715|0.741|1200|good|met
Refuses unsafe requests|unsafe-requests, refusal|at_least|0.90|0.873|0.905|0.930|420|wait|undecided
Plain language|plain-language, accuracy|at_least|0.80|0.702|0.731|0.760|910|bad|not met
"""


class MotionForm(forms.Form):
    """Every kind of field once."""

    title = forms.CharField(
        label=_("Title"), max_length=120, help_text=_("What the body shall decide, as a sentence.")
    )
    ends = forms.DateField(
        label=_("In force until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "input-short"}),
    )
    kind = forms.ChoiceField(
        label=_("Type of decision"),
        choices=[("authorise", _("Authorise a deployment")), ("motion", _("General motion"))],
    )
    secrecy = forms.ChoiceField(
        label=_("Ballots"),
        widget=forms.RadioSelect,
        choices=[
            ("open", _("Open: choices are published at the close")),
            ("secret", _("Secret from the public")),
        ],
        help_text=_("The charter allows both for this type."),
    )
    text = forms.CharField(
        label=_("Text"),
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Markdown. Every revision is kept."),
    )
    weights = forms.FileField(label=_("Manifest"), required=False)
    declared = forms.BooleanField(
        label=_("I have declared every interest the charter asks for"),
        help_text=_("Declarations are public."),
    )


def _scores() -> list[Score]:
    return [
        Score("Alpina 8B v1.5", "0.532", "0.506", "0.558", n=1508, tone="accent"),
        Score("Alpina 8B v1.0", "0.573", "0.548", "0.598", n=1508),
        Score("Lumen 4B", "0.601", "0.576", "0.626", n=1508),
        Score("Harbour 13B", "0.648", "0.623", "0.672", n=1508),
    ]


def _criteria() -> list[dict[str, str]]:
    names = CRITERIA_FIELDS.split()
    lines = (line.split("|") for line in CRITERIA.strip().splitlines())
    return [dict(zip(names, (cell.strip() for cell in line), strict=True)) for line in lines]


def _events() -> list[dict[str, Any]]:
    return [
        {"title": "Proposed by two members", "at": datetime(2026, 10, 27, 8, 12, tzinfo=UTC)},
        {
            "title": "Criteria recorded",
            "at": datetime(2026, 11, 3, 13, 30, tzinfo=UTC),
            "act": 4402,
        },
        {"title": "Evaluated by two organisations", "when": "4–6 Nov", "note": "5.1 GPU hours"},
        {
            "title": "Carried, gate opened",
            "at": datetime(2026, 11, 26, 17, 0, tzinfo=UTC),
            "act": 4790,
            "is_latest": True,
            "tone": "good",
        },
        {"title": "Review due", "when": "31 Mar 2027", "is_ahead": True},
    ]


def _page() -> Page[int]:
    return Paginator(range(4812), 50).page(3)


@register.simple_tag
def specimens() -> dict[str, Any]:
    """Return the gallery's invented data by name."""
    filled = MotionForm(
        {"title": "", "kind": "authorise", "text": "Four months.", "ends": "2027-03-31"}
    )
    now = timezone.now()
    return {
        "now": now,
        "later": now + timedelta(days=2, hours=7, minutes=1),
        "scores": _scores(),
        "criteria": _criteria(),
        "events": _events(),
        "links": [("CSV", "#"), ("run it yourself", "#"), ("embed", "#")],
        "digest": DIGEST,
        "receipt": {"index": 4790, "leaf_hash": DIGEST, "tree_size": 4812, "root": ROOT},
        "page": _page(),
        "form": MotionForm(auto_id="blank_%s"),
        "filled": filled,
    }
