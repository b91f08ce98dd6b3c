"""Descriptions and findings of checks beside the real log: there, in scope, and held against it."""

import pytest

from oversight.ledger.sequencer import sequence_once
from oversight.registry.services import describe
from tests.audit.conftest import bundle_of
from tests.audit.forge import files_of, repacked
from tests.evals.test_checks import Scene, make_use
from tests.factories import make_model_version

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("own_log", "record_can_be_emptied_between_tests", "no_nudges"),
]


@pytest.fixture
def use():
    """A use that a checked endpoint serves; everything about it is described."""
    scene = Scene()
    use = make_use(scene)
    for number in (1, 2):
        describe(by=scene.cast.operator, what=use, document={"goal": f"Answers, {number}."})
    describe(
        by=scene.cast.evaluator, what=scene.version, document={"intended_use": "Plain answers."}
    )
    other = make_model_version(scene.cast.evaluator)
    describe(by=scene.cast.evaluator, what=other, document={"intended_use": "Other answers."})
    scene.plan()
    scene.round(north=70, south=20)
    sequence_once()
    return use


def beside_the_log(data):
    return {name for name in files_of(data) if name.startswith(("descriptions/", "checks/"))}


def test_what_is_said_and_found_stands_in_every_bundle_that_it_concerns(use, verify):
    row = use.authorisations.get()
    whole = bundle_of()
    in_scope = beside_the_log(bundle_of(deployment=use.slug))
    assert in_scope == beside_the_log(bundle_of(decision=row.decision_ref))
    assert {"descriptions/deployment/desk-1.json", "descriptions/deployment/desk-2.json"} < in_scope
    assert f"descriptions/version/{row.version.digest[7:]}-1.json" in in_scope
    assert "descriptions/endpoint/south-1.json" in in_scope
    assert any(name.startswith("checks/") for name in in_scope)
    assert len(beside_the_log(whole) - in_scope) == 2
    for data in (whole, bundle_of(deployment=use.slug), bundle_of(decision=row.decision_ref)):
        status, report = verify(data)
        assert status == 0, report


def test_one_changed_byte_of_a_document_is_found(use, verify_here):
    data = bundle_of(deployment=use.slug)
    files = files_of(data)
    for path in beside_the_log(data):
        forged = files | {path: files[path].replace(b'"', b"'", 1)}
        status, report = verify_here(repacked(forged.items(), {"kind": "log"}))
        assert status == 1
        assert f"the SHA-256 of {path}" in str(report)


def test_a_document_that_is_left_out_contradicts_nothing(use, verify_here):
    files = files_of(bundle_of())
    left = {name: data for name, data in files.items() if not name.startswith("descriptions/")}
    assert verify_here(repacked(left.items()))[0] == 0
