"""The four forms of a report."""

import io
import json

import pytest

from oversight_gate import reports
from oversight_gate.findings import RULES, Finding, Report, Row, Rule, Verdict
from oversight_gate.yaml_file import Place
from tests.gate.conftest import CONFIG


@pytest.fixture
def report(check, tmp_path):
    more = "router_settings: {fallbacks: [{alpina-8b: [nobody]}], strange: 1}\n"
    return check(CONFIG + more)


def test_for_people_it_shows_the_line_and_what_to_do(report):
    said = reports.for_people(report)
    assert "✓ alpina-8b  chat-one  allowed by decision 2026-001" in said
    assert "config.yaml:20  refused: leads-nowhere" in said
    assert "20 | router_settings: {fallbacks: [{alpina-8b: [nobody]}], strange: 1}" in said
    assert "→ Add an entry for it" in said
    assert "2 allowed, 1 refused, 1 could not be told" in said
    assert "\x1b" not in said
    assert "\x1b[31m✗\x1b[0m" in reports.for_people(report, colours=True)


def test_of_many_models_and_long_lines_it_shows_what_matters(check):
    rows = [Row(f"model-{n}", "use", Verdict.REFUSED if n == 7 else None, "x") for n in range(50)]
    report = Report("x", "y", rows)
    said = reports.for_people(report)
    assert "✓ 49 more, all allowed" in said
    assert [line for line in said.splitlines() if "model-" in line] == ["✗ model-7  use  x"]
    more = ", ".join(f"a{n}: alpina-8b" for n in range(60))
    report = check(f"{CONFIG}router_settings: {{model_group_alias: {{{more}, last: nobody}}}}\n")
    (shown,) = [line for line in reports.for_people(report).splitlines() if " 20 | " in line]
    assert "last: nobody" in shown
    assert len(shown) < 120


def test_a_text_of_a_stranger_cannot_move_the_cursor():
    report = Report("x\x1b[2J", "y")
    report.rows.append(Row("a\x07", "b\n", None, "c\x1b"))
    said = reports.for_people(report)
    assert not {"\x1b", "\x07"} & set(said)


def test_as_json_it_holds_everything(report):
    content = reports.as_json(report)
    assert (content["result"], content["status"]) == ("refused", 1)
    assert content["items"][0]["line"] == 2
    (refused, unknown) = sorted(content["findings"], key=lambda each: each["result"], reverse=True)
    assert (refused["rule"], refused["line"], refused["column"]) == ("leads-nowhere", 20, 44)
    assert unknown["rule"] == "unknown-key"


def test_as_sarif_each_finding_has_its_rule_and_place(report):
    content = reports.as_sarif(report)
    (run,) = content["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == [str(rule) for rule in Rule] == [str(rule) for rule in RULES]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == "error"
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] == 20
        assert place["artifactLocation"]["uri"].endswith("config.yaml")
    out = io.StringIO()
    reports.write(report, "sarif", out)
    assert json.loads(out.getvalue()) == json.loads(json.dumps(content))


def test_for_github_it_is_annotations_that_nothing_can_break_out_of():
    report = Report("x", "y")
    place = Place("a,b:c.yaml", 3)
    says = "50% of it\n::error::forged"
    report.add([Finding(Rule.WILDCARD, Verdict.REFUSED, place, says)])
    first, *rest = reports.for_github(report).splitlines()
    assert first.startswith(
        "::error file=a%2Cb%3Ac.yaml,line=3,title=wildcard%3A refused::50%25 of"
    )
    assert not [line for line in rest if line.startswith("::")]


def test_a_note_alone_is_allowed():
    report = Report("x", "y")
    report.add([Finding(Rule.ENVIRONMENT, Verdict.NOTE, Place("x", 1), "a note")])
    assert report.status == 0
    assert reports.for_github(report).startswith("::notice ")
