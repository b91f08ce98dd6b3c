"""What pure modules say: English, and in the reader's language for whoever asks."""

import pytest
from django.utils.translation import override

from oversight.registry import conditions, descriptions, licences
from oversight.registry.conditions import ConditionError
from oversight.registry.descriptions import DescriptionError
from oversight.web.languages import spoken
from oversight.web.marks import Said
from proposals import papers


def test_it_is_the_english_text_until_somebody_asks_for_it_in_another_language():
    said = Said("Write it in up to %(most)s characters.", most=4000)
    assert said == "Write it in up to 4,000 characters."
    with override("de"):
        assert spoken(said) == "Schreiben Sie es in höchstens 4.000 Zeichen."
        assert said == "Write it in up to 4,000 characters."
    assert spoken(said) == said


def test_a_text_that_is_filled_into_another_is_translated_too():
    inner = Said("Write it in one line.")
    with override("fr"):
        assert spoken(Said("%(text)s", text=inner)) == "Écrivez-le sur une seule ligne."
        assert spoken("Name one option.") == "Name one option."


DESCRIPTIONS = [
    3,
    {"no": "field"},
    {"developer": 3},
    {"developer": "a\x07"},
    {"developer": "a\nb"},
    {"website": "none"},
    {"languages": "de"},
    {"languages": ["Deutsch!"]},
]


@pytest.mark.parametrize("given", DESCRIPTIONS)
def test_every_refusal_of_a_description_is_translated(given):
    with pytest.raises(DescriptionError) as refusal:
        descriptions.read("version", given)
    with override("ar-xb"):
        assert spoken(refusal.value.problem).startswith("[")


@pytest.mark.parametrize(
    "given",
    [
        3,
        {"no": 1},
        {"audience": 3},
        {"languages": "de"},
        {"languages": ["Deutsch!"]},
        {"requests_per_minute": 0},
        {"system_prompt": "x"},
        {"maximum_temperature": "hot"},
    ],
)
def test_every_refusal_of_a_condition_is_translated(given):
    with pytest.raises(ConditionError) as refusal:
        conditions.read(given)
    with override("ar-xb"):
        assert spoken(refusal.value.problem).startswith("[")


def test_a_refused_licence_and_a_refused_ballot_speak_the_readers_language():
    with pytest.raises(licences.LicenceError) as refusal:
        licences.read("free")
    contract = {"method": "irv", "options": ["Ada", "Bo"], "highest": None}
    with override("de"):
        assert spoken(refusal.value.args[0]).startswith("„free“ ist keine SPDX-Lizenz")
        with pytest.raises(papers.PaperError, match="„Ada“ steht zweimal"):
            papers.read(contract, {"ranking": ["Ada", "Ada"]})
