"""What a template of a suite may do, and that everything else is refused."""

import pytest

from evals.suites.templates import TemplateRefused, check_template, render

HARMLESS = {
    "Question: {{question}}\nAnswer:": {"question"},
    "{{ question|trim }}": {"question"},
    "{{ choices[answer|int] }}": {"choices", "answer"},
    "{{ [sent_more, sent_less] }}": {"sent_more", "sent_less"},
    "{% for c in choices %}{{ 'ABCD'[loop.index0] }}. {{ c }}\n{% endfor %}": {"choices"},
    "{% if context %}{{ context }}\n{% endif %}{{ question }}": {"context", "question"},
    "{{ text.replace('  ', ' ').strip().lower() }}": {"text"},
    "{{ ', '.join(choices) }} {{ choices|join(' or ') }}": {"choices"},
    "{{ extra['name'] }}": {"extra"},
    "{{ words[1:3]|last }}": {"words"},
    "question": set(),
    "": set(),
}

HOSTILE = [
    "{{ ''.__class__ }}",
    "{{ question.__class__.__mro__[1].__subclasses__() }}",
    "{{ question['__class__'] }}",
    "{{ question['__cla' ~ 'ss__'] }}",
    "{{ question[name] }}",
    "{{ question['a'|int('__class__')] }}",
    "{{ choices|join(',', '__class__') }}",
    "{{ choices|join(attribute='__class__') }}",
    "{{ choices|map(attribute='__class__')|list }}",
    "{{ question|attr('__class__') }}",
    "{{ '{0.__class__}'.format(question) }}",
    "{{ question|format(1) }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ lipsum(10000) }}",
    "{{ range(10**9)|list }}",
    "{{ namespace(a=1) }}",
    "{{ self._TemplateReference__context }}",
    "{{ _question }}",
    "{{ question.format }}",
    "{{ question() }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 99999999 }}",
    "{{ '%1000000000s' % question }}",
    "{{ question|center(1000000000) }}",
    "{{ question|regex_replace('(a+)+$', '') }}",
    "{{ question|random }}",
    "{% set a = question %}{{ a }}",
    "{% set a = question %}{% set a = a ~ a %}{{ a }}",
    "{% macro f() %}{% endmacro %}{{ f() }}",
    "{% include 'other' %}",
    "{% import 'os' as os %}",
    "{% extends 'base' %}",
    "{% for a in x %}{% for b in y %}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in x %}{{ question }}{% endfor %}",
    "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in 'abc' %}{{ a }}{% endfor %}",
    "{% for a in x %}" + "long text " * 60 + "{% endfor %}",
    "{% filter upper %}x{% endfilter %}",
    "{% raw %}{{ a }}",
    "{{ question",
    "{{ question.replace('', 'aaaa') }}",
    "{{ question.replace(a, b) }}",
    "{{ question.replace('a', '" + "a" * 100 + "').replace('a', '" + "a" * 100 + "') }}",
    "{{ question }}" * 300,
    "{{ " + "(" * 60 + "question" + ")" * 60 + " }}" + "{{ not " + "not " * 60 + "x }}",
    "x" * 9000,
    "{{ " + "9" * 5000 + " }}",
]


@pytest.mark.parametrize(("source", "columns"), HARMLESS.items())
def test_a_harmless_template_is_accepted_and_names_its_columns(source, columns):
    assert check_template(source) == columns


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_template_is_refused_with_a_reason(source):
    with pytest.raises(TemplateRefused, match=r"\w+ \w+"):
        check_template(source)


def test_a_refused_template_is_never_rendered():
    with pytest.raises(TemplateRefused):
        render("{{ lipsum.__globals__ }}", {})


def test_rendering_keeps_line_ends_as_the_harness_does():
    assert render("{{a}}\n", {"a": "x"}) == "x\n"


@pytest.mark.parametrize("row", [{}, {"choices": 3, "answer": "1"}, {"choices": [], "answer": 0}])
def test_a_row_that_does_not_fit_its_template_is_refused(row):
    with pytest.raises(TemplateRefused, match="does not fit this row"):
        render("{{ choices[answer|int].strip() }}", row)
