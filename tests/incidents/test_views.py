"""Pages of incidents: reporting and following without an account, handling by a body's clerks."""

from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oversight.accounts.choices import Scope
from oversight.accounts.services import create_api_key
from oversight.incidents.choices import Category, Harm, Severity, Status
from oversight.incidents.models import Incident
from oversight.incidents.services import handling, links, reporting
from oversight.registry import gate
from proposals.models import Proposal
from tests.api.conftest import bearer
from tests.factories import (
    make_cast,
    make_decision,
    make_deployment,
    make_model_version,
    quick_charter,
)
from tests.incidents.made import PNG, TEXT, TITLE, WORDS, form, make_incident, make_report

pytestmark = pytest.mark.django_db
REPORT = "/incidents/report/"


@pytest.fixture
def cast():
    return make_cast(charter=quick_charter())


def sent(**fields):
    return {"form": form(), "text": WORDS, "category": "privacy", "website": ""} | fields


def page(answer) -> str:
    return answer.content.decode()


# -- Reporting


def test_a_visitor_reports_and_is_led_to_the_secret_link(client, cast):
    deployment = make_deployment()
    shown = client.get(f"{REPORT}?deployment={deployment.slug}")
    assert shown.status_code == 200
    assert "no-store" in shown["Cache-Control"]
    assert f'<option value="{deployment.pk}" selected>' in page(shown)
    answer = client.post(
        REPORT,
        sent(
            deployment=deployment.pk,
            email="ada@example.org",
            occurred_on="2026-11-01",
            attachments=[SimpleUploadedFile("a.png", PNG), SimpleUploadedFile("b.txt", b"log")],
        ),
    )
    incident = Incident.objects.get()
    assert incident.files.count() == 2
    assert incident.report.deployment == deployment
    secret = answer["Location"].split("/")[-2]
    assert answer["Location"] == reverse("incident-follow", args=[secret])
    assert reporting.incident_of(secret) == incident
    followed = client.get(answer["Location"])
    assert followed["Referrer-Policy"] == "same-origin"
    assert "noindex" in followed["X-Robots-Tag"]
    assert "Your report waits to be looked at." in page(followed)


def test_a_form_filled_in_by_a_program_is_refused_and_says_why(client, cast):
    answer = client.post(REPORT, sent(website="https://spam.example"))
    assert answer.status_code == 422
    assert "tells programs from people" in page(answer)
    assert not Incident.objects.exists()


def test_a_form_sent_too_fast_keeps_what_was_typed_and_can_be_sent_again(client, cast):
    token = form(0)
    answer = client.post(REPORT, sent(form=token))
    assert answer.status_code == 422
    assert "because programs send such" in page(answer)
    assert "needs mending" not in page(answer)
    assert token in page(answer)
    assert "Ada Canary" in page(answer)


def test_a_refused_report_asks_for_its_files_again(client, cast):
    file = SimpleUploadedFile("a.txt", b"words")
    assert "Choose them again" in page(client.post(REPORT, sent(text="", attachments=file)))
    assert "Choose them again" not in page(client.post(REPORT, sent(text="")))


def test_a_file_that_is_not_taken_is_named_beside_whatever_else_is_wrong(client, cast):
    file = SimpleUploadedFile("a.exe", b"MZ\x00\xff")
    for wrong in ({"text": ""}, {}):
        said = page(client.post(REPORT, sent(attachments=file, **wrong)))
        assert "a.exe is not what is taken here: PDF, PNG, JPEG or plain text." in said
        assert "Choose them again" in said
        file.seek(0)


def test_a_worn_form_gets_a_new_token_and_keeps_what_was_typed(client, cast):
    for token in (form(90_000), "nonsense"):
        answer = client.post(REPORT, sent(form=token))
        assert answer.status_code == 422
        assert token not in page(answer)
        assert "Ada Canary" in page(answer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", "x" * 10_001),
        ("category", "poem"),
        ("category", ""),
        ("deployment", "99999999999"),
        ("deployment", "nonsense"),
        ("occurred_on", "yesterday"),
        ("occurred_on", "3000-01-01"),
        ("email", "nobody"),
        ("relation", "boss"),
        ("form", ""),
    ],
)
def test_what_a_form_cannot_hold_is_named_and_nothing_is_taken(client, cast, field, value):
    answer = client.post(REPORT, sent(**{field: value}))
    assert answer.status_code == 422
    assert ("was not sent yet" if field == "form" else "needs mending") in page(answer)
    assert not Incident.objects.exists()


def test_an_address_that_reports_too_often_is_told_so(client, cast, settings):
    settings.INCIDENT_REPORTS_PER_DAY = 1
    assert client.post(REPORT, sent()).status_code == 302
    answer = client.post(REPORT, sent())
    assert answer.status_code == 429
    assert "come back tomorrow" in page(answer)


@pytest.mark.parametrize("path", [REPORT, "/api/v1/incidents/files/"])
def test_what_is_too_large_is_refused_before_it_is_read(client, cast, path):
    big = SimpleUploadedFile("big.txt", b"x" * 7_100_000)
    answer = client.post(path, sent(attachments=[big]))
    assert answer.status_code == 413
    assert b"at most 7 MB" in answer.content


def test_a_session_of_somebody_else_cannot_be_made_to_report(cast):
    assert Client(enforce_csrf_checks=True).post(REPORT, sent()).status_code == 403


# -- Following


def test_who_has_the_link_reads_the_answer_and_adds(client, cast):
    incident, secret = make_report()
    handling.answer_reporter(by=cast.clerk, incident=incident, text="Which day was it?")
    address = reverse("incident-follow", args=[secret])
    assert "Which day was it?" in page(client.get(address))
    answer = client.post(address, {"text": "It was Monday."})
    assert answer.status_code == 302
    assert "It was Monday." in page(client.get(address))
    assert client.post(address, {"text": ""}).status_code == 422
    bad = {"text": "See this.", "attachments": SimpleUploadedFile("a.zip", b"PK\x03\x04\x00")}
    assert client.post(address, bad).status_code == 422
    assert incident.messages.count() == 2


@pytest.mark.parametrize("secret", ["x", "x" * 43, "x" * 5000, "%00", "..", "é"])
def test_a_wrong_link_leads_nowhere(client, cast, secret):
    make_report()
    assert client.get(f"/incidents/follow/{secret}/").status_code == 404


# -- Handling


def test_the_report_is_read_by_its_clerks_and_auditors_alone(client, cast):
    incident, _ = make_report(email="ada@example.org", files=[("a.png", PNG)])
    file = incident.files.get()
    for path in (
        f"/incidents/{incident.ref}/handle/",
        f"/incidents/{incident.ref}/files/{file.pk}/",
    ):
        assert client.get(path).status_code == 302
    readers = {"clerk", "auditor", "administrator"}
    for role in ("clerk", "auditor", "administrator", "member", "chair", "operator", "outsider"):
        client.force_login(cast.named(role))
        answer = client.get(f"/incidents/{incident.ref}/handle/")
        assert answer.status_code == (200 if role in readers else 403), role
        assert ("Ada Canary" in page(answer)) is (role in readers), role
        assert ("ada@example.org" in page(answer)) is (role in readers), role
        sent_file = client.get(f"/incidents/{incident.ref}/files/{file.pk}/")
        assert sent_file.status_code == (200 if role in readers else 403), role
        assert ("Triage and publish" in page(answer)) is (role == "clerk"), role
    client.force_login(cast.clerk)
    kept = client.get(f"/incidents/{incident.ref}/files/{file.pk}/")
    assert kept.content == PNG
    assert kept["Content-Disposition"].startswith("attachment")
    assert "sandbox" in kept["Content-Security-Policy"]


def test_a_clerk_handles_an_incident_from_report_to_close(client, cast):
    deployment = make_deployment()
    incident, _ = make_report(deployment=deployment)
    client.force_login(cast.clerk)

    def act(name, **fields):
        path = reverse("incident-act", args=[incident.ref, name])
        return client.post(path, {f"{name}-{field}": value for field, value in fields.items()})

    judged = {"severity": "incident", "category": "privacy", "harm": "rights"}
    answer = act("triage", **judged, title=TITLE, text=TEXT, deployment=deployment.pk)
    assert answer.status_code == 302
    assert act("note", text="The operator was asked.").status_code == 302
    assert act("answer", text="Thank you.").status_code == 302
    assert act("link", to=make_model_version().digest).status_code == 302
    assert act("link", to="no-such-use").status_code == 422
    assert act("assess", severity="hazard", category="privacy", harm="none").status_code == 302
    assert act("publish", title="Anew", text="Better words.").status_code == 302
    assert act("hide", reason="A name.").status_code == 302
    assert act("restore", reason="It is gone.").status_code == 302
    assert act("move", to="investigating").status_code == 302
    assert act("move", to="closed").status_code == 422
    assert act("move", to="received").status_code == 422
    assert act("move", to="closed", reason="The source is checked now.").status_code == 302
    incident.refresh_from_db()
    assert (incident.status, incident.title, incident.severity) == (
        Status.CLOSED,
        "Anew",
        Severity.HAZARD,
    )
    link = incident.links.get(version__isnull=False)
    path = reverse("incident-unlink", args=[incident.ref, link.pk])
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 409
    assert act("dance").status_code == 404
    public = page(Client().get(incident.get_absolute_url()))
    for words in ("Anew", "Better words.", "The operator was asked.", "The source is checked now."):
        assert words in public
    for private in (WORDS[:20], "Ada Canary", "Thank you."):
        assert private not in public


def test_who_handles_nothing_cannot_act_either(client, cast):
    incident, _ = make_report()
    path = reverse("incident-act", args=[incident.ref, "move"])
    for role in ("member", "outsider", "operator"):
        client.force_login(cast.named(role))
        assert client.post(path, {"move-to": "rejected", "move-reason": "x"}).status_code == 403
    client.force_login(cast.auditor)
    assert client.post(path, {"move-to": "rejected", "move-reason": "x"}).status_code == 403
    incident.refresh_from_db()
    assert incident.status == Status.RECEIVED


def test_a_suspension_and_its_clock_stand_on_the_page(client, cast):
    version, deployment = make_model_version(), make_deployment()
    decision = make_decision(cast, version=version, deployment=deployment)
    incident = make_incident(cast.clerk, deployments=[deployment])
    client.force_login(cast.clerk)
    handle = f"/incidents/{incident.ref}/handle/"
    assert "at once" in page(client.get(handle))
    path = reverse("incident-suspend", args=[incident.ref, decision.ref])
    assert client.post(path, {f"{decision.ref}-reason": ""}).status_code == 422
    assert client.post(path, {f"{decision.ref}-reason": "It names debts."}).status_code == 302
    assert not gate.answer(subject=version.digest, deployment_slug=deployment.slug).allowed
    assert "The ratification clock runs" in page(client.get(handle))
    public = page(Client().get(incident.get_absolute_url()))
    assert "Suspended in an emergency" in public
    assert "it lapses on" in public
    assert client.post(path, {f"{decision.ref}-reason": "Again."}).status_code == 409


def test_a_member_drafts_a_review_in_one_click_and_only_the_body_sees_it(client, cast):
    deployment = make_deployment()
    make_decision(cast, version=make_model_version(), deployment=deployment)
    incident = make_incident(cast.clerk, deployments=[deployment])
    client.force_login(cast.member)
    assert "Draft a proposal about it" in page(client.get(incident.get_absolute_url()))
    answer = client.post(reverse("incident-review", args=[incident.ref]))
    proposal = Proposal.objects.latest("pk")
    assert answer["Location"] == reverse("proposal-edit", args=[proposal.ref])
    assert client.get(answer["Location"]).status_code == 200
    assert proposal.ref not in page(Client().get(incident.get_absolute_url()))
    assert "Draft a proposal about it" not in page(Client().get(incident.get_absolute_url()))


# -- What everybody reads


def test_the_list_shows_what_was_checked_and_filters_narrow_it(client, cast):
    deployment = make_deployment()
    make_incident(cast.clerk, title="One of answers", deployments=[deployment])
    make_incident(
        cast.clerk,
        title="One of privacy",
        category=Category.PRIVACY,
        severity=Severity.HAZARD,
        harm=Harm.RIGHTS,
    )
    make_report()
    gone, _ = make_report()
    handling.move_incident(by=cast.clerk, incident=gone, to=Status.REJECTED, reason="Spam.")

    def titles(query=""):
        shown = client.get(f"/incidents/{query}")
        assert shown.status_code == 200, query
        return {
            each for each in ("One of answers", "One of privacy", gone.ref) if each in page(shown)
        }

    both = {"One of answers", "One of privacy"}
    assert titles() == both
    assert titles("?status=open") == both
    assert titles("?status=rejected") == {gone.ref}
    assert titles("?category=privacy") == {"One of privacy"}
    assert titles("?severity=incident") == {"One of answers"}
    assert titles(f"?deployment={deployment.slug}") == {"One of answers"}
    assert titles("?status=poem&severity=9&deployment=nothing") == both
    assert titles("?page=99999999999999999999") == both
    assert "1 report waits" in page(client.get("/incidents/"))


def test_the_twins_hold_what_the_page_shows_and_nothing_private(client, cast):
    make_incident(cast.clerk, title='=cmd|"evil"', deployments=[make_deployment()])
    make_report()
    rows = client.get("/incidents.json").json()["incidents"]
    assert [row["text"] for row in rows] == [TEXT]
    table = client.get("/incidents.csv?status=open")
    assert table["Content-Type"].startswith("text/csv")
    assert "'=cmd" in page(table)
    assert client.get("/incidents.json?status=closed").json() == {"incidents": []}
    oecd = client.get("/incidents/oecd.json").json()["incidents"]
    assert oecd[0]["incident_metadata"]["description"] == TEXT
    for path in (
        "/incidents.json",
        "/incidents.csv",
        "/incidents/oecd.json",
        "/incidents/feed.atom",
    ):
        assert "Ada Canary" not in page(client.get(path)), path


@pytest.mark.parametrize(
    ("prefix", "report", "linked"),
    [
        ("", "Report of ", "Linked: use "),
        ("/fr", "Signalement du ", "Lié\u202f: usage "),
        ("/de", "Meldung vom ", "Verknüpft: Einsatz "),
    ],
)
def test_an_incident_is_told_in_one_language(client, cast, prefix, report, linked):
    make_report()
    first = Incident.objects.get()
    assert f"<h1>{report}" in page(client.get(prefix + first.get_absolute_url()))
    deployment = make_deployment()
    found = make_incident(cast.clerk, deployments=[deployment])
    assert f"{linked}{deployment}" in page(client.get(prefix + found.get_absolute_url()))


def test_an_incident_stands_on_the_pages_of_its_use_and_its_model(client, cast):
    version, deployment = make_model_version(), make_deployment()
    incident = make_incident(cast.clerk, deployments=[deployment])
    links.link(by=cast.clerk, incident=incident, to=version)
    for path in (deployment.get_absolute_url(), version.model.get_absolute_url()):
        assert TITLE in page(client.get(path)), path
    handling.hide_text(by=cast.clerk, incident=incident, reason="It names a person.")
    for path in (deployment.get_absolute_url(), version.model.get_absolute_url(), "/incidents/"):
        assert TITLE not in page(client.get(path)), path


def test_hidden_words_stand_nowhere(client, cast):
    incident = make_incident(cast.clerk)
    handling.add_note(by=cast.clerk, incident=incident, text="A note with a name.")
    handling.hide_text(by=cast.clerk, incident=incident, reason="It names a person.")
    for path in (
        incident.get_absolute_url(),
        "/incidents/",
        "/incidents.json",
        "/incidents.csv",
        "/incidents/feed.atom",
        "/feeds/incidents.atom",
        f"/search/?q={incident.ref}",
        "/search/?q=named+a+debt",
        "/api/v1/search/?q=resident+debt",
        f"/incidents/{incident.ref}/oecd.json",
        f"/api/v1/incidents/{incident.ref}/",
        f"/api/v1/incidents/{incident.ref}/oecd/",
        "/api/v1/incidents/",
    ):
        shown = page(client.get(path))
        for words in (TITLE, TEXT, "A note with a name."):
            assert words not in shown, (path, words)
    assert "It names a person." in page(client.get(incident.get_absolute_url()))


def test_the_feed_tells_each_move_once_and_answers_304(client, cast):
    incident = make_incident(cast.clerk, title="<b>Odd</b> & title\x0b")
    handling.move_incident(by=cast.clerk, incident=incident, to=Status.MITIGATED)
    make_report()
    answer = client.get("/incidents/feed.atom")
    entries = ElementTree.fromstring(answer.content).findall("{http://www.w3.org/2005/Atom}entry")
    assert [each[0].text for each in entries] == [
        "Mitigated: <b>Odd</b> & title",
        "Triaged: <b>Odd</b> & title",
    ]
    assert client.get("/feeds/incidents.atom").content == answer.content
    again = client.get("/incidents/feed.atom", headers={"if_none_match": answer["ETag"]})
    assert again.status_code == 304


def test_the_numbers_count_every_report_and_judge_only_what_was_checked(client, cast):
    deployment = make_deployment()
    make_incident(cast.clerk, deployments=[deployment], severity=Severity.SERIOUS_INCIDENT)
    closed = make_incident(cast.clerk, deployments=[deployment])
    handling.move_incident(by=cast.clerk, incident=closed, to=Status.CLOSED, reason="Mended.")
    make_report(category=Category.SECURITY)
    found = client.get("/incidents/statistics.json").json()
    assert (found["total"], found["open"], found["answered"], found["waiting"]) == (3, 2, 2, 1)
    lines = {(line["by"], line["key"]): (line["number"], line["open"]) for line in found["lines"]}
    assert lines["status", "received"] == (1, 1)
    assert lines["severity", "serious_incident"] == (1, 1)
    assert lines["severity", "incident"] == (1, 0)
    assert lines["category", "security"] == (0, 0)
    assert lines["category", "wrong_answer"] == (2, 1)
    assert lines["deployment", deployment.slug] == (2, 1)
    shown = page(client.get("/incidents/statistics/"))
    assert "Three reports were received, two are open." in shown
    assert shown.count("<details>") == shown.count("<figure") == 4
    assert found == client.get("/api/v1/incidents/statistics/").json()
    assert "severity,hazard" in page(client.get("/incidents/statistics.csv"))


def test_time_to_the_first_act_is_the_median_that_some_report_waited(client, cast):
    from datetime import timedelta

    from django.db.models import F

    for hours in (1, 5, 2):
        row = make_incident(cast.clerk)
        Incident.objects.filter(pk=row.pk).update(
            responded_at=F("reported_at") + timedelta(hours=hours)
        )
    found = client.get("/incidents/statistics.json").json()
    assert (found["median_seconds"], found["slowest_seconds"]) == (7200, 18_000)


def test_the_list_costs_as_many_queries_for_many_as_for_one(client, cast):
    def cost(path):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    paths = ("/incidents/", "/incidents.json", "/incidents/oecd.json", "/api/v1/incidents/",
             "/incidents/statistics/", "/incidents/feed.atom")  # fmt: skip
    make_incident(cast.clerk, deployments=[make_deployment()])
    for path in paths:
        client.get(path)
    before = {path: cost(path) for path in paths}
    for _ in range(4):
        make_incident(cast.clerk, deployments=[make_deployment()])
    assert {path: cost(path) for path in paths} == before


def test_a_clerk_asks_for_the_incidents_that_they_handle_on_the_page_and_by_the_api(client, cast):
    other = make_cast()
    mine, closed, theirs = (make_incident(each.clerk) for each in (cast, cast, other))
    handling.move_incident(by=cast.clerk, incident=closed, to=Status.CLOSED, reason="It is over.")
    untouched, _ = make_report()
    _, secret = create_api_key(person=cast.clerk, name="P", scopes=[Scope.INCIDENTS_WRITE])
    _, blind = create_api_key(person=cast.clerk, name="Q", scopes=[Scope.NOTICES])

    def refs(bearing, query):
        rows = bearing.get(f"/api/v1/incidents/{query}").json()["results"]
        return {row["ref"] for row in rows}

    everything = {mine.ref, closed.ref, theirs.ref, untouched.ref}
    assert refs(bearer(secret), "?handled=me") == everything - {theirs.ref}
    assert refs(client, "") == everything
    assert refs(bearer(blind), "?handled=me") == refs(client, "?handled=me") == set()
    client.force_login(cast.clerk)
    listed = page(client.get("/incidents/?handled=me")).split('id="all"')[1]
    assert [row.ref in listed for row in (mine, closed, theirs)] == [True, True, False]
    rows = client.get("/incidents.json?handled=me").json()["incidents"]
    assert {row["ref"] for row in rows} == {mine.ref, closed.ref}


@pytest.mark.parametrize("role", ["anonymous", "member"])
def test_who_handles_no_incidents_is_not_asked_whose_to_show(client, cast, role):
    incident = make_incident(cast.clerk)
    if person := cast.named(role):
        client.force_login(person)
    listed = page(client.get("/incidents/?handled=me"))
    assert incident.ref in listed
    assert 'name="handled"' not in listed


def test_before_the_first_report_there_is_nothing_to_count(client, db):
    shown = page(client.get("/incidents/statistics/"))
    assert "No report was received yet." in shown
    assert "chart-grid" not in shown
    assert "/incidents/report/" in shown


def test_every_form_of_a_clerk_carries_the_token_without_which_it_is_refused(cast):
    incident = make_incident(cast.clerk, deployments=[make_deployment()])
    raw, _ = make_report()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.clerk)
    for ref in (incident.ref, raw.ref):
        shown = page(browser.get(f"/incidents/{ref}/handle/"))
        assert shown.count('<form method="post"') == shown.count('name="csrfmiddlewaretoken"'), ref
