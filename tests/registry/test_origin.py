"""Weights that were converted say from what; nothing else that somebody writes is believed."""

import json

import pytest

from oversight.registry import origin
from oversight.registry.models import ModelVersion

NOTE = {
    "package": "llm-x",
    "version": "0.1.2",
    "gguf": {"name": "x.Q4_1.gguf", "sha256": "ab" * 32},
    "conversion": "gguf-to-safetensors/1 float32",
}


def test_a_note_beside_the_weights_becomes_the_card_and_says_what_was_converted(tmp_path):
    (tmp_path / "origin.json").write_text(json.dumps(NOTE))
    card = origin.card_of(tmp_path)
    assert card == {"origin": NOTE}
    said, digest = ModelVersion(card=card).made_from
    assert said == (
        "x.Q4_1.gguf of the package llm-x 0.1.2, converted by the recipe "
        "gguf-to-safetensors/1 float32"
    )
    assert digest == f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", json.dumps(NOTE | {"version": 1}), json.dumps(NOTE | {"gguf": "x"})],
)
def test_a_note_of_another_form_says_nothing(tmp_path, text):
    assert origin.card_of(tmp_path) == {}
    (tmp_path / "origin.json").write_text(text)
    assert origin.card_of(tmp_path) == {}


@pytest.mark.parametrize("card", [{}, {"origin": 1}, {"origin": {"gguf": {"name": []}}}])
def test_a_card_of_another_form_says_nothing(card):
    assert ModelVersion(card=card).made_from == ("", "")


def test_a_digest_that_is_none_is_left_out():
    note = NOTE | {"gguf": {"name": "x.gguf", "sha256": "AB"}}
    assert ModelVersion(card={"origin": note}).made_from[1] == ""
