"""What a proposal would do, as data: read strictly, refused by the name of the field."""

import copy

import pytest

from oversight.registry import condition_words, conditions
from oversight.registry.conditions import ConditionError
from proposals import charter, terms
from proposals.choices import ProposalType
from proposals.terms import TermsError

DIGEST = "sha256:" + "a" * 64
CRITERION = {
    "task": "facts",
    "metric": "acc",
    "comparison": "at_least",
    "threshold": "0.650",
    "must_pass": True,
}
WHOLE = {
    "audience": " residents ",
    "languages": ["fr", "de", "fr"],
    "regions": ["CH", "DE-BE"],
    "requests_per_minute": 20,
    "system_prompt": DIGEST,
    "maximum_temperature": "0.70",
}


def test_conditions_have_one_form_whatever_their_order_and_spelling():
    read = conditions.read(WHOLE)
    assert read["audience"] == "residents"
    assert read["languages"] == ["de", "fr"]
    assert read["maximum_temperature"] == "0.7"
    assert read == conditions.read(dict(reversed(list(WHOLE.items()))))
    assert conditions.read(read) == read


def test_conditions_that_are_left_empty_are_no_conditions():
    assert conditions.read({"audience": "", "languages": [], "system_prompt": None}) == {}


def test_every_condition_has_words():
    said = dict(condition_words.words(conditions.read(WHOLE)))
    assert len(said) == len(WHOLE)
    assert said["Rate"] == "at most 20 requests a minute for each caller"
    assert said["Languages"] == "de, fr"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audience", 3),
        ("audience", "x" * 121),
        ("audience", "nul\x00"),
        ("languages", "de"),
        ("languages", ["Deutsch"]),
        ("languages", ["de"] * 51),
        ("languages", [["de"]]),
        ("regions", ["ch"]),
        ("regions", ["Schweiz"]),
        ("requests_per_minute", 0),
        ("requests_per_minute", True),
        ("requests_per_minute", 1_000_001),
        ("requests_per_minute", "20"),
        ("system_prompt", "abc"),
        ("system_prompt", DIGEST + "0"),
        ("maximum_temperature", 0.7),
        ("maximum_temperature", "2.1"),
        ("maximum_temperature", "-0.1"),
        ("maximum_temperature", "NaN"),
        ("maximum_temperature", "1e-9"),
        ("maximum_temperature", "warm"),
    ],
)
def test_a_condition_that_cannot_be_used_is_refused_by_its_name(name, value):
    with pytest.raises(ConditionError) as refusal:
        conditions.read({name: value})
    assert refusal.value.field == name


def test_an_unknown_condition_is_named():
    with pytest.raises(ConditionError, match="“colour” is no condition: use audience"):
        conditions.read({"colour": "blue"})
    with pytest.raises(ConditionError, match="Give an object"):
        conditions.read(["audience"])


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("general_motion", {"days": 3}, "terms"),
        ("general_motion", [], "terms"),
        ("authorise_deployment", {"days": 0}, "days"),
        ("authorise_deployment", {"days": "3"}, "days"),
        ("authorise_deployment", {"conditions": {"regions": ["xx"]}}, "regions"),
        ("authorise_deployment", {"conditions": 3}, "conditions"),
        ("authorise_deployment", {"override_reason": "x" * 2001}, "override_reason"),
        ("suspend_authorisation", {"conditions": {}}, "terms"),
        ("adopt_suite", {"criteria": []}, "suite"),
        ("adopt_suite", {"suite": "abc", "criteria": []}, "suite"),
        ("adopt_suite", {"suite": DIGEST}, "criteria"),
        ("adopt_suite", {"suite": DIGEST, "criteria": [CRITERION] * 2}, "criteria"),
        ("adopt_suite", {"suite": DIGEST, "criteria": [{"task": "x"}]}, "criteria"),
        (
            "adopt_suite",
            {"suite": DIGEST, "criteria": [CRITERION | {"threshold": 0.5}]},
            "criteria",
        ),
        (
            "adopt_suite",
            {"suite": DIGEST, "criteria": [CRITERION | {"comparison": "equals"}]},
            "criteria",
        ),
        ("amend_charter", {"charter": {}}, "base"),
        ("amend_charter", {"base": 1}, "charter"),
        ("amend_charter", {"base": 0, "charter": charter.usual()}, "base"),
        ("amend_charter", {"base": 1, "charter": {"general_motion": {}}}, "charter"),
        ("admit_evaluator", {"organisation": "Office", "name": "Office"}, "organisation"),
        ("admit_evaluator", {"organisation": "office"}, "name"),
        ("allocate_compute", {}, "hours"),
        ("allocate_compute", {"hours": 0}, "hours"),
        ("allocate_compute", {"hours": "10"}, "hours"),
        ("allocate_compute", {"hours": 1.5}, "hours"),
        ("allocate_compute", {"hours": 10, "days": 0}, "days"),
        ("allocate_compute", {"hours": 10, "watts": 1}, "terms"),
        (
            "admit_evaluator",
            {"organisation": "office", "name": "Office", "website": "javascript:alert(1)"},
            "website",
        ),
    ],
)
def test_terms_that_cannot_be_used_are_refused_by_their_field(kind, given, field):
    with pytest.raises(TermsError) as refusal:
        terms.read(ProposalType(kind), given)
    assert refusal.value.field == field


def test_terms_have_one_form():
    read = terms.read(ProposalType.ADOPT_SUITE, {"suite": DIGEST, "criteria": [CRITERION]})
    assert read["criteria"][0]["threshold"] == "0.65"
    assert terms.read(ProposalType.ADOPT_SUITE, read) == read
    assert terms.read(ProposalType.AUTHORISE, {"conditions": {}, "days": None}) == {}


def test_a_charter_whose_rule_could_never_be_met_is_no_term():
    document = copy.deepcopy(charter.usual())
    document["authorise_deployment"]["emergency_hours"] = 5
    with pytest.raises(TermsError, match=r"emergency_hours must be at least 10 days"):
        terms.read(ProposalType.AMEND_CHARTER, {"base": 1, "charter": document})
