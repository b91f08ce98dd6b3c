"""Metrics, and who may read the items of a task, as pages name them."""

from django import template
from django.utils.translation import gettext_lazy as _

from evals import metric_words

register = template.Library()
register.filter("metric_label", metric_words.metric_label)

_VISIBILITIES = {"public": _("public"), "restricted": _("restricted"), "sealed": _("sealed")}


@register.filter
def visibility(value: str) -> str:
    """Return who may read a task's items in one word, in the page's language."""
    return str(_VISIBILITIES.get(value, value))
