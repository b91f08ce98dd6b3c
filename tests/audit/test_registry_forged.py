"""What things say, what was made from what, and checks of endpoints: replayed in their order."""

import pytest

from tests.audit.forge import CLERK, Forge

ONE, TWO, THREE = (f"sha256:{letter * 64}" for letter in "abc")
SUITE = f"sha256:{'d' * 64}"


def begun():
    """Return a log with three versions of a model, and a suite."""
    forge = Forge()
    forge.act("registry.model.registered", CLERK, "model:alpina", facts={})
    for label, digest in enumerate((ONE, TWO, THREE)):
        forge.act(
            "registry.version.registered",
            CLERK,
            f"version:{digest}",
            digests={"manifest": digest},
            facts={"model": "alpina", "label": str(label), "licence": ""},
        )
    forge.act(
        "evals.suite.published",
        CLERK,
        "suite:town:1",
        digests={"document": SUITE},
        facts={"tasks": 1},
    )
    return forge


def written(*acts):
    forge = begun()
    for kind, about, words in acts:
        forge.act(kind, CLERK, f"version:{about}", **words)
    return forge.pack()


def describes(number, about=ONE):
    words = {"digests": {"description": SUITE}, "facts": {"number": number}}
    return "registry.description.written", about, words


def descends(child, parent):
    words = {"digests": {"parent": parent}, "facts": {"kind": "merge"}}
    return "registry.descent.stated", child, words


def plans(suite=SUITE):
    facts = {"items": 50, "every_hours": 24, "agreement": "0.90"}
    return "evals.check.planned", ONE, {"digests": {"suite": suite}, "facts": facts}


ENDS = ("evals.check.ended", ONE, {"facts": {}})
JUDGED = (
    "evals.check.judged",
    ONE,
    {"digests": {"findings": SUITE}, "facts": {"answerers": 2, "compared": 1, "alarms": 0}},
)


@pytest.mark.parametrize(
    "acts",
    [
        [describes(1), describes(2), describes(1, TWO)],
        [descends(TWO, ONE), descends(THREE, TWO), descends(THREE, ONE)],
        [plans(), JUDGED, ENDS, JUDGED, plans()],
    ],
)
def test_what_the_system_writes_is_proven(verify_here, acts):
    status, report = verify_here(written(*acts))
    assert status == 0, report


@pytest.mark.parametrize(
    "acts",
    [
        [describes(2)],
        [describes(1), describes(1)],
        [describes(1), describes(3)],
        [describes(1, SUITE)],
        [descends(ONE, ONE)],
        [descends(TWO, ONE), descends(ONE, TWO)],
        [descends(TWO, ONE), descends(THREE, TWO), descends(ONE, THREE)],
        [descends(TWO, ONE), descends(TWO, ONE)],
        [descends(TWO, SUITE)],
        [JUDGED],
        [ENDS],
        [plans(ONE)],
        [plans(), plans()],
        [plans(), ENDS, ENDS],
    ],
)
def test_what_it_never_writes_is_contradicted(verify_here, acts):
    assert verify_here(written(*acts))[0] == 1
