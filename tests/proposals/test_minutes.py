"""Minutes: filled in from the record, edited by a clerk, adopted for good, corrected anew."""

import json
from datetime import date, timedelta
from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from oversight.accounts import services as accounts
from oversight.ledger.models import PendingLeaf
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.choices import (
    MINUTES_TRANSITIONS,
    Leaf,
    MinutesStatus,
    ProposalType,
    StatementKind,
)
from proposals.digests import digest_of
from proposals.minutes import shown
from proposals.models import Minutes, Revision
from proposals.services import minutes as services
from proposals.services import roll
from proposals.services.annulment import record_ruling
from proposals.services.erasure import erase_person
from proposals.services.stages import annul_vote, withdraw
from proposals.services.statements import make_statement
from tests.factories import (
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_minutes,
    make_open_vote,
    make_person,
    make_proposal,
    quick_charter,
)
from tests.proposals.test_methods import ruled

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast(charter=quick_charter(recusal="declared"), body={"time_zone": "UTC"})


def today():
    return timezone.now().date()


def seat(cast, person):
    return cast.body.memberships.get(person=person).actor


def part(text, title):
    return text.partition(f"## {title}\n\n")[2].partition("\n\n## ")[0]


# -- What the record fills in ----------------------------------------------------------------


def test_a_vote_that_ended_before_its_close_says_so(cast):
    make_decision(cast)
    told = part(make_minutes(cast).text, "Votes opened")
    assert "because every member had voted" in told
    assert told.count("because every member had voted") == 1


def test_every_kind_of_act_of_the_period_stands_under_its_heading(cast):
    decision = make_decision(cast, title="Publish it")
    annulled = make_open_vote(cast, title="Wrong one")
    annul_vote(by=cast.clerk, proposal=annulled, reason="A wrong text.")
    gone = make_deliberated_proposal(cast, title="No more")
    withdraw(by=cast.proposer, proposal=gone, reason="Not needed.")
    conflicted = make_deliberated_proposal(cast, title="Buy it")
    roll.declare_conflict(by=cast.chair, proposal=conflicted, reason="My firm sells it.")
    left = make_person("One who leaves")
    term = accounts.appoint(by=cast.administrator, body=cast.body, person=left)
    accounts.end_membership(by=cast.administrator, membership=term)
    text = make_minutes(cast).text
    opened = part(text, "Opened for deliberation")
    assert all(row.ref in opened for row in (decision, annulled, gone, conflicted))
    voted = part(text, "Votes opened")
    assert decision.ref in voted
    assert annulled.ref in voted
    decided = part(text, "Decisions")
    assert f"[{decision.ref}](/decisions/{decision.ref}/) “Publish it”: **carried**" in decided
    assert f"2 for, 1 against. Against: {seat(cast, cast.chair)}." in decided
    ended = part(text, "Withdrawn and annulled")
    assert "“Wrong one”: **annulled**" in ended
    assert "A wrong text." in ended
    assert "“No more”: **withdrawn**" in ended
    conflicts = part(text, "Conflicts of interest declared")
    assert conflicts.startswith(f"- {seat(cast, cast.chair)}, on [{conflicted.ref}]")
    members = part(text, "Members")
    assert f"{term.actor} joined as member" in members
    assert f"{term.actor} left" in members


def test_a_period_in_which_nothing_happened_says_so(cast):
    made = make_minutes(cast, starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 31))
    assert made.text.count("Nothing.") == 6


@pytest.mark.parametrize(
    ("language", "opened", "day", "nothing"),
    [
        ("fr", "Ouvertes à la délibération", "1 avril 2025", "Rien."),
        ("de", "Zur Beratung eröffnet", "1. April 2025", "Nichts."),
    ],
)
def test_they_are_drafted_in_the_language_of_the_page_and_stay_so(
    client, cast, language, opened, day, nothing
):
    proposal = make_deliberated_proposal(cast)
    moment = timezone.now().replace(year=2025, month=4, day=1, hour=12)
    type(proposal).objects.filter(pk=proposal.pk).update(deliberation_opened_at=moment)
    client.force_login(cast.clerk)
    place = reverse("minutes-list", args=[cast.body.slug])
    days = {"starts_on": "2025-04-01", "ends_on": "2025-04-01"}
    assert client.post(f"/{language}{place}", days).status_code == 302
    made = Minutes.objects.get()
    line = f"- [{proposal.ref}](/proposals/{proposal.ref}/) "
    assert part(made.text, opened).startswith(line)
    assert part(made.text, opened).endswith(f", {day}.")
    assert made.text.count(nothing) == 5
    services.adopt_minutes(by=cast.clerk, minutes=made)
    later = services.correct_minutes(by=cast.clerk, minutes=made)
    assert (later.text, later.language) == (made.text, language)
    page = client.get(made.get_absolute_url()).content.decode()
    assert f'<div class="prose" lang="{language}">' in page
    assert opened in page


def test_the_days_are_those_of_the_bodys_zone(cast):
    body = cast.body
    body.time_zone = "Pacific/Kiritimati"
    body.save()
    proposal = make_deliberated_proposal(cast)
    moment = timezone.now().replace(year=2025, month=3, day=31, hour=20, minute=0)
    type(proposal).objects.filter(pk=proposal.pk).update(deliberation_opened_at=moment)
    march = make_minutes(cast, starts_on=date(2025, 3, 1), ends_on=date(2025, 3, 31))
    april = make_minutes(cast, starts_on=date(2025, 4, 1), ends_on=date(2025, 4, 1))
    assert proposal.ref not in march.text
    assert f"{proposal.ref}/) “{proposal.title}”, 1 April 2025." in april.text


def test_a_secret_vote_names_nobody():
    cast = make_cast(charter=ruled(ProposalType.MOTION, secrecy="secret"))
    make_decision(cast)
    decided = part(make_minutes(cast).text, "Decisions")
    assert "2 for, 1 against" in decided
    assert "member:" not in decided


def test_who_carried_a_motion_that_failed_is_named(cast):
    make_decision(cast, ("no", "no", "yes"))
    decided = part(make_minutes(cast).text, "Decisions")
    assert f"For: {seat(cast, cast.chair)}." in decided


def test_a_dissent_on_the_record_is_named_and_not_quoted(cast):
    decision = make_decision(cast)
    make_statement(
        by=cast.chair, decision=decision, kind=StatementKind.DISSENT, text="It costs too much."
    )
    text = make_minutes(cast).text
    assert f"Dissent on the record: {seat(cast, cast.chair)}." in part(text, "Decisions")
    assert "costs" not in text


def test_a_decision_that_was_annulled_later_is_told(cast):
    decision = make_decision(cast)
    record_ruling(by=cast.clerk, decision=decision, authority="A court", reason="No notice.")
    ended = part(make_minutes(cast).text, "Withdrawn and annulled")
    assert f"[{decision.ref}](/decisions/{decision.ref}/)" in ended
    assert "**decision annulled**" in ended


def test_a_draft_of_a_proposal_and_its_withdrawal_are_not_in_the_minutes(cast):
    draft = make_proposal(cast, title="Not public")
    assert "Not public" not in make_minutes(cast).text
    withdraw(by=cast.proposer, proposal=draft, reason="Not now.")
    assert "Not public" not in make_minutes(cast).text


def test_a_title_cannot_make_a_link_or_a_heading(cast):
    proposal = make_deliberated_proposal(cast)
    words = "[x](https://evil.example) <b>*y*</b>\n# `z`"
    Revision.objects.filter(proposal=proposal).update(title=words)
    html = shown(make_minutes(cast).text)
    assert "evil.example)" in html
    assert 'href="https://evil' not in html
    assert "<em>" not in html
    assert "&lt;b&gt;" in html


def test_a_members_name_is_put_in_and_cannot_be_html(cast):
    cast.chair.display_name = "<script>alert(1)</script>"
    cast.chair.save()
    html = shown(f"- {seat(cast, cast.chair)} and member:0123456789abcdef")
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "member:0123456789abcdef" in html


# -- Until they are adopted, and after -------------------------------------------------------


def test_adopted_minutes_are_on_the_record_with_their_digest(cast):
    made = services.edit_minutes(by=cast.clerk, minutes=make_minutes(cast), text="As it was.")
    adopted = services.adopt_minutes(by=cast.clerk, minutes=made)
    leaf = PendingLeaf.objects.get(type=Leaf.MINUTES_ADOPTED).content
    assert leaf["subject"] == cast.body.subject
    assert leaf["digests"] == {"minutes": adopted.digest}
    assert leaf["facts"] == {"number": 1, "version": 1}
    document, digest = digest_of(
        {
            "v": 1,
            "body": cast.body.slug,
            "number": 1,
            "version": 1,
            "starts_on": today().isoformat(),
            "ends_on": today().isoformat(),
            "text": "As it was.\n",
        }
    )
    assert (adopted.document, adopted.digest) == (document, digest)


def in_state(cast, state):
    made = make_minutes(cast)
    if state is MinutesStatus.DISCARDED:
        return services.discard_minutes(by=cast.clerk, minutes=made)
    if state in {MinutesStatus.ADOPTED, MinutesStatus.CORRECTED}:
        made = services.adopt_minutes(by=cast.clerk, minutes=made)
    if state is MinutesStatus.CORRECTED:
        later = services.correct_minutes(by=cast.clerk, minutes=made)
        services.adopt_minutes(by=cast.clerk, minutes=later)
        made.refresh_from_db()
    return made


@pytest.mark.parametrize(("before", "after"), [*product(MinutesStatus, MinutesStatus)])
def test_only_the_moves_of_the_table_are_made(cast, before, after):
    made = in_state(cast, before)
    assert made.status == before
    acts = {
        MinutesStatus.ADOPTED: services.adopt_minutes,
        MinutesStatus.DISCARDED: services.discard_minutes,
    }
    if after not in acts:
        # Nothing becomes a draft; what is corrected was in the way of an adoption (below).
        assert after not in MINUTES_TRANSITIONS[before] or after is MinutesStatus.CORRECTED
        return
    if after in MINUTES_TRANSITIONS[before]:
        assert acts[after](by=cast.clerk, minutes=made).status == after
        return
    with pytest.raises(Conflict, match="cannot become"):
        acts[after](by=cast.clerk, minutes=made)
    made.refresh_from_db()
    assert made.status == before


@pytest.mark.parametrize("state", [s for s in MinutesStatus if s != MinutesStatus.DRAFT])
def test_only_a_draft_is_edited(cast, state):
    made = in_state(cast, state)
    with pytest.raises(Conflict):
        services.edit_minutes(by=cast.clerk, minutes=made, text="Otherwise.")
    assert Minutes.objects.get(pk=made.pk).text == made.text


def test_a_correction_is_a_version_that_takes_the_place_of_the_one_before(cast):
    first = make_minutes(cast, is_adopted=True)
    second = services.correct_minutes(by=cast.clerk, minutes=first)
    assert (second.number, second.version, second.text) == (1, 2, first.text)
    with pytest.raises(Conflict, match="begun already"):
        services.correct_minutes(by=cast.clerk, minutes=first)
    first.refresh_from_db()
    assert first.status == MinutesStatus.ADOPTED
    services.edit_minutes(by=cast.clerk, minutes=second, text="Better.")
    services.adopt_minutes(by=cast.clerk, minutes=second)
    first.refresh_from_db()
    assert first.status == MinutesStatus.CORRECTED
    assert [
        leaf.content["facts"]
        for leaf in PendingLeaf.objects.filter(type=Leaf.MINUTES_ADOPTED).order_by("created_at")
    ] == [{"number": 1, "version": 1}, {"number": 1, "version": 2}]


def test_the_database_keeps_adopted_minutes_whole(cast):
    adopted = make_minutes(cast, is_adopted=True)
    for change in ({"leaf_id": None}, {"digest": ""}, {"status": "draft"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Minutes.objects.filter(pk=adopted.pk).update(**change)


@pytest.mark.parametrize(("starts", "ends"), [(0, 1), (0, -1), (-366, 0), (-4000, 0)], ids=str)
def test_a_period_that_cannot_be_is_refused(cast, starts, ends):
    first, last = today() + timedelta(days=starts), today() + timedelta(days=ends)
    with pytest.raises(Invalid):
        services.draft_minutes(by=cast.clerk, body=cast.body, starts_on=first, ends_on=last)
    assert not Minutes.objects.exists()


def test_a_period_with_more_than_minutes_can_list_is_refused(cast, monkeypatch):
    monkeypatch.setattr(services, "MOST", 1)
    make_deliberated_proposal(cast)
    make_deliberated_proposal(cast)
    with pytest.raises(Invalid, match="shorter period"):
        make_minutes(cast)


@pytest.mark.parametrize("text", ["", "  \n", "x\x00", "x" * 100_001])
def test_a_text_that_cannot_be_is_refused(cast, text):
    made = make_minutes(cast)
    with pytest.raises(Invalid):
        services.edit_minutes(by=cast.clerk, minutes=made, text=text)


@pytest.mark.parametrize("role", ["member", "chair", "administrator", "auditor", "outsider"])
def test_nobody_but_a_clerk_keeps_minutes(cast, role):
    person, made = cast.named(role), make_minutes(cast)
    acts = (
        lambda: services.draft_minutes(
            by=person, body=cast.body, starts_on=today(), ends_on=today()
        ),
        lambda: services.edit_minutes(by=person, minutes=made, text="Mine."),
        lambda: services.adopt_minutes(by=person, minutes=made),
        lambda: services.discard_minutes(by=person, minutes=made),
        lambda: services.correct_minutes(by=person, minutes=made),
    )
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    other = make_cast()
    with pytest.raises(NotAllowed):
        services.adopt_minutes(by=other.clerk, minutes=made)


def test_a_person_is_erased_from_adopted_minutes_and_the_digest_holds(cast, client):
    make_decision(cast)
    adopted = make_minutes(cast, is_adopted=True)
    page = adopted.get_absolute_url()
    assert "The chair" in client.get(page).content.decode()
    erase_person(person=cast.chair)
    assert "The chair" not in client.get(page).content.decode()
    adopted.refresh_from_db()
    assert digest_of(json.loads(adopted.document))[1] == adopted.digest


# -- Pages and API ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "sees_draft", "keeps"),
    [
        ("anonymous", False, False),
        ("outsider", False, False),
        ("evaluator", False, False),
        ("member", True, False),
        ("auditor", True, False),
        ("clerk", True, True),
    ],
)
def test_who_sees_and_who_keeps(client, cast, role, sees_draft, keeps):
    draft, adopted = make_minutes(cast), make_minutes(cast, is_adopted=True)
    if person := cast.named(role):
        client.force_login(person)
    assert client.get(adopted.get_absolute_url()).status_code == 200
    seen = client.get(draft.get_absolute_url()).status_code
    assert seen == (200 if sees_draft else 404)
    listed = client.get(reverse("minutes-list", args=[cast.body.slug])).content.decode()
    assert (draft.get_absolute_url() in listed) is sees_draft
    assert adopted.get_absolute_url() in listed
    assert ("Draft them" in listed) is keeps
    answers = {
        client.post(f"{draft.get_absolute_url()}edit/", {"text": "As it was."}).status_code,
        client.post(f"{draft.get_absolute_url()}move/", {"act": "adopt"}).status_code,
    }
    expected = 302 if keeps or role == "anonymous" else 403 if sees_draft else 404
    assert answers == {expected}
    draft.refresh_from_db()
    assert (draft.status == "adopted") is keeps


def test_adopting_takes_two_steps_and_a_draft_of_days_that_minutes_cover_says_so(client, cast):
    client.force_login(cast.clerk)
    adopted = make_minutes(cast, is_adopted=True)
    assert "cover days of this period" not in client.get(adopted.get_absolute_url()).text
    draft = make_minutes(cast)
    page = client.get(draft.get_absolute_url()).text
    assert f"Minutes {adopted.number} ({adopted.period}) cover days of this period already." in page
    fold = page.partition('<details class="confirm">')[2].partition("</details>")[0]
    assert 'name="act" value="adopt">Yes, adopt them</button>' in fold
    days = draft.starts_on - timedelta(days=1)
    Minutes.objects.filter(pk=draft.pk).update(starts_on=days, ends_on=days)
    assert "cover days of this period" not in client.get(draft.get_absolute_url()).text


def test_a_correction_does_not_say_that_its_own_minutes_cover_its_days(client, cast):
    client.force_login(cast.clerk)
    adopted = make_minutes(cast, is_adopted=True)
    later = services.correct_minutes(by=cast.clerk, minutes=adopted)
    assert "cover days of this period" not in client.get(later.get_absolute_url()).text


def test_a_clerk_goes_all_the_way_on_pages(client, cast):
    client.force_login(cast.clerk)
    place = reverse("minutes-list", args=[cast.body.slug])
    refused = client.post(place, {"starts_on": "2026-02-30", "ends_on": "x"})
    assert refused.status_code == 422
    early = client.post(place, {"starts_on": "2026-02-02", "ends_on": "2026-02-01"})
    assert early.status_code == 422
    days = {"starts_on": today().isoformat(), "ends_on": today().isoformat()}
    page = client.post(place, days)["Location"]
    assert client.post(f"{page}edit/", {"text": ""}).status_code == 422
    assert client.post(f"{page}edit/", {"text": "One\n\nTwo"}).status_code == 302
    assert client.post(f"{page}move/", {"act": "burn"}).status_code == 422
    assert client.post(f"{page}move/", {"act": "adopt"}).status_code == 302
    assert client.post(f"{page}edit/", {"text": "Three"}).status_code == 409
    made = Minutes.objects.get()
    assert client.get(f"{page}minutes.json").content.decode() == made.document
    later = client.post(f"{page}move/", {"act": "correct"})["Location"]
    assert later.endswith("/1/2/")
    assert client.get(f"{later}minutes.json").status_code == 404
    assert client.post(f"{later}move/", {"act": "discard"})["Location"] == place
    assert later not in client.get(place).content.decode()


def test_a_program_goes_all_the_way(client, cast):
    client.force_login(cast.clerk)
    place = reverse("api-minutes-list", args=[cast.body.slug])
    days = {"starts_on": today().isoformat(), "ends_on": today().isoformat()}
    drafted = client.post(place, days, content_type="application/json").json()
    assert (drafted["status"], drafted["leaf"]) == ("draft", None)
    page = reverse("api-minutes", args=[cast.body.slug, 1, 1])
    text = f"{seat(cast, cast.chair)} was in the chair."
    edited = client.put(page, {"text": text}, content_type="application/json").json()
    assert list(edited["members"].values()) == ["The chair"]
    act = reverse("api-minutes-stage", args=[cast.body.slug, 1, 1])
    adopted = client.post(act, {"act": "adopt"}, content_type="application/json").json()
    assert (adopted["status"], adopted["digest"][:7]) == ("adopted", "sha256:")
    again = client.post(act, {"act": "adopt"}, content_type="application/json")
    assert again.status_code == 409
    client.logout()
    assert [row["version"] for row in client.get(place).json()["results"]] == [1]


def test_a_program_names_the_language_of_a_draft(client, cast):
    client.force_login(cast.clerk)
    place = f"/api/v1/bodies/{cast.body.slug}/minutes/"
    days = {"starts_on": str(today()), "ends_on": str(today())}
    for language, said in (("", "Nothing."), ("de", "Nichts."), ("xx", None)):
        asked = days | ({"language": language} if language else {})
        answer = client.post(place, asked, content_type="application/json")
        assert answer.status_code == (201 if said else 422)
        if said:
            assert answer.json()["language"] == (language or "en")
            assert said in answer.json()["text"]


def test_numbers_beyond_all_bounds_are_not_found(client, cast):
    slug = cast.body.slug
    assert client.get(f"/bodies/{slug}/minutes/{10**30}/1/").status_code == 404
    assert client.get(f"/api/v1/bodies/{slug}/minutes/1/{10**30}/").status_code == 404
    assert client.get("/bodies/nothing/minutes/").status_code == 404


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), "1 to 30 November 2026"),
        (date(2026, 11, 1), date(2026, 11, 1), "1 November 2026"),
        (date(2026, 10, 15), date(2026, 11, 14), "15 October to 14 November 2026"),
        (date(2025, 12, 1), date(2026, 1, 31), "1 December 2025 to 31 January 2026"),
    ],
)
def test_a_period_is_said_in_words(first, last, words):
    assert Minutes(starts_on=first, ends_on=last).period == words


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "1 mars au 2 avril 2026"), ("de", "1. März bis 2. April 2026")],
)
def test_a_period_is_said_in_the_readers_language(language, words):
    with override(language):
        assert Minutes(starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 2)).period == words
