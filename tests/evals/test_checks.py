"""Checks of endpoints: the same prompts to all who claim a version, paired, judged, told."""

from datetime import timedelta

import pytest

from evals.models import Check, CheckPlan, Run
from evals.services import checks
from evals.tasks import check_endpoints
from oversight.accounts.models import Notice
from oversight.ledger.models import PendingLeaf
from oversight.registry.documents import digest_of
from oversight.registry.models import Endpoint
from oversight.registry.services import describe, register_deployment, register_endpoint
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.factories import (
    finish_run,
    make_cast,
    make_decision,
    make_model_version,
    make_suite,
    make_worker,
)

pytestmark = pytest.mark.django_db


class Scene:
    """A version, two operators' endpoints that claim it, and a worker."""

    def __init__(self):
        self.cast = make_cast()
        self.version = make_model_version(self.cast.evaluator)
        self.suite = make_suite(self.cast.evaluator)
        self.worker = make_worker(self.cast.administrator, self.cast.organisation)
        self.north, self.south = self.endpoint("north"), self.endpoint("south")

    def endpoint(self, slug, **changes):
        cast = self.cast
        endpoint = register_endpoint(
            by=cast.operator,
            slug=slug,
            name=slug.title(),
            operator=cast.organisation,
            base_url=f"https://{slug}.example.org/v1",
        )
        told = {"version": self.version.digest, "served_as": "m", "interface": "completions"}
        describe(by=cast.operator, what=endpoint, document=told | changes)
        return endpoint

    def plan(self, **fields):
        words = {"by": self.cast.evaluator, "version": self.version, "suite_version": self.suite}
        return checks.plan_checks(**words | {"items": 80} | fields)

    def round(self, **right):
        """Let the sweep begin a round, answer it, and let the sweep judge it."""
        CheckPlan.objects.update(next_at=database_now() - timedelta(seconds=1))
        assert check_endpoints() == 1
        for part in Check.objects.get(judged_at=None).answerers.all():
            if part.run and part.run.is_active:
                finish_run(part.run, self.worker, right=right[part.name])
        assert check_endpoints() == 1
        return Check.objects.order_by("-pk")[0]


@pytest.fixture
def scene():
    return Scene()


def make_use(scene):
    """Return a use behind the southern endpoint that the version is authorised for."""
    use = register_deployment(
        by=scene.cast.operator,
        slug="desk",
        name="Desk",
        endpoint=scene.south,
        purpose="Answers.",
        audience="residents",
    )
    make_decision(scene.cast, version=scene.version, deployment=use)
    return use


def verdicts(check):
    return {(e["kind"], e["endpoint"], e["beside"]): e["verdict"] for e in check.findings}


def test_two_operators_that_answer_alike_raise_no_alarm(scene):
    scene.plan()
    found = scene.round(north=70, south=70)
    assert verdicts(found) == {("operator", "north", "south"): "alike"}
    assert found.findings[0]["compared"] == 160 == found.findings[0]["alike"]
    assert not Notice.objects.filter(subject__contains="do not answer as one").exists()


def test_every_endpoint_gets_the_same_prompts_anew_each_time(scene):
    scene.plan()
    scene.round(north=70, south=70)
    runs = list(Run.objects.order_by("pk"))
    assert [run.settings["endpoint"]["slug"] for run in runs] == ["north", "south"]
    for run in runs:
        assert run.settings["fresh"]
        assert run.settings["limit"] == 80
        assert run.settings["endpoint"]["base_url"].endswith(".example.org/v1")


def test_an_operator_with_other_weights_is_found_told_and_shown(scene, client):
    scene.plan()
    found = scene.round(north=70, south=20)
    assert verdicts(found) == {("operator", "north", "south"): "differs"}
    assert float(found.findings[0]["p_value"]) < 0.01
    told = Notice.objects.filter(subject__contains="do not answer as one")
    assert {notice.person for notice in told} == {scene.cast.operator, scene.cast.evaluator}
    page = client.get(scene.south.get_absolute_url()).content.decode()
    assert "Check raised an alarm" in page
    assert "Answers differ" in page
    use = make_use(scene)
    assert "Check raised an alarm" in client.get(use.get_absolute_url()).content.decode()
    assert client.get("/api/v1/checks/").json()["results"][0]["findings"] == found.findings


def test_what_stays_as_it_was_is_not_told_again(scene):
    scene.plan()
    scene.round(north=70, south=20)
    before = Notice.objects.count()
    scene.round(north=70, south=20)
    assert Notice.objects.count() == before


def test_an_endpoint_that_changes_is_found_by_its_own_answers_before(scene):
    Endpoint.objects.filter(pk=scene.south.pk).update(claimed_version=None)
    scene.plan()
    assert verdicts(scene.round(north=70)) == {}
    assert verdicts(scene.round(north=70)) == {("drift", "north", "north"): "alike"}
    assert verdicts(scene.round(north=20)) == {("drift", "north", "north"): "differs"}


def test_the_weights_themselves_say_who_is_wrong_and_answer_once(scene):
    scene.plan(with_weights=True)
    found = scene.round(north=70, south=20, weights=70)
    assert verdicts(found) == {
        ("weights", "north", "weights"): "alike",
        ("weights", "south", "weights"): "differs",
    }
    scene.round(north=70, south=20)
    assert Run.objects.filter(settings__backend="hf").count() == 1


def test_one_that_does_not_answer_or_cannot_be_asked_is_an_alarm(scene):
    scene.endpoint("vague", served_as="")
    scene.plan()
    CheckPlan.objects.update(next_at=database_now())
    check_endpoints()
    for part in Check.objects.get().answerers.exclude(run=None):
        if part.name == "north":
            finish_run(part.run, scene.worker, right={"facts": 70, "refusals": 70})
        else:
            Run.objects.filter(pk=part.run.pk).update(
                state="failed", reason="It is away.", started_at=database_now(),
                finished_at=database_now(),
            )  # fmt: skip
    check_endpoints()
    found = {each["endpoint"]: each for each in Check.objects.get().findings}
    assert found["south"]["reason"] == "It is away."
    assert "does not say under which name" in found["vague"]["reason"]
    assert {each["verdict"] for each in found.values()} == {"unanswered"}


def test_what_was_found_is_on_the_record_by_its_digest(scene):
    scene.plan()
    found = scene.round(north=70, south=20)
    leaf = PendingLeaf.objects.get(pk=found.leaf_id).content
    assert leaf["type"] == "evals.check.judged"
    assert leaf["subject"] == scene.version.subject
    assert leaf["digests"] == {"findings": digest_of({"findings": found.findings})}
    assert leaf["facts"] == {"answerers": 2, "compared": 1, "alarms": 1}


def test_a_round_is_begun_in_its_time_and_once(scene):
    plan = scene.plan(every_hours=24)
    assert check_endpoints() == 1
    assert check_endpoints() == 0
    assert checks.begin_check(plan_id=plan.pk) is None
    plan.refresh_from_db()
    assert plan.next_at > database_now() + timedelta(hours=23)
    with pytest.raises(Conflict, match="still under way"):
        checks.judge_check(check_id=Check.objects.get().pk)


def test_a_plan_that_was_ended_begins_no_round(scene):
    plan = scene.plan()
    checks.end_checks(by=scene.cast.evaluator, version=scene.version)
    assert checks.due_plans() == []
    assert checks.begin_check(plan_id=plan.pk) is None
    with pytest.raises(Conflict, match="not being checked"):
        checks.end_checks(by=scene.cast.evaluator, version=scene.version)
    scene.plan()


def test_a_version_has_one_plan(scene):
    scene.plan()
    with pytest.raises(Conflict, match="being checked already"):
        scene.plan()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": 4}, "items"),
        ({"items": True}, "items"),
        ({"every_hours": 721}, "every_hours"),
        ({"agreement": "0.3"}, "agreement"),
        ({"agreement": "NaN"}, "agreement"),
        ({"agreement": "many"}, "agreement"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(scene, changes, field):
    with pytest.raises(Invalid) as refusal:
        scene.plan(**changes)
    assert set(refusal.value.fields) == {field}


def test_who_may_not_start_runs_plans_no_checks(scene):
    with pytest.raises(NotAllowed):
        scene.plan(by=scene.cast.outsider)
    scene.plan()
    with pytest.raises(NotAllowed):
        checks.end_checks(by=scene.cast.member, version=scene.version)


# -- The page


def address(scene, *more):
    return "/".join(["/register/checks", scene.version.digest, *more, ""])


def sent(scene, **changes):
    words = {"suite": scene.suite.suite.pk, "items": 50, "every_hours": 24, "agreement": "0.90"}
    return words | changes


@pytest.mark.parametrize(
    ("who", "status"),
    [("anonymous", 302), ("outsider", 403), ("operator", 403), ("member", 200), ("evaluator", 200)],
)
def test_the_page_opens_for_those_who_may_start_runs(scene, client, who, status):
    if who != "anonymous":
        client.force_login(getattr(scene.cast, who))
    assert client.get(address(scene)).status_code == status


def test_checks_are_planned_and_ended_on_the_page(scene, client):
    client.force_login(scene.cast.evaluator)
    assert (
        "Check its endpoints" in client.get(scene.version.model.get_absolute_url()).content.decode()
    )
    page = client.get(address(scene)).content.decode()
    assert "North" in page
    assert client.post(address(scene), sent(scene)).status_code == 302
    plan = CheckPlan.objects.get()
    assert (plan.items, plan.every_hours, str(plan.agreement)) == (50, 24, "0.90")
    assert "End these checks" in client.get(address(scene)).content.decode()
    again = client.post(address(scene), sent(scene))
    assert again.status_code == 409
    assert client.post(address(scene, "end")).status_code == 302
    assert client.post(address(scene, "end")).status_code == 409
    assert client.get(address(scene, "end")).status_code == 405


@pytest.mark.parametrize("changes", [{"items": "many"}, {"suite": 0}, {"agreement": "0.2"}, {}])
def test_a_form_that_cannot_be_used_plans_nothing(scene, client, changes):
    client.force_login(scene.cast.evaluator)
    words = sent(scene, **changes) if changes else {}
    assert client.post(address(scene), words).status_code in {200, 422}
    assert not CheckPlan.objects.exists()
    assert client.get("/register/checks/sha256:0/").status_code == 404
