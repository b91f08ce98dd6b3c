"""Words of the pages: headlines, acts, subjects."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from django.utils.translation import override

import evals.choices
import oversight.accounts.choices
import oversight.incidents.choices
import oversight.registry.choices
import proposals.choices
from oversight.dashboards import acts, evidence, words
from oversight.registry.models import Authorisation

FLOORS = (
    oversight.accounts.choices.Leaf,
    oversight.registry.choices.Leaf,
    evals.choices.Leaf,
    proposals.choices.Leaf,
    oversight.incidents.choices.Leaf,
)


@pytest.mark.parametrize("leaf", [leaf for floor in FLOORS for leaf in floor], ids=str)
def test_every_type_of_leaf_is_said_in_words(leaf):
    assert acts.words(str(leaf)) != str(leaf)


def test_an_unknown_type_of_leaf_is_shown_by_its_name():
    assert acts.words("later.thing.done") == "later.thing.done"


@pytest.mark.parametrize(
    ("subject", "address"),
    [
        ("proposal:2026-001", "/proposals/2026-001/"),
        ("authorisation:2026-001", "/decisions/2026-001/"),
        ("run:run-0a1b2c3d", "/runs/run-0a1b2c3d/"),
        ("suite:public-service:2", "/suites/public-service/2/"),
        ("model:alpina", "/models/alpina/"),
        ("deployment:helpdesk", "/deployments/helpdesk/"),
        ("body:council", "/bodies/council/"),
        ("budget:2026-001", "/decisions/2026-001/"),
        ("incident:INC-2026-001", "/incidents/INC-2026-001/"),
        ("worker:00ff", ""),
        ("version:sha256:00", ""),
        ("model:../../admin", ""),
        ("suite:no-number", ""),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_a_subject_leads_to_its_page_where_it_has_one(subject, address):
    assert acts.subject_address(subject) == address


def test_numbers_in_headlines_are_words_as_long_as_they_are_short():
    assert words.counted(0, "model", "models") == "no models"
    assert words.counted(1, "model", "models") == "one model"
    assert words.counted(12, "model", "models") == "twelve models"
    assert words.counted(4812, "act", "acts") == "4,812 acts"


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["No models are in service.", "No decisions are open."]),
        ("fr", ["Aucun modèle n’est en service.", "Aucune décision n’est ouverte."]),
        ("de", ["Kein Modell ist im Einsatz.", "Kein Beschluss steht an."]),
    ],
)
def test_nothing_is_said_as_a_language_says_it(language, lines):
    with override(language):
        assert words.home_headline(0, 0) == lines


def test_an_authorisation_is_said_as_its_mark_on_the_pages_says_it():
    now = timezone.now()
    day = timedelta(days=1)
    row = Authorisation(state="granted", starts_at=now - day, ends_at=now + day)
    assert words.standing_words(row, now) == "In service"
    assert words.standing_words(row, now + 2 * day) == "Expired"
    row.state, row.suspended_until = "suspended", now + day / 2
    assert words.standing_words(row, now) == "Suspended"
    assert words.standing_words(row, now + 0.6 * day) == "In service"
    for state in ("revoked", "superseded"):
        row.state = state
        assert words.standing_words(row, now) == state.capitalize()
        assert words.standing_words(row, now + 2 * day) == state.capitalize()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "3 criteria: 2 met, 1 undecided"),
        ("fr", "3 critères\u202f: 2 remplis, 1 indéterminé"),
        ("de", "3 Kriterien: 2 erfüllt, 1 unentschieden"),
    ],
)
def test_how_several_criteria_came_out_agrees_with_their_number(language, said):
    rows = [{"outcome": outcome} for outcome in ("met", "met", "undecided")]
    with override(language):
        assert evidence.outcomes_in_words(SimpleNamespace(content={"criteria": rows})) == said
