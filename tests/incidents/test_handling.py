"""What clerks do about an incident, who else may not, and what each act leaves behind."""

import itertools

import pytest

from oversight.accounts import services as accounts
from oversight.accounts.choices import BodyRole
from oversight.incidents.choices import TRANSITIONS, Category, Event, Harm, Severity, Status
from oversight.incidents.models import Incident
from oversight.incidents.services import handling, links, reporting
from oversight.ledger.models import Opening, PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.factories import (
    make_body,
    make_cast,
    make_deployment,
    make_model_version,
    make_person,
    make_run,
)
from tests.incidents.made import TEXT, TITLE, make_incident, make_report

pytestmark = pytest.mark.django_db

JUDGED = {"severity": Severity.HAZARD, "category": Category.PRIVACY, "harm": Harm.RIGHTS}
ACTS = {
    "triage": lambda by, row: handling.triage(
        by=by, incident=row, **JUDGED, title=TITLE, text=TEXT
    ),
    "assess": lambda by, row: handling.assess(by=by, incident=row, **JUDGED),
    "move": lambda by, row: handling.move_incident(
        by=by, incident=row, to=Status.REJECTED, reason="Spam."
    ),
    "publish": lambda by, row: handling.publish_text(by=by, incident=row, title="T", text="X"),
    "note": lambda by, row: handling.add_note(by=by, incident=row, text="Looked at."),
    "answer": lambda by, row: handling.answer_reporter(by=by, incident=row, text="When?"),
    "link": lambda by, row: links.link(by=by, incident=row, to=make_deployment()),
    "hide": lambda by, row: handling.hide_text(by=by, incident=row, reason="A name."),
    "restore": lambda by, row: handling.restore_text(by=by, incident=row, reason="None."),
}


@pytest.fixture(autouse=True)
def no_nudges(monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)


@pytest.fixture
def cast():
    return make_cast()


def leaf(type_):
    return PendingLeaf.objects.get(type=f"incidents.incident.{type_}")


def test_triage_judges_publishes_and_links_in_one_act(cast):
    deployment = make_deployment()
    incident = make_incident(cast.clerk, deployments=[deployment])
    assert (incident.status, incident.title, incident.text) == (Status.TRIAGED, TITLE, TEXT)
    assert incident.responded_at is not None
    assert leaf("moved").content["facts"] == {
        "body": cast.body.slug,
        "from": "received",
        "to": "triaged",
        "severity": "incident",
        "category": "wrong_answer",
        "harm": "economic",
    }
    assert Opening.objects.get(leaf_id=leaf("published").pk).value == {"title": TITLE, "text": TEXT}
    assert TITLE.encode() not in bytes(leaf("published").body)
    assert leaf("linked").content["facts"]["to"] == deployment.subject
    kinds = [event.kind for event in incident.events.all()]
    assert kinds == [Event.REPORTED, Event.MOVED, Event.PUBLISHED, Event.LINKED]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_but_a_clerk_of_its_body_acts(cast, act):
    incident, _ = make_report()
    make_body()
    elsewhere = make_person("A clerk elsewhere")
    accounts.appoint(by=cast.administrator, body=make_body(), person=elsewhere, role=BodyRole.CLERK)
    before = PendingLeaf.objects.count()
    roles = ("member", "chair", "evaluator", "operator", "auditor", "outsider", "administrator")
    for person in (*(cast.named(role) for role in roles), elsewhere):
        with pytest.raises(NotAllowed):
            ACTS[act](person, incident)
    written = PendingLeaf.objects.filter(subject=incident.subject).count()
    assert (written, PendingLeaf.objects.count() >= before) == (1, True)


def test_the_first_clerk_to_act_takes_up_what_no_body_has(cast):
    make_body()
    incident, _ = make_report()
    assert incident.body is None
    handling.answer_reporter(by=cast.clerk, incident=incident, text="Which use was it?")
    incident.refresh_from_db()
    assert incident.body == cast.body
    assert leaf("answered").content["facts"]["body"] == cast.body.slug


def test_a_state_changes_only_as_the_table_says(cast):
    incident, tried = make_incident(cast.clerk), 0
    for before, to in itertools.product(Status, Status):
        reason = "Because." if before in {Status.CLOSED, Status.REJECTED} else ""
        Incident.objects.filter(pk=incident.pk).update(status=before, ending_reason=reason)
        if to in TRANSITIONS[before]:
            moved = handling.move_incident(by=cast.clerk, incident=incident, to=to, reason="Done.")
            assert moved.status == to
            assert bool(moved.ending_reason) is (to in {Status.CLOSED, Status.REJECTED})
            tried += 1
        else:
            with pytest.raises(Conflict, match="it cannot become"):
                handling.move_incident(by=cast.clerk, incident=incident, to=to, reason="Done.")
            incident.refresh_from_db()
            assert incident.status == before
    assert tried == sum(map(len, TRANSITIONS.values()))


@pytest.mark.parametrize("to", [Status.CLOSED, Status.REJECTED])
@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "nul\x00"])
def test_nothing_ends_without_a_usable_public_reason(cast, to, reason):
    incident = make_incident(cast.clerk)
    with pytest.raises(Invalid) as refusal:
        handling.move_incident(by=cast.clerk, incident=incident, to=to, reason=reason)
    assert "reason" in refusal.value.fields


def test_a_report_is_rejected_unread_by_the_public(cast):
    incident, _ = make_report()
    ended = handling.move_incident(
        by=cast.clerk, incident=incident, to=Status.REJECTED, reason="An advertisement."
    )
    assert (ended.title, ended.published_at) == ("", None)
    # It comes back only by a triage, which judges it and writes its text.
    with pytest.raises(Conflict, match="Triage it"):
        handling.move_incident(by=cast.clerk, incident=ended, to=Status.TRIAGED)
    ACTS["triage"](cast.clerk, ended)


@pytest.mark.parametrize("act", ["assess", "publish", "note", "hide"])
def test_what_was_not_triaged_has_nothing_to_change(cast, act):
    incident, _ = make_report()
    with pytest.raises(Conflict):
        ACTS[act](cast.clerk, incident)


def test_hidden_words_are_hidden_with_a_reason_and_come_back(cast):
    incident = make_incident(cast.clerk)
    hidden = handling.hide_text(by=cast.clerk, incident=incident, reason="It named a person.")
    assert (hidden.shown_title, hidden.shown_text) == ("Hidden by a clerk", "")
    with pytest.raises(Conflict, match="hidden already"):
        handling.hide_text(by=cast.clerk, incident=incident, reason="Again.")
    shown = handling.restore_text(by=cast.clerk, incident=incident, reason="It names nobody.")
    assert shown.shown_title == TITLE
    with pytest.raises(Conflict, match="not hidden"):
        handling.restore_text(by=cast.clerk, incident=incident, reason="Again.")


def test_what_a_clerk_writes_to_the_reporter_is_read_under_the_link_alone(cast):
    incident, secret = make_report()
    handling.answer_reporter(by=cast.clerk, incident=incident, text="Which day was it?")
    told = reporting.incident_of(secret).messages.get()
    assert (told.author, told.text) == (cast.clerk, "Which day was it?")
    assert "Which day" not in " ".join(incident.events.values_list("text", flat=True))


def test_links_lead_both_ways_once_and_can_be_taken_back(cast):
    incident = make_incident(cast.clerk)
    version, run = make_model_version(), make_run()
    kept = links.link(by=cast.clerk, incident=incident, to=version)
    links.link(by=cast.clerk, incident=incident, to=run)
    with pytest.raises(Conflict, match="linked to"):
        links.link(by=cast.clerk, incident=incident, to=version)
    assert list(Incident.objects.about("version", [version])) == [incident]
    links.unlink(by=cast.clerk, link=kept)
    assert not Incident.objects.about("version", [version]).exists()
    assert Incident.objects.about("run", [run]).exists()
    with pytest.raises(Conflict, match="taken back already"):
        links.unlink(by=cast.clerk, link=kept)
    assert leaf("unlinked").content["facts"]["to"] == version.subject


def test_links_are_bounded(cast, monkeypatch):
    monkeypatch.setattr(links, "MOST_LINKS", 1)
    incident = make_incident(cast.clerk, deployments=[make_deployment()])
    with pytest.raises(Conflict, match="at most 1"):
        links.link(by=cast.clerk, incident=incident, to=make_model_version())


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 161}, "title"),
        ({"text": ""}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "nul\x00"}, "text"),
    ],
)
def test_a_public_text_that_cannot_be_used_is_refused(cast, fields, named):
    with pytest.raises(Invalid) as refusal:
        make_incident(cast.clerk, **fields)
    assert named in refusal.value.fields
    assert Incident.objects.get().status == Status.RECEIVED
