"""Acts on incidents that do not follow from the log are named by the verifier."""

import pytest

from tests.audit.forge import BODY, CLERK, Forge

REPORTER, SUBJECT = "public:reporter", "incident:INC-2026-001"
COMMITS = {"text": f"sha256:{'3' * 64}"}
OUTSIDER = "person:nobody"


@pytest.fixture
def forge():
    """A body of three, and a report that it is to handle."""
    made = Forge(3)
    act(made, "reported", REPORTER)
    return made


def act(forge, what, actor=CLERK, body=BODY, subject=SUBJECT, **facts):
    forge.act(
        f"incidents.incident.{what}",
        actor,
        subject,
        commits=COMMITS,
        facts={"body": body, **facts},
    )


def move(forge, before, to, actor=CLERK):
    act(forge, "moved", actor, **{"from": before, "to": to})


def contradictions(verify, forge):
    _, report = verify(forge.pack())
    return [c["says"] for c in report["checks"] if c["verdict"] == "contradicts"]


def test_an_honest_incident_is_proven(verify, forge):
    act(forge, "added", REPORTER)
    act(forge, "answered")
    move(forge, "received", "triaged")
    for kind in ("published", "noted", "assessed", "hidden", "restored"):
        act(forge, kind)
    proposal = f"proposal:{forge.draft()}"
    act(forge, "linked", kind="suspension", to=proposal)
    act(forge, "unlinked", to=proposal)
    for before, to in (("triaged", "investigating"), ("investigating", "mitigated")):
        move(forge, before, to)
    move(forge, "mitigated", "closed")
    forge.act("incidents.incident.erased", "system:operator", SUBJECT, facts={"body": BODY})
    status, report = verify(forge.pack())
    assert (status, report["verdict"]) == (0, "proven")
    assert any("incidents" in str(check) for check in report["checks"])


@pytest.mark.parametrize(
    ("before", "to"),
    [("received", "closed"), ("received", "investigating"), ("received", "received")],
)
def test_a_move_that_no_table_has_is_refused(verify, forge, before, to):
    move(forge, before, to)
    (says,) = contradictions(verify, forge)
    assert "no move leads from" in says


def test_a_move_from_where_it_does_not_stand_is_refused(verify, forge):
    move(forge, "triaged", "closed")
    (says,) = contradictions(verify, forge)
    assert "the state it moves from" in says


@pytest.mark.parametrize("kind", ["answered", "hidden", "moved"])
def test_nobody_but_a_clerk_handles_it(verify, forge, kind):
    facts = {"from": "received", "to": "triaged"} if kind == "moved" else {}
    act(forge, kind, OUTSIDER, **facts)
    (says,) = contradictions(verify, forge)
    assert "is no clerk of the body" in says


@pytest.mark.parametrize("kind", ["published", "noted", "assessed"])
def test_what_was_not_triaged_has_no_public_text(verify, forge, kind):
    act(forge, kind)
    (says,) = contradictions(verify, forge)
    assert "it is in received" in says


def test_another_body_does_not_take_it_away(verify, forge):
    act(forge, "answered", body="elsewhere")
    (says,) = contradictions(verify, forge)
    assert "the body that handles it" in says


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("hidden", "hidden"), "it says so already"),
        (("restored",), "it says so already"),
        (("erased", "erased"), "erased before"),
        (("erased", "added"), "erased before"),
    ],
)
def test_an_act_twice_or_on_nothing_is_refused(verify, forge, kinds, words):
    actors = {"erased": "system:operator", "added": REPORTER}
    for kind in kinds:
        act(forge, kind, actors.get(kind, CLERK))
    (says,) = contradictions(verify, forge)
    assert words in says


def test_a_link_to_what_is_not_on_the_log_is_refused(verify, forge):
    act(forge, "linked", kind="deployment", to="deployment:nowhere")
    (says,) = contradictions(verify, forge)
    assert "is not on the log before" in says


def test_a_review_is_linked_by_who_drafted_it_alone(verify, forge):
    proposal = f"proposal:{forge.draft()}"
    act(forge, "linked", OUTSIDER, kind="review", to=proposal)
    (says,) = contradictions(verify, forge)
    assert "who drafted the proposal" in says


@pytest.mark.parametrize("actor", [CLERK, OUTSIDER, "system:clock"])
def test_a_report_comes_from_the_public(verify, actor):
    forge = Forge(3)
    act(forge, "reported", actor)
    (says,) = contradictions(verify, forge)
    assert "who reports" in says
