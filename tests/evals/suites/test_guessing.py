"""What blind guessing scores: worked out from a suite's rows when it is published, or later."""

import copy

import pytest

from evals import artefacts
from evals.models import SuiteVersion
from evals.suites.guessing import guessing_of
from evals.tasks import mend_copies
from oversight.web.refusals import Refusal
from tests import factories
from tests.evals.suites.test_suite_rows import ROW, TASK

THREE = {**ROW, "choices": ["x", "y", "z"]}
SIX = {**ROW, "choices": list("uvwxyz")}


@pytest.fixture
def cast(db):
    return factories.make_cast()


def guess(*rows, task=TASK, **config):
    """Return what guessing scores on these rows."""
    asked = copy.deepcopy(task) | {"data": {"name": "facts.jsonl"}}
    asked["config"] |= config
    return guessing_of({"tasks": [asked]}, lambda data: rows if data == asked["data"] else ())


@pytest.mark.parametrize(
    ("rows", "config", "known"),
    [
        ([ROW, ROW], {}, "0.500000"),
        ([ROW, THREE, SIX], {}, "0.333333"),  # a half, a third and a sixth
        ([ROW], {"doc_to_choice": "{{choices}}"}, "0.500000"),
        ([ROW], {"doc_to_choice": ["A", "B", "C", "D"]}, "0.250000"),
        ([ROW], {"doc_to_choice": "{{[question, id, group]}}"}, "0.333333"),
    ],
)
def test_who_picks_by_lot_is_right_as_often_as_there_are_few_choices(rows, config, known):
    assert guess(*rows, **config) == {"facts": known}


def test_nobody_guesses_what_is_written_freely_and_a_stock_task_keeps_its_rows():
    assert guess(ROW, output_type="generate_until") == {}
    stock = {key: value for key, value in TASK.items() if key != "config"} | {"stock": "arc_easy"}
    assert guessing_of({"tasks": [stock]}, lambda _: [ROW]) == {}


def test_a_published_suite_says_what_guessing_scores(cast):
    version = factories.make_suite(cast.evaluator)
    assert version.guessing == {"facts": "0.500000", "refusals": "0.500000"}
    assert (version.guessing_on("facts"), version.guessing_on("gone")) == (0.5, None)


def test_what_a_server_of_before_left_out_is_worked_out_by_the_clock(cast, caplog, monkeypatch):
    version = factories.make_suite(cast.evaluator)
    SuiteVersion.objects.update(guessing=None)
    version.refresh_from_db()
    assert version.guessing_on("facts") is None

    def away(_):
        raise Refusal("The store does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(artefacts, "path_of", away)
        mend_copies()
    assert f"The rows of {version.subject} cannot be read." in caplog.text
    mend_copies()
    version.refresh_from_db()
    assert version.guessing_on("facts") == 0.5
    assert "Of 1 suites" in caplog.text
    caplog.clear()
    mend_copies()
    assert not caplog.records
