"""Filters of the public pages: acts and their subjects in words and links."""

import json

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from oversight.dashboards import acts, fact_names
from proposals.markdown import render_markdown

register = template.Library()


@register.simple_tag
def chart_file(form: str, kind: str, subject: str, **asked: str) -> str:
    """Return the address of a chart's drawing or specification in the language of the page.

    Args:
        form: `svg`, `png` or `spec`.
        kind: of the chart.
        subject: what it is about.
        asked: the rest of the query, such as `width="narrow"`.
    """
    language = get_language() or settings.LANGUAGE_CODE
    if language != settings.LANGUAGE_CODE:
        asked["language"] = language
    address = reverse(f"chart-{form}", args=[kind, subject])
    return f"{address}?{urlencode(asked)}" if asked else address


@register.filter
def in_parts(type_: str) -> SafeString:
    """Let the name of a type of leaf be broken over two lines behind its dots."""
    return mark_safe(escape(type_).replace(".", ".<wbr>"))  # noqa: S308 - escaped


@register.filter
def act_words(type_: str) -> str:
    """Say what a type of leaf means."""
    return acts.words(type_)


@register.filter
def subject_address(subject: str) -> str:
    """Return the page of an act's subject; empty where it has none."""
    return acts.subject_address(subject)


@register.filter
def subject_words(subject: str) -> str:
    """Name an act's subject as people do."""
    return acts.subject_words(subject)


@register.filter
def fact_words(value: object, name: str) -> str:
    """Say the value of an act's fact in words, where it is not one."""
    return acts.fact_words(name, value)


@register.filter
def recorded(value: object) -> str:
    """Write a fact's value as the leaf has it, whatever the language of the page."""
    return value if isinstance(value, str) else json.dumps(value)


@register.filter
def fact_name(name: str) -> str:
    """Say what the name of a leaf's fact means; empty for one that is not known."""
    return str(fact_names.FACTS.get(name, ""))


@register.filter
def digest_name(name: str) -> str:
    """Say what a leaf's digest is of; empty for one that is not known."""
    return str(fact_names.DIGESTS.get(name, ""))


@register.filter
def commit_name(name: str) -> str:
    """Say what a leaf commits to; empty for one that is not known."""
    return str(fact_names.COMMITS.get(name, ""))


@register.filter
def markdown(text: str) -> SafeString:
    """Return what a person wrote as sanitised HTML."""
    return render_markdown(text)
