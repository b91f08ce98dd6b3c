"""What the tags and filters write, and that they escape it."""

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError

from oversight.web.templatetags import oversight_tags as tags

DIGEST = "sha256:" + "0123456789abcdef" * 4


def draw(source: str, **context: Any) -> str:
    """Render a template with the tags loaded."""
    return Template("{% load oversight_tags %}" + source).render(Context(context))


# -- Filters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"), [(4812, "4,812"), ("1508", "1,508"), (0, "0"), (-4812, "−4,812")]
)
def test_thousands_are_set_apart(value: Any, text: str) -> None:
    assert tags.grouped(value) == text


@pytest.mark.parametrize("name", ["grouped", "decimal3", "decimal2", "percent1", "digest_short"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_figure_is_a_dash(name: str, value: Any) -> None:
    assert getattr(tags, name)(value) == "–"


def test_figures_have_fixed_decimals() -> None:
    assert tags.decimal3(Decimal("0.5324")) == "0.532"
    assert tags.decimal2("0.5") == "0.50"
    assert tags.percent1("14/17") == "82.4\N{NO-BREAK SPACE}%"


def test_a_digest_is_known_by_its_ends() -> None:
    assert tags.digest_short(DIGEST) == "sha256:01234567…89abcdef"
    assert tags.digest_short("sha256:abc") == "sha256:abc"


def test_the_groups_of_a_digest_are_the_digest() -> None:
    groups = tags.digest_groups(DIGEST)
    assert len(groups) == 16
    assert tags.digest_method(DIGEST) + "".join(groups) == DIGEST


def test_a_digest_copied_from_the_page_has_no_spaces() -> None:
    page = draw('{% include "components/_digest.html" with value=value only %}', value=DIGEST)
    assert f'data-copy="{DIGEST}"' in page
    assert "</span><wbr><span" in page


# -- Drawings --------------------------------------------------------------------------------


def test_a_strip_is_told_in_words_and_drawn_without_styles() -> None:
    page = draw('{% interval_strip "0.506" "0.532" "0.558" "0.60" "below" %}')
    assert 'aria-label="0.532, 95 % interval 0.506 to 0.558; criterion: below 0.60"' in page
    assert "tone-good" in page
    assert "style=" not in page


def test_a_strip_without_a_result_says_so() -> None:
    assert "no result yet" in draw('{% interval_strip None "0.5" None "0.6" "below" %}')


def test_a_chart_has_a_table_of_the_same_figures() -> None:
    rows = [{"label": "A <b>", "value": "0.5", "low": "0.4", "high": "0.6", "n": 1508}]
    page = draw("{% interval_chart rows criterion='0.6' comparison='below' %}", rows=rows)
    assert "A &lt;b&gt;" in page
    assert "<b>" not in page
    assert '<td class="numeric">0.400 to 0.600</td>' in page
    assert '<td class="numeric">1,508</td>' in page


def test_a_chart_without_rows_says_what_will_be_there() -> None:
    page = draw("{% interval_chart rows source='Stereotype pairs.' %}", rows=[])
    assert "Nothing has been measured yet." in page
    assert "<svg" not in page


def test_a_result_bar_is_told_in_words() -> None:
    page = draw('{% result_bar 14 3 abstain=2 threshold="2/3" needed="two thirds of votes" %}')
    assert 'aria-label="14 for, 3 against, 2 abstained; needed: two thirds of votes"' in page


def test_a_stage_bar_marks_the_current_step_once() -> None:
    page = draw('{% stage_bar "voting" %}')
    assert page.count('aria-current="step"') == 1
    assert "stage 4 of 5" in page
    assert "tone-neutral" in draw('{% stage_bar "withdrawn" %}')


# -- Forms and capture -----------------------------------------------------------------------


class Motion(forms.Form):
    title = forms.CharField(help_text="As a sentence.")
    note = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)


def test_help_and_errors_of_a_field_are_tied_to_its_input() -> None:
    page = draw('{% include "components/_form.html" with form=form only %}', form=Motion({}))
    assert 'id="id_title_helptext"' in page
    assert 'id="id_title_error"' in page
    assert 'aria-describedby="id_title_helptext id_title_error"' in page
    assert 'aria-invalid="true"' in page
    assert "(optional)" in page


def test_a_form_that_needs_mending_says_so_first_and_leads_there() -> None:
    page = draw('{% include "components/_form.html" with form=form only %}', form=Motion({}))
    assert "2 things need mending" in page
    assert 'role="alert" tabindex="-1"' in page
    assert '<a href="#id_title">Title</a>: This field is required.' in page
    assert '<a href="#id_kind">Kind</a>' in page
    assert 'id="id_kind"' in page
    assert page.index("error-summary") < page.index("<input")


def test_a_valid_form_has_no_summary() -> None:
    form = Motion({"title": "x", "kind": "a"})
    page = draw('{% include "components/_form.html" with form=form only %}', form=form)
    assert "error-summary" not in page


def test_captured_content_is_trimmed_and_escaped_once() -> None:
    page = draw("{% capture word %}  {{ raw }} {% endcapture %}[{{ word }}]", raw="<i>")
    assert page == "[&lt;i&gt;]"


def test_capture_without_a_name_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="capture name"):
        draw("{% capture %}{% endcapture %}")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("SmolLM2 q4-1 may", 'SmolLM2 <span class="nowrap">q4-1</span> may'),
        ("2026-001", '<span class="nowrap">2026-001</span>'),
        ("well-known words", "well-known words"),
        ("a<b>-1 & c", '<span class="nowrap">a&lt;b&gt;-1</span> &amp; c'),
        ("x-1" * 20, "x-1" * 20),
    ],
)
def test_short_names_are_not_broken_at_their_hyphens(text: str, html: str) -> None:
    assert tags.unbroken(text) == html
