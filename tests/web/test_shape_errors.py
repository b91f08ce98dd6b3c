"""A refused input of the API is told what may be written instead."""

import pytest
from rest_framework import serializers

from oversight.web.shape_errors import named_errors


class Part(serializers.Serializer):
    colour = serializers.ChoiceField(["red", "blue"])


class Shape(serializers.Serializer):
    state = serializers.ChoiceField(["open", "over"], allow_blank=True)
    digest = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z")
    classes = serializers.ListField(child=serializers.ChoiceField(["cpu", "gpu"]))
    part = Part()
    parts = Part(many=True)
    count = serializers.IntegerField()


GOOD = {
    "state": "open",
    "digest": "sha256:" + "0" * 64,
    "classes": ["cpu"],
    "part": {"colour": "red"},
    "parts": [{"colour": "blue"}],
    "count": 1,
}


def errors(**changed):
    shape = Shape(data=GOOD | changed)
    assert not shape.is_valid()
    return named_errors(shape)


def test_a_word_that_is_no_choice_is_told_the_choices():
    assert errors(state="shut") == {
        "state": ['"shut" is not a valid choice. Use one of open, over.']
    }


def test_a_text_that_matches_no_pattern_is_shown_the_pattern():
    (said,) = errors(digest="sha1:00")["digest"]
    assert said.endswith(r" Write it as \Asha256:[0-9a-f]{64}\Z.")


def test_choices_are_told_in_lists_and_in_nested_shapes():
    wrong = '"green" is not a valid choice. Use one of red, blue.'
    assert errors(classes=["cpu", "npu"]) == {
        "classes": {1: ['"npu" is not a valid choice. Use one of cpu, gpu.']}
    }
    assert errors(part={"colour": "green"}) == {"part": {"colour": [wrong]}}
    found = errors(parts=[{"colour": "red"}, {"colour": "green"}])
    assert found == {"parts": {1: {"colour": [wrong]}}}


def test_other_errors_are_as_they_were():
    assert errors(count="many") == {"count": ["A valid integer is required."]}
    assert errors(part=None, parts="none") == {
        "part": ["This field may not be null."],
        "parts": {"non_field_errors": ['Expected a list of items but got type "str".']},
    }
    shape = Shape(data=[])
    assert not shape.is_valid()
    assert list(named_errors(shape)) == ["non_field_errors"]


@pytest.mark.django_db
def test_the_api_answers_with_the_words(client):
    answer = client.post(
        "/api/v1/incidents/", {"category": "fire"}, content_type="application/json"
    )
    said = answer.json()["errors"]["category"]
    assert "Use one of " in said[0]
