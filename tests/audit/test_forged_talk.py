"""Acts of a deliberation that do not follow from the log are named by the verifier."""

import pytest

from tests.audit.forge import CLERK, Forge

ARGUMENT = {"argument": "6a3f7f4e-3df5-4a53-9b6d-1a53b1b3c0aa"}
SUPPORT, WITHDRAW = "proposals.argument.supported", "proposals.argument.support_withdrawn"
MAP = {"input": f"sha256:{'1' * 64}", "map": f"sha256:{'2' * 64}"}


@pytest.fixture
def forge():
    """A body of three, and a motion that has its final text."""
    made = Forge(3)
    made.subject = f"proposal:{made.draft()}"
    return made


def contradictions(verify, forge):
    _, report = verify(forge.pack())
    return [c["says"] for c in report["checks"] if c["verdict"] == "contradicts"]


def test_an_honest_deliberation_is_proven(verify, forge):
    commits = {"text": f"sha256:{'3' * 64}"}
    side = {"side": "for"}
    forge.act("proposals.argument.made", "person:a", forge.subject, commits=commits, facts=side)
    for act in (SUPPORT, WITHDRAW, SUPPORT):
        forge.act(act, "person:b", forge.subject, facts=ARGUMENT)
    for act in ("hidden", "restored"):
        forge.act(f"proposals.argument.{act}", CLERK, forge.subject, facts=ARGUMENT)
    forge.act("proposals.opinions.mapped", "system:clock", forge.subject, digests=MAP)
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (0, "proven")


@pytest.mark.parametrize("acts", [(SUPPORT, SUPPORT), (WITHDRAW,), (SUPPORT, WITHDRAW, WITHDRAW)])
def test_support_that_counts_one_person_twice_is_refused(verify, forge, acts):
    for act in acts:
        forge.act(act, "person:b", forge.subject, facts=ARGUMENT)
    (says,) = contradictions(verify, forge)
    assert "counted twice, or was never there" in says


def test_an_argument_on_no_side_is_refused(verify, forge):
    forge.act("proposals.argument.made", "person:a", forge.subject, facts={"side": "both"})
    (says,) = contradictions(verify, forge)
    assert "it is on no side" in says


@pytest.mark.parametrize("kind", ["comment", "argument", "opinion_statement"])
@pytest.mark.parametrize("act", ["hidden", "restored"])
def test_nobody_but_a_clerk_moderates(verify, forge, kind, act):
    forge.act(f"proposals.{kind}.{act}", "person:000000", forge.subject)
    (says,) = contradictions(verify, forge)
    assert "is no clerk of the body" in says


def test_a_statement_after_the_deliberation_is_refused(verify, forge):
    forge.act("proposals.opinion_statement.made", "person:a", forge.subject)
    (says,) = contradictions(verify, forge)
    assert "it is in final_text" in says


@pytest.mark.parametrize(
    ("actor", "digests", "words"),
    [
        (CLERK, MAP, "who publishes it"),
        ("system:clock", {"map": MAP["map"]}, "a digest is missing"),
    ],
)
def test_a_map_that_cannot_be_drawn_again_is_refused(verify, forge, actor, digests, words):
    forge.act("proposals.opinions.mapped", actor, forge.subject, digests=digests)
    (says,) = contradictions(verify, forge)
    assert words in says


def test_a_map_published_in_the_deliberation_is_refused(verify, forge):
    forge.move(forge.subject.partition(":")[2], "final_text", "deliberation")
    forge.act("proposals.opinions.mapped", "system:clock", forge.subject, digests=MAP)
    (says,) = contradictions(verify, forge)
    assert "it is in deliberation" in says
