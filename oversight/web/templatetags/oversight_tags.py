"""Tags that draw the components with figures in them, and filters that write figures and times.

Each filter returns an en dash for a missing value, so that a table cell is never empty by accident.
"""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from django import template
from django.conf import settings
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, override
from django.utils.translation import gettext_lazy as _

from oversight.web import bars, charts, figures, languages
from oversight.web.figures import MISSING, NO_BREAK, localised
from oversight.web.moments import ago, when
from oversight.web.written import Written, language_marks, language_name, plain

register = template.Library()


# -- Names -----------------------------------------------------------------------------------

_NAME = re.compile(r"(?<!\S)(?=\S{1,24}(?!\S))(?=\S*\d)\S+-\S+")
"""A short word with a hyphen and a digit: q4-1, 2026-001, run-60b7759d."""


@register.filter
def unbroken(value: Any) -> SafeString:
    """Keep the names in a text from being broken over two lines at their hyphens."""
    whole = _NAME.sub(r'<span class="nowrap">\g<0></span>', conditional_escape(value))
    return mark_safe(whole)  # noqa: S308 - escaped, but for the spans


# -- Figures ---------------------------------------------------------------------------------


@register.filter
def in_this_language(address: str) -> str:
    """Return the address of a file in the language of the page; for files that have several."""
    return languages.with_language(address, get_language() or settings.LANGUAGE_CODE)


@register.filter
def grouped(value: Any) -> str:
    """Write an integer with its thousands set apart: 4812 becomes 4,812."""
    if value in (None, ""):
        return MISSING
    return figures.grouped(value)


@register.filter
def decimal3(value: Any) -> str:
    """Write a score with three decimals."""
    return _decimal(value, 3)


@register.filter
def decimal2(value: Any) -> str:
    """Write a figure with two decimals."""
    return _decimal(value, 2)


@register.filter
def percent1(value: Any) -> str:
    """Write a share as a percentage with one decimal: 0.8235 becomes 82.4 %."""
    if value in (None, ""):
        return MISSING
    return f"{charts.decimal(Fraction(value) * 100, 1)}{NO_BREAK}%"


def _decimal(value: Any, places: int) -> str:
    return MISSING if value in (None, "") else charts.decimal(value, places)


# -- Digests ---------------------------------------------------------------------------------


@register.filter
def digest_short(value: str | None) -> str:
    """Write a digest by its ends: sha256:7b1e0c55…61aa90c7."""
    if not value:
        return MISSING
    method, colon, hexadecimal = value.rpartition(":")
    if len(hexadecimal) <= 20:
        return value
    return f"{method}{colon}{hexadecimal[:8]}…{hexadecimal[-8:]}"


@register.filter
def digest_method(value: str | None) -> str:
    """Return what stands before a digest's hexadecimal part, with its colon: "sha256:"."""
    method, colon, _ = (value or "").rpartition(":")
    return method + colon


@register.filter
def digest_groups(value: str | None) -> list[str]:
    """Return a digest's hexadecimal part in groups of four."""
    hexadecimal = (value or "").rpartition(":")[2]
    return [hexadecimal[index : index + 4] for index in range(0, len(hexadecimal), 4)]


# -- Times -----------------------------------------------------------------------------------

register.filter(when)
register.filter(ago)
register.filter(localised)


# -- Words -----------------------------------------------------------------------------------

register.filter(languages.spoken)
register.filter(plain)
register.filter(language_name)


@register.filter(name="written")
def written_text(text: str, language: str) -> Written:
    """Return what somebody wrote, to be marked where the page speaks another language."""
    return Written(text, language)


@register.simple_tag
def marks(language: str) -> SafeString:
    """Write `lang`, and `dir` where it turns, on an element that holds what somebody wrote."""
    return language_marks(language)


@register.simple_tag
def page_marks(language: str) -> SafeString:
    """Write the page's own language on what it says within a text of that other language."""
    page = get_language() or settings.LANGUAGE_CODE
    with override(language or page):
        return language_marks(page)


@register.filter
def aside_in_page(html: SafeString, language: str) -> SafeString:
    """Mark what is read aloud between the words of another language: “put in”, “taken out”."""
    hidden = '<span class="visually-hidden"'
    marked = html.replace(f"{hidden}>", f"{hidden}{page_marks(language)}>")
    return mark_safe(marked)  # noqa: S308 - it was, and gets attributes of ours


@register.simple_tag
def language_options(chosen: str) -> SafeString:
    """Write the languages that a text can be in as options of a `select`."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (code, mark_safe(" selected") if code == chosen else "", name)
            for code, name in settings.TEXT_LANGUAGES
        ),
    )


# -- Drawings --------------------------------------------------------------------------------


@register.inclusion_tag("components/_icon.html")
def icon(name: str) -> dict[str, str]:
    """Draw an icon; the word beside it says what it means. Names stand in the template."""
    return {"name": name}


@register.inclusion_tag("components/_strip.html")
def interval_strip(
    low: charts.Figure | None,
    value: charts.Figure | None,
    high: charts.Figure | None,
    criterion: charts.Figure | None = None,
    comparison: str = "",
    *,
    tone: str = "",
    start: charts.Figure | None = None,
    end: charts.Figure | None = None,
) -> dict[str, charts.Strip | None]:
    """Draw a score with its interval and criterion in one line; see `charts.strip`.

    Without a score or an interval it says so in words.
    """
    if low is None or value is None or high is None:
        return {"strip": None}
    drawn = charts.strip(
        low=low,
        value=value,
        high=high,
        criterion=criterion,
        comparison=comparison,
        tone=tone,
        start=start,
        end=end,
    )
    return {"strip": drawn}


def _score(row: Any) -> charts.Score:
    """Read a chart row from a `Score`, a mapping or an object with the same names."""
    if isinstance(row, charts.Score):
        return row
    fields = charts.Score.__dataclass_fields__
    known = (
        {name: row[name] for name in fields if name in row}
        if isinstance(row, Mapping)
        else {name: getattr(row, name) for name in fields if hasattr(row, name)}
    )
    return charts.Score(**known)


@register.inclusion_tag("components/_interval_chart.html")
def interval_chart(
    rows: Iterable[Any],
    *,
    criterion: charts.Figure | None = None,
    comparison: str = "",
    reference: charts.Figure | None = None,
    reference_label: str = "",
    finding: str = "",
    source: str = "",
    links: Iterable[tuple[str, str]] = (),
    label_heading: str = "",
    value_heading: str = "",
) -> dict[str, Any]:
    """Draw several scores with their 95 % intervals on one axis, with the table twin.

    Args:
        rows: `charts.Score`, or mappings or objects with its names (label, value, low, high; and
            n, note, href, tone if known).
        criterion: level drawn as a dashed line.
        comparison: which side of it passes, such as "at_least" or "below".
        reference: a second line for orientation, such as chance level.
        reference_label: its name.
        finding: what the chart shows, as a sentence.
        source: where the figures come from.
        links: pairs of words and address that follow the source.
        label_heading: heading of the table twin's first column; "Model" unless told.
        value_heading: heading of its second; "Score" unless told.
    """
    scores = [_score(row) for row in rows]
    drawn = None
    if scores:
        drawn = charts.interval_chart(
            scores,
            criterion=criterion,
            comparison=comparison,
            reference=reference,
            reference_label=reference_label,
        )
    return {
        "chart": drawn,
        "finding": finding,
        "source": source,
        "links": list(links),
        "label_heading": label_heading or gettext("Model"),
        "value_heading": value_heading or gettext("Score"),
    }


@register.inclusion_tag("components/_count_chart.html")
def count_chart(
    rows: Iterable[Any],
    *,
    finding: str = "",
    source: str = "",
    label_heading: str = "",
    number_heading: str = "",
    marked_heading: str = "",
) -> dict[str, Any]:
    """Draw counts as bars, the marked ones darker, with the table twin.

    Args:
        rows: objects with label, number, open, and href where there is one.
        finding: what the chart shows, as a sentence.
        source: what was counted.
        label_heading: heading of the table twin's first column, `Group` unless told.
        number_heading: heading of its second, `All` unless told.
        marked_heading: heading of its third, and the word for the darker part; `open` unless told.
    """
    laid_out = bars.count_chart((row.label, row.href, row.number, row.open) for row in rows)
    return {
        "rows": laid_out,
        "finding": finding,
        "source": source,
        "label_heading": label_heading or gettext("Group"),
        "number_heading": number_heading or gettext("All"),
        "marked_heading": marked_heading or gettext("open"),
    }


@register.inclusion_tag("components/_result_bar.html")
def result_bar(
    votes_for: int,
    against: int,
    abstain: int = 0,
    *,
    waiting: int = 0,
    threshold: charts.Figure | None = None,
    base: str = "votes",
    needed: str = "",
) -> dict[str, Any]:
    """Draw a count of votes with its threshold; `needed` says the threshold in words."""
    drawn = bars.result_bar(
        votes_for=votes_for,
        against=against,
        abstain=abstain,
        waiting=waiting,
        threshold=threshold,
        base=base,
    )
    return {"bar": drawn, "needed": needed}


@register.inclusion_tag("components/_stage_bar.html")
def stage_bar(current: str, label: str = "", tone: str = "") -> dict[str, Any]:
    """Draw the stages of a proposal; `label` and `tone` replace those of the current stage."""
    tone = tone or ("neutral" if current in bars.ENDINGS else "accent")
    return {"line": bars.stage_line(str(current), label=label), "tone": tone}


# -- Templates -------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def languages_of_page(context: Context) -> list[languages.Choice]:
    """Return the languages in which the reader can have this page, with its address in each."""
    request = context.get("request")
    return languages.choices(request) if request else []


@register.simple_tag
def script_words(name: str) -> str:
    """Return how the page's script writes times as `ago` does, with # where its figure stands."""
    return {
        "ago": gettext("%(amount)s ago") % {"amount": "#"},
        "ahead": gettext("in %(amount)s") % {"amount": "#"},
        "day": ngettext("%(number)s day", "%(number)s days", 1) % {"number": "#"},
        "days": ngettext("%(number)s day", "%(number)s days", 2) % {"number": "#"},
    }[name]


CATEGORIES = {
    "capability": _("capability"),
    "bias": _("bias"),
    "safety": _("safety"),
    "truthfulness": _("truthfulness"),
    "over-refusal": _("over-refusal"),
    "language": _("language"),
}


@register.filter
def category(value: str) -> str:
    """Return what a task is about, as its suite's document names it, in the page's language."""
    return str(CATEGORIES.get(value, value))


@register.filter
def lowered(value: Any) -> str:
    """Return a label as the middle of a sentence has it in the page's language."""
    return str(languages.lowered(value))


@register.simple_tag
def language_is_reviewed() -> bool:
    """Say whether people have read the texts of the page's language."""
    return languages.is_reviewed(get_language() or "en")


class _Capture(template.Node):
    """Renders its content into a variable."""

    def __init__(self, nodelist: NodeList, name: str, *, whole: bool) -> None:
        self.nodelist = nodelist  # the name by which Django finds blocks inside
        self.name = name
        self.whole = whole

    def render(self, context: Context) -> SafeString:
        """Set the variable and show nothing."""
        content = self.nodelist.render(context)
        # The content was rendered, and so escaped, by the template engine.
        context[self.name] = mark_safe(content if self.whole else content.strip())  # noqa: S308
        return SafeString("")


@register.tag
def capture(parser: Parser, token: Token) -> _Capture:
    """Keep what stands between the tags in a variable: `{% capture name %}…{% endcapture %}`.

    Space at its ends is dropped, but for `{% capture name whole %}`.
    """
    parts = token.split_contents()
    if len(parts) not in (2, 3) or parts[2:] not in ([], ["whole"]):
        raise template.TemplateSyntaxError("write {% capture name %}…{% endcapture %}")
    nodelist = parser.parse(("endcapture",))
    parser.delete_first_token()
    return _Capture(nodelist, parts[1], whole=parts[2:] == ["whole"])
