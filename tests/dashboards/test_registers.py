"""Deployments in the fields of public registers: filled from the record, never made up."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oversight.dashboards.registers import algoritmeregister, annex_viii, atrs
from oversight.dashboards.registers.entry import entries_of
from oversight.registry.models import Authorisation
from oversight.registry.services import describe
from tests import factories
from tests.dashboards.conftest import REGISTERS

USE = {
    "goal": "People find opening hours at night.",
    "process": "After the phone, before the counter.",
    "alternatives": "A list on paper.",
    "input_data": "The question alone.",
    "legal_basis": "Information Act, article 3",
    "legal_basis_address": "https://law.example/3",
    "category": "impactful",
    "proportionality": "It costs little.",
    "impact_assessment": "DPIA of May 2026",
    "impact_address": "https://town.example/dpia",
    "human_oversight": "Staff read a tenth of the answers.",
    "risks": "It can be wrong.",
    "objection": "Write to the office.",
    "department": "Services",
    "contact": "ai@town.example",
    "begins_on": "2026-03-14",
}
CARD = {
    "provider": "A lab",
    "documentation": "https://lab.example/model",
    "method": "Transformer.",
    "source_code": "https://lab.example/code",
    "languages": ["de", "fr"],
}


def entry(deployment, now=None):
    (found,) = entries_of([deployment], now or timezone.now())
    return found


@pytest.fixture
def described(world):
    describe(by=world.cast.operator, what=world.deployment, document=USE)
    describe(by=world.cast.evaluator, what=world.version, document=CARD)
    return world.deployment


def test_a_described_deployment_fills_the_dutch_register(described, world):
    record = algoritmeregister.record_of(entry(described))
    assert algoritmeregister.missing_from(record) == []
    assert record["status"] == "In gebruik"
    assert record["begin_date"] == "2026-03"
    assert record["publication_category"] == "Impactvolle algoritmes"
    assert record["lawful_basis_grouping"] == [
        {"title": "Information Act, article 3", "link": "https://law.example/3"}
    ]
    assert world.version.digest in record["methods_and_models"]
    assert "one was met" in record["methods_and_models"]
    assert record["standard_version"] == "1.0"


def test_a_described_deployment_fills_the_british_standard(described):
    record = atrs.record_of(entry(described))
    assert atrs.missing_from(record) == []
    assert record["tier_1"]["contact_email"] == "ai@town.example"
    assert record["tier_2"]["4_tool_and_model_specification"]["phase"] == "Production"


def test_no_two_fields_of_the_british_standard_repeat_a_text(described):
    record = atrs.record_of(entry(described))
    texts = [
        words
        for section in record["tier_2"].values()
        for words in section.values()
        if words and " " in words
    ]
    assert sorted(texts) == sorted(set(texts))


def test_the_annex_says_which_papers_are_not_held_here(described):
    record = annex_viii.record_of(entry(described))
    assert annex_viii.missing_from(record) == ["10_member_states"]
    assert record["1_provider"] == "A lab"
    assert record["8_certificate"] is None


def test_what_nobody_wrote_is_said_to_be_missing_and_not_made_up(world):
    found = entry(world.deployment)
    record = algoritmeregister.record_of(found)
    assert algoritmeregister.missing_from(record) == ["contact_email", "publication_category"]
    assert record["goal"] is None
    assert "tier_1.contact_email" in atrs.missing_from(atrs.record_of(found))


def test_the_status_follows_the_authorisation_by_the_clock(described, world):
    ends = Authorisation.objects.get(decision_ref=world.decision.ref).ends_at
    after = entry(described, ends + timedelta(seconds=1))
    assert after.status == "ended"
    assert algoritmeregister.record_of(after)["end_date"] == f"{ends:%Y-%m}"
    other = factories.make_deployment(world.cast.operator, world.cast.organisation)
    assert algoritmeregister.record_of(entry(other))["status"] == "In ontwikkeling"


def test_texts_are_cut_to_what_the_register_takes(world):
    describe(by=world.cast.operator, what=world.deployment, document={"goal": "word " * 790})
    record = algoritmeregister.record_of(entry(world.deployment))
    assert len(record["goal"]) <= 2500
    assert record["goal"].endswith("…")


@pytest.mark.parametrize("name", REGISTERS)
def test_the_page_and_both_addresses_say_the_same(client, described, name, words):
    one = client.get(f"{described.get_absolute_url()}registers/{name}.json").json()
    every = client.get(f"/registers/{name}.json").json()
    assert one["records"][0] in every["records"]
    page = words(client.get(f"{described.get_absolute_url()}registers/"))
    assert one["register"].replace("'", "&#x27;") in page
    assert "People find opening hours at night." in page


def test_a_whole_register_costs_the_same_however_many_there_are(client, described, world):
    with CaptureQueriesContext(connection) as before:
        client.get("/registers/atrs.json")
    for _ in range(3):
        world.deployment = factories.make_deployment(world.cast.operator, world.cast.organisation)
        world.decide()
    with CaptureQueriesContext(connection) as after:
        client.get("/registers/atrs.json")
    assert len(after) == len(before) <= 10
