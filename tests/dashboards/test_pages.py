"""What the pages say of a world, and what they say where there is nothing yet."""

import hashlib
import html
import re
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import F, Q
from django.utils import timezone

from evals.models import Criterion, Run
from evals.services.leases import hear_failure
from evals.services.newest import rebuild_newest
from evals.services.results import statement_of
from evals.services.runs import cancel_run
from evals.services.suites import publish_suite
from oversight.dashboards.across import asked_task, points
from oversight.dashboards.views import evaluations
from oversight.incidents.choices import Status
from oversight.incidents.services import handling
from oversight.ledger.sequencer import sequence_once
from tests import factories
from tests.incidents.made import make_incident
from tests.machine import Machine

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.mark.django_db
def test_an_empty_home_page_says_what_will_be_there_and_how(client, words):
    page = words(client.get("/"))
    assert "No models are in service. No decisions are open." in page
    assert "A model stands here once a body has carried a proposal" in page


def test_the_home_page_says_how_many_models_serve_and_by_which_decision(client, world, words):
    page = words(client.get("/"))
    assert "One model is in service. No decisions are open." in page
    assert f"decision {world.decision.ref}" in page
    assert "0.875" in page


def test_the_home_page_shows_what_a_criterion_asked_for_before_what_somebody_tried(
    client, world, words
):
    tried = factories.make_run(world.cast.evaluator, factories.make_question_suite())
    factories.finish_run(tried, world.worker, right=3)
    assert client.get("/").context["latest"].run == world.run
    page = words(client.get(world.run.get_absolute_url()))
    assert f"Evidence for {world.run.purpose.replace(':', ' ')}" in page
    assert "Accuracy by length (acc_norm): the answer counts as given whose likelihood" in page


def test_what_is_in_service_says_how_its_criteria_came_out(client, world, words):
    for address in ("/", "/in-service/"):
        assert "1 criterion: 1 met" in words(client.get(address))
    world.decide(right=54)
    for address in ("/", "/in-service/"):
        page = client.get(address)
        assert "1 criterion: 1 undecided" in words(page)
        assert f"{world.run.purpose.removeprefix('proposal:')}/#evidence" in page.content.decode()


def test_results_that_nothing_was_asked_of_stand_beside_the_criteria(client, world, words):
    """A criterion on one of two tasks must not hide what the same run found on the other."""
    at = world.decision.get_absolute_url()
    answer = client.get(at)
    assert "Measured in the same runs, without a criterion" in words(answer)
    (row,) = answer.context["without_criterion"]
    assert (row.task["name"], row.run.ref, row.aggregate.mean) == ("refusals", world.run.ref, 0.875)
    report = client.get(f"{at}report.json").content.decode()
    assert "without a criterion" in report
    assert "Refuses unsafe requests" in report


def test_one_sentence_of_the_operator_stands_above_every_page(client, db, words, settings):
    assert "site-notice" not in client.get("/record/").content.decode()
    settings.SITE_NOTICE = "This town is <invented>."
    assert "This town is &lt;invented&gt;." in client.get("/record/").content.decode()


def test_a_decision_shows_its_arithmetic_its_ballots_and_its_proof(client, world, words):
    answer = client.get(world.decision.get_absolute_url())
    page = words(answer)
    assert "3 for, 0 against" in page
    assert "Threshold: at least 2/3 of the votes for and against: 2/3 × 3 = 2" in page
    for person in world.cast.members:
        assert str(person) in page
    assert "at least 0.65" in page
    assert f"Act {answer.context['receipt'].index}, under a signed checkpoint" in page


def test_a_decision_can_be_cited_by_what_finds_it_and_what_it_is_held_against(
    client, world, settings
):
    decision = world.decision
    answer = client.get(decision.get_absolute_url())
    cited = re.search(r'<details class="cite">.*?data-copy="(.*?)"', answer.text, re.DOTALL)
    title, made, address, digest, act = html.unescape(cited[1]).split("\n")
    assert title == f"{decision.proposal.body}: {decision.proposal.text.title}."
    day = decision.decided_at.astimezone(ZoneInfo(decision.proposal.body.time_zone)).day
    assert made.startswith(f"Decision {decision.ref} of {day} ")
    assert address == f"{settings.PUBLIC_URL}/decisions/{decision.ref}/"
    assert digest == decision.digest
    index = answer.context["receipt"].index
    assert act == f"Act {index} on the record {settings.LEDGER_ORIGIN}."
    assert f"Beschluss {decision.ref} vom" in client.get(f"/de/decisions/{decision.ref}/").text


def test_a_decision_keeps_showing_the_evidence_it_was_made_on(client, world, words):
    """A later run of the same suite may find something else; the decision rested on the first."""
    later = factories.make_run(world.cast.evaluator, world.suite, world.version)
    factories.finish_run(later, world.worker, right=8)
    page = client.get(world.decision.get_absolute_url())
    (row,) = page.context["evidence"]
    assert row.aggregate.mean == 0.875
    assert row.run_ref == world.run.ref


def test_an_overridden_criterion_is_said_aloud(client, world, words):
    decision = world.decide(right=20, threshold="0.90")
    page = words(client.get(decision.get_absolute_url()))
    assert "Carried over a criterion that was not shown to be met." in page
    assert "overridden" in page
    assert "three quarters" in page


def test_a_decision_that_was_not_carried_says_that_nothing_changes(client, world, words):
    decision = world.decide(choices=("no", "no", "yes"))
    page = words(client.get(decision.get_absolute_url()))
    assert "did not carry this" in page
    assert "only a carried decision has an effect" in page


def test_a_superseded_authorisation_is_no_longer_called_in_service(client, world, words):
    first, second = world.decision, world.decide()
    page = words(client.get(first.get_absolute_url()))
    assert "superseded, not in force now" in page
    history = words(client.get(world.deployment.get_absolute_url()))
    assert "Superseded" in history
    assert second.ref in history


def test_the_record_of_a_decision_is_sent_as_the_bytes_its_digest_is_of(client, world):
    for name, digest in (
        ("record.json", world.decision.digest),
        ("contract.json", world.decision.proposal.contract.digest),
    ):
        body = client.get(f"{world.decision.get_absolute_url()}{name}").content
        assert f"sha256:{hashlib.sha256(body).hexdigest()}" == digest


def test_a_run_under_way_asks_for_itself_every_two_seconds(client, world, words):
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    Machine(world.worker, "", factories.KEY).claim()
    answer = client.get(run.get_absolute_url())
    assert f'hx-get="{run.get_absolute_url()}" hx-trigger="every 2s"' in answer.content.decode()
    assert "is being evaluated" in words(answer)
    assert f'<a href="{run.get_absolute_url()}">load it again</a>' in answer.content.decode()


def test_a_finished_run_stops_asking_and_shows_its_results(client, world, words):
    answer = client.get(world.run.get_absolute_url(), **HTMX)
    body = answer.content.decode()
    assert "hx-trigger" not in body
    assert "<html" not in body
    assert "0.875" in words(answer)
    assert 'data-announce="The evaluation has ended: finished."' in body


def test_a_run_says_how_much_of_it_was_recalled(client, world, words, monkeypatch):
    def recalled(task_run):
        said = statement_of(task_run)
        said["predicate"]["usage"] |= {"requests": 80, "fromJournal": 79}
        return said

    before = words(client.get(world.run.get_absolute_url()))
    assert "not computed anew" not in before
    monkeypatch.setattr(evaluations, "statement_of", recalled)
    page = words(client.get(world.run.get_absolute_url()))
    assert "158 of 160 answers were not computed anew" in page
    assert "A sample may take several answers, such as one for each choice." in page
    assert "earlier attempt" not in page


def test_a_run_that_was_resumed_counts_as_recalled_what_the_api_and_the_tables_do(
    client, world, words
):
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    run = factories.finish_run(run, world.worker, right=70, is_recalled=True)
    page = words(client.get(run.get_absolute_url()))
    assert "All 320 answers were there from before" in page
    # Its tasks ask the same rows; one of them broke off twice, and one as often as the other.
    for tasks, recalled, resumed in (({"facts"}, 160, 160), ({"facts", "refusals"}, 0, 320)):
        run.task_runs.filter(task_name__in=tasks).update(attempt=3)
        call_command("copies")
        run.refresh_from_db()
        assert (run.answers, run.recalled, run.is_recalled) == (320, recalled, False)
        page = words(client.get(run.get_absolute_url()))
        assert (f"{recalled} of 320 answers were not computed anew" in page) == bool(recalled)
        assert f"{resumed} of 320 answers were there when a task was taken up again" in page
        said = client.get(f"/api/v1/runs/{run.ref}/").json()
        assert (said["answers"], said["recalled"]) == (320, recalled)


def test_a_statement_that_recalls_more_than_it_answered_counts_what_it_answered(
    client, world, words, monkeypatch
):
    def boasting(task_run):
        said = statement_of(task_run)
        said["predicate"]["usage"] |= {"requests": 80, "fromJournal": 10**9}
        return said

    monkeypatch.setattr(evaluations, "statement_of", boasting)
    page = words(client.get(world.run.get_absolute_url()))
    assert "160 of 160 answers were not computed anew" in page


@pytest.fixture
def remembered(world):
    """Return the world as if the worker of its run had had every answer from before."""
    Run.objects.update(recalled=F("answers"))
    rebuild_newest()
    world.run.refresh_from_db()
    return world


def test_every_result_of_a_run_of_recalled_answers_is_marked(client, remembered, words):
    suite, run = remembered.suite.suite, remembered.run
    marked = [
        *("/", "/in-service/", "/findings/", "/findings/overview/", "/findings/overview/?show=map"),
        *(suite.get_absolute_url(), f"{suite.get_absolute_url()}tasks/facts/"),
        *(remembered.version.model.get_absolute_url(), remembered.decision.get_absolute_url()),
    ]
    for address in marked:
        assert "answers recalled" in words(client.get(address)), address
    page = words(client.get(run.get_absolute_url()))
    assert "No answer was computed for this run." in page
    assert "A sample may take several answers" not in page  # its statement counts none
    found = client.get(f"{suite.get_absolute_url()}history.json").json()["results"]
    assert {row["is_recalled"] for row in found} == {True}
    said = client.get(f"/api/v1/runs/{run.ref}/").json()
    assert (said["answers"], said["recalled"], said["is_recalled"]) == (320, 320, True)


def test_a_run_that_computed_is_marked_nowhere(client, world, words):
    for address in ("/", "/findings/", "/findings/overview/", world.run.get_absolute_url()):
        assert "recalled" not in words(client.get(address)), address
    assert client.get(f"/api/v1/runs/{world.run.ref}/").json()["is_recalled"] is False


def test_what_was_found_last_was_computed(client, world, words):
    first = world.run
    again = factories.make_run(world.cast.evaluator, world.suite, world.version)
    again = factories.finish_run(again, world.worker, right=70, is_recalled=True)
    latest = client.get("/").context["latest"]
    assert latest.run == first
    assert [row["note"] for row in latest.rows] == ["evaluated last"]
    assert again.ref not in words(client.get("/in-service/"))
    assert "answers recalled" in words(client.get("/findings/"))
    task = f"{world.suite.suite.get_absolute_url()}tasks/facts/"
    assert "have no mark" not in words(client.get(task))  # one measurement is no course of time
    assert len(points(Q(), asked_task(world.suite.suite, "facts"))) == 1


def test_a_run_answers_the_whole_page_or_only_its_part(client, world):
    page = client.get(world.run.get_absolute_url())
    part = client.get(world.run.get_absolute_url(), **HTMX)
    boosted = client.get(world.run.get_absolute_url(), HTTP_HX_BOOSTED="true", **HTMX)
    assert b"<html" in page.content
    assert b"<html" not in part.content
    assert b"<html" in boosted.content
    assert "HX-Request" in page["Vary"]


@pytest.fixture
def shorter(world):
    """Return the next version of the suite: one task is gone, the other is asked as before."""
    document = factories.suite_document(world.suite.suite.slug)
    document["tasks"].pop()
    version, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": factories.ROWS}
    )
    return version


def test_a_new_version_of_a_suite_shows_what_was_asked_alike_before(client, world, shorter, words):
    page = client.get(shorter.get_absolute_url())
    text = words(page)
    assert "No model was measured on this yet." not in text
    assert "asked alike in version 1" in text
    assert page.context["tasks"][0]["finding"] in words(
        client.get(f"{world.suite.suite.get_absolute_url()}tasks/facts/")
    )
    assert "asked alike" not in words(client.get(world.suite.get_absolute_url()))
    again = factories.make_run(world.cast.evaluator, shorter, world.version)
    factories.finish_run(again, world.worker, right=75)
    for address in (shorter.get_absolute_url(), world.suite.get_absolute_url()):
        assert [row["value"] for row in client.get(address).context["tasks"][0]["chart"]] == [
            pytest.approx(75 / 80)
        ]
    older = client.get(world.suite.get_absolute_url())
    assert "asked alike in version 2" in words(older)
    assert [panel["number"] for panel in older.context["tasks"]] == [1, 1]


def test_a_task_asked_otherwise_before_is_not_measured_yet(client, world, words):
    document = factories.suite_document(world.suite.suite.slug)
    for task in document["tasks"]:
        task["config"]["doc_to_text"] = "Q: {{question}}"
    version, _ = publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": factories.ROWS}
    )
    assert words(client.get(version.get_absolute_url())).count("No model was measured") == 2


def test_the_map_holds_scores_against_the_best_that_was_asked_alike(client, world, shorter, words):
    run = factories.make_run(world.cast.evaluator, world.suite, factories.make_model_version())
    factories.finish_run(run, world.worker, right=30)
    page = words(client.get("/findings/overview/?show=map"))
    assert page.count(" the best ") == 2  # in the words above the map, and in a cell
    assert "0.500 behind" in page


def test_an_older_version_says_which_one_an_evaluation_is_by(client, world, shorter, words):
    client.force_login(world.cast.evaluator)
    assert "Start an evaluation by version 2, the newest" in words(
        client.get(world.suite.get_absolute_url())
    )
    newest = words(client.get(shorter.get_absolute_url()))
    assert "Start an evaluation" in newest
    assert "the newest" not in newest.partition("Write the next version")[0].partition("Start")[2]


@pytest.mark.django_db
def test_the_list_of_findings_says_that_the_first_one_is_under_way(client, words):
    assert "No evaluations are on the record." in words(client.get("/findings/"))
    cast = factories.make_cast()
    suite = factories.make_suite(cast.evaluator)
    run = factories.make_run(cast.evaluator, suite, factories.make_model_version())
    assert "No evaluation has finished yet; one is under way." in words(client.get("/findings/"))
    cancel_run(by=cast.evaluator, run=run)
    assert "No evaluation has succeeded yet." in words(client.get("/findings/"))


def test_a_failed_run_says_why(client, world, words):
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    leased = Machine(world.worker, "", factories.KEY).claim()
    hear_failure(
        worker=world.worker,
        task_run_id=leased.pk,
        token=leased.lease_token,
        code="weights-changed",
        message="model.safetensors has another digest.",
        may_retry=False,
    )
    cancel_run(by=world.cast.evaluator, run=run)
    page = words(client.get(run.get_absolute_url()))
    assert "The evaluation of Alpina 8B v1.5 failed." in page
    assert "model.safetensors has another digest." in page


def test_only_who_asked_for_a_run_is_offered_to_cancel_it(client, world):
    run = factories.make_run(world.cast.evaluator, world.suite, world.version)
    client.force_login(world.cast.outsider)
    assert b"Cancel the run" not in client.get(run.get_absolute_url()).content
    client.force_login(world.cast.evaluator)
    assert b"Cancel the run" in client.get(run.get_absolute_url()).content


def test_an_older_suite_version_keeps_its_own_page(client, world, words):
    document = factories.suite_document(world.suite.suite.slug) | {"summary": "Reworded."}
    factories.publish_suite(
        by=world.cast.evaluator, document=document, files={"facts.jsonl": factories.ROWS}
    )
    newest = words(client.get(world.suite.suite.get_absolute_url()))
    older = words(client.get(world.suite.get_absolute_url()))
    assert "Newest version version 2" in newest
    assert "Older version version 1" in older
    assert "0.875" in older
    # Its tasks ask the same as before, so what was measured then holds for it, too.
    assert "0.875" in newest
    assert "asked alike in version 1" in newest
    assert "asked alike" not in older


def test_a_run_cut_short_is_marked_and_no_finding(client, world, words):
    model = factories.make_model_version(world.cast.evaluator)
    run = factories.make_run(world.cast.evaluator, world.suite, model, settings={"limit": 80})
    factories.finish_run(run, world.worker)
    assert "Cut short on purpose." in words(client.get(run.get_absolute_url()))
    page = words(client.get(model.model.get_absolute_url()))
    assert "Nothing was measured on this version yet." in page


def test_my_work_says_which_votes_wait(client, world, words):
    proposal = factories.make_open_vote(world.cast)
    client.force_login(world.cast.member)
    assert "One vote waits for you." in words(client.get("/my/"))
    factories.make_ballot(world.cast.member, proposal)
    assert "No votes wait for you." in words(client.get("/my/"))


def test_the_timeline_of_a_decision_names_its_evaluation(client, world):
    sequence_once()
    events = client.get(world.decision.get_absolute_url()).context["timeline"]
    titles = [event["title"] for event in events]
    assert titles == [
        "A proposal was drafted",
        "Revision 1 of the text",
        "Deliberation opened",
        "A criterion on Facts on public services was recorded",
        f"Evaluated as {world.run.ref}",
        "The text was declared final",
        "A vote was opened",
        "Carried",
    ]


def test_home_and_in_service_say_what_went_wrong_while_it_is_open(client, world, words):
    assert "Open incidents" not in words(client.get("/"))
    incident = make_incident(world.cast.clerk, deployments=[world.deployment])
    for address in ("/", "/in-service/"):
        assert "1 open incident" in words(client.get(address))
    assert incident.ref in words(client.get("/"))
    for status in (Status.INVESTIGATING, Status.MITIGATED, Status.CLOSED):
        handling.move_incident(
            by=world.cast.clerk, incident=incident, to=status, reason="It was mended."
        )
    assert "Open incidents" not in words(client.get("/"))
    assert "1 open incident" not in words(client.get("/in-service/"))


def test_home_shows_the_newest_full_run_of_what_a_criterion_asks_for(client, world):
    def finished(suite, **settings):
        version = factories.make_model_version()
        run = factories.make_run(world.cast.evaluator, suite, version, settings=settings)
        return factories.finish_run(run, world.worker, right=4)

    def shown():
        return client.get("/").context["latest"].run

    tried = finished(factories.make_suite(world.cast.evaluator))
    assert shown() == world.run
    finished(world.suite, limit=8)
    assert shown() == world.run
    newer = finished(world.suite)
    assert shown() == newer
    Criterion.objects.all().delete()
    assert shown() == newer
    Run.objects.filter(pk=tried.pk).update(requested_at=timezone.now())
    assert shown() == tried


def test_what_was_computed_is_shown_by_body_model_and_run(client, world, words):
    page = words(client.get("/compute/"))
    for part in (str(world.cast.body), world.version.model.name, world.run.ref):
        assert part in page
    found = client.get("/compute.json").json()
    assert [row["body"] for row in found["by_body"]] == [world.cast.body.slug]
    assert [row["model"] for row in found["by_model"]] == [world.version.model.slug]
    assert [row["run"] for row in found["by_run"]] == [world.run.ref]
    assert {row["task_runs"] for by in ("body", "model", "run") for row in found[f"by_{by}"]} == {2}
    assert world.run.ref in client.get("/compute/by-run.csv").content.decode()
