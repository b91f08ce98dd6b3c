"""The outbox over real SMTP: one mail a day, grouped; nothing lost, and at most one mail twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from oversight.accounts import notices
from oversight.accounts import services as accounts
from oversight.accounts.choices import NoticeKind
from oversight.accounts.digests import MOST_LINES, digest_of
from oversight.accounts.mail_times import next_digest
from oversight.accounts.models import ImmediateKind, Notice, NoticeSettings
from oversight.accounts.tasks import send_notices
from tests.accounts.mail_server import MailServer
from tests.factories import (
    make_body,
    make_cast,
    make_comment,
    make_deliberated_proposal,
    make_open_vote,
    make_person,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(settings):
    """Return a mail server's box; Django sends to it over SMTP."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    server.box.server = server
    yield server.box
    server.close()


def tell(*people, **fields):
    words = {"subject": "A thing", "text": "It happened.", "path": "/proposals/2026-001/"}
    accounts.notify(people=people, **words | fields)


def let_a_day_pass():
    """Make due what waits for the digest, as a day later it would be."""
    Notice.objects.filter(mail_at__gt=timezone.now()).update(mail_at=timezone.now())


def parts_of(mail):
    return {
        part.get_content_type(): part.get_content()
        for part in mail.walk()
        if part.is_attachment() is False and not part.is_multipart()
    }


def test_two_hundred_proposals_make_one_mail(mail):
    person, body = make_person("Mira"), make_body()
    for number in range(200):
        ref = f"2026-{number:03d}"
        tell(
            person, subject=f"Proposal {ref} moves on", kind=NoticeKind.STAGE, body=body, about=ref
        )
    assert send_notices() == 0
    assert mail.mails == []
    let_a_day_pass()
    assert send_notices() == 1
    assert send_notices() == 0
    assert mail.recipients == [person.email]
    text = parts_of(mail.mails[0])["text/plain"]
    assert text.count("- Proposal 2026-") == MOST_LINES
    assert f"And {200 - MOST_LINES} more in your list" in text
    assert not Notice.objects.filter(sent_at=None).exists()


def test_many_events_about_one_thing_are_one_line(mail):
    person, body = make_person(), make_body(name="City council")
    for _ in range(14):
        tell(person, kind=NoticeKind.COMMENT, body=body, about="2026-003")
    tell(person, kind=NoticeKind.COMMENT, body=body, about="2026-004", subject="One more")
    let_a_day_pass()
    send_notices()
    for words in parts_of(mail.mails[0]).values():
        assert words.count("14 comments on 2026-003") == 1
        assert words.count("One more") == 1
        assert "A thing" not in words
        assert "city council" in words.lower()


def test_what_a_mail_says_is_grouped_by_body_and_then_by_kind():
    person = make_person()
    first, second = make_body(name="Assembly"), make_body(name="Board")
    for body, kind in (
        (second, NoticeKind.DECISION),
        (first, NoticeKind.DECISION),
        (second, NoticeKind.VOTE_OPENED),
        (None, NoticeKind.OTHER),
        (first, NoticeKind.DECISION),
    ):
        tell(person, kind=kind, body=body)
    found = digest_of(list(Notice.objects.select_related("body")))
    assert [(each.title, [len(g.lines) for g in each.groups]) for each in found.sections] == [
        ("Assembly", [2]),
        ("Board", [1, 1]),
        ("More", [1]),
    ]
    assert found.sections[1].groups[0].title == "A vote opens with you on the roll"
    assert found.more == 0


def test_a_mail_is_text_and_html_and_names_the_way_out(mail, client):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING, subject="Closes <soon> & so on")
    assert send_notices() == 1
    sent = mail.mails[0]
    assert sent["Subject"] == "Closes <soon> & so on"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    parts = parts_of(sent)
    assert set(parts) == {"text/plain", "text/html"}
    assert "Closes &lt;soon&gt; &amp; so on" in parts["text/html"]
    assert "Closes <soon> & so on" in parts["text/plain"]
    away = str(sent["List-Unsubscribe"]).strip(" <>")
    assert away in parts["text/plain"]
    path = away.partition("://")[2].partition("/")[2]
    assert client.post(f"/{path}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not NoticeSettings.objects.get(person=person).gets_mail


def test_a_line_break_in_a_name_breaks_no_header(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING, subject="Bcc\r\nBcc: eve@example.org")
    assert send_notices() == 1
    assert mail.mails[0]["Subject"] == "Bcc Bcc: eve@example.org"
    assert mail.recipients == [person.email]


# -- What goes at once -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "of", "at_once"),
    [
        (NoticeKind.COMMENT, "first", True),
        (NoticeKind.COMMENT, "second", False),
        (NoticeKind.DECISION, "first", True),
        (NoticeKind.DECISION, "second", True),
        (NoticeKind.DECISION, None, True),
        (NoticeKind.ANSWER, "first", False),
        (NoticeKind.COMMENT, None, False),
        (NoticeKind.VOTE_CLOSING, "second", True),
    ],
)
def test_at_once_goes_what_was_chosen_by_kind_and_body(mail, kind, of, at_once):
    person, bodies = make_person(), {"first": make_body(), "second": make_body(), None: None}
    notices.choose_notices(
        person=person,
        gets_mail=True,
        digest_hour=7,
        at_once=[(NoticeKind.COMMENT, bodies["first"]), (NoticeKind.DECISION, None)],
    )
    tell(person, kind=kind, body=bodies[of])
    assert send_notices() == int(at_once)


def test_who_stopped_the_mail_gets_none_and_keeps_the_list(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    notices.stop_mail(person=person)
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    let_a_day_pass()
    assert send_notices() == 0
    assert person.notices.count() == 2


def test_a_closed_account_gets_no_mail(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    person.is_active = False
    person.save()
    assert send_notices() == 0
    assert not Notice.objects.due().exists()


def test_somebody_named_twice_is_told_once():
    person = make_person()
    tell(person, person)
    assert person.notices.count() == 1


def test_a_new_hour_moves_the_digest_that_waits():
    person = make_person()
    tell(person)
    notices.choose_notices(person=person, gets_mail=True, digest_hour=18, time_zone="Asia/Tokyo")
    assert person.notices.get().mail_at.astimezone(UTC).hour == 9


def test_the_digest_keeps_the_hour_of_the_body_in_which_a_person_sits():
    cast = make_cast(body={"time_zone": "Asia/Tokyo"})
    tell(cast.member, body=make_body(time_zone="America/New_York"))
    assert cast.member.notices.get().mail_at.astimezone(UTC).hour == 22


def test_what_was_chosen_twice_is_kept_once():
    person, body = make_person(), make_body()
    pairs = [(NoticeKind.COMMENT, body), (NoticeKind.COMMENT, body), (NoticeKind.COMMENT, None)]
    notices.choose_notices(person=person, gets_mail=True, digest_hour=7, at_once=pairs)
    assert ImmediateKind.objects.filter(person=person).count() == 2


@given(
    st.integers(0, 15 * 365 * 24 * 60),
    st.integers(0, 23),
    st.sampled_from(["UTC", "Europe/Zurich", "America/Havana", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_the_next_digest_is_within_a_day_at_its_hour(minutes, hour, zone):
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = next_digest(now, hour, zone)
    assert timedelta(0) < found - now <= timedelta(hours=25)
    there = found.astimezone(ZoneInfo(zone))
    # In the one hour a year that is skipped the digest comes when the clocks have gone on.
    assert there.hour == hour or (there.hour == hour + 1 and there.minute in {0, 30})
    assert next_digest(found, hour, zone) - found >= timedelta(hours=22)


# -- What goes wrong -------------------------------------------------------------------------


def test_a_mail_server_that_is_away_loses_nothing(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    mail.server.close()
    assert send_notices() == 0
    waiting = person.notices.get()
    assert (waiting.sent_at, waiting.failed_attempts) == (None, 0)
    assert waiting.mail_at <= timezone.now()


def test_an_address_that_is_refused_holds_up_nobody_and_is_tried_again_later(mail):
    lost, found = make_person(), make_person()
    mail.refused = {lost.email}
    tell(lost, found, kind=NoticeKind.VOTE_CLOSING)
    assert send_notices() == 1
    assert mail.recipients == [found.email]
    waiting = lost.notices.get()
    assert waiting.failed_attempts == 1
    assert timezone.now() < waiting.mail_at < timezone.now() + timedelta(minutes=3)
    mail.refused = set()
    Notice.objects.filter(sent_at=None).update(mail_at=timezone.now())
    assert send_notices() == 1
    assert mail.recipients == [found.email, lost.email]


def test_a_mail_that_is_refused_for_good_is_left_in_the_list(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    person.notices.update(failed_attempts=notices.MAX_ATTEMPTS - 1)
    mail.refused = {person.email}
    assert send_notices() == 0
    assert person.notices.get().mail_at is None


def test_a_connection_that_breaks_before_the_answer_repeats_the_same_mail_once(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    mail.breaks_after_data = True
    assert send_notices() == 0
    mail.breaks_after_data = False
    Notice.objects.update(mail_at=timezone.now())
    assert send_notices() == 1
    assert len(mail.mails) == 2
    assert mail.mails[0]["Message-ID"] == mail.mails[1]["Message-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_dies_before_its_commit_loses_nothing(mail, monkeypatch):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)

    class Died(BaseException):
        pass

    def dying(*given):
        mail = notices_mail_of(*given)

        def send():
            EmailMultiAlternatives.send(mail)
            raise Died

        mail.send = send
        return mail

    notices_mail_of = notices.mail_of
    # After the mail server has taken the mail, in the transaction that would mark it.
    with monkeypatch.context() as patch:
        patch.setattr(notices, "mail_of", dying)
        with pytest.raises(Died):
            send_notices()
    assert len(mail.mails) == 1
    assert person.notices.get().sent_at is None
    assert send_notices() == 1
    assert len(mail.mails) == 2
    assert send_notices() == 0


@pytest.mark.django_db(transaction=True)
def test_two_senders_make_one_mail(mail):
    person = make_person()
    tell(person, kind=NoticeKind.VOTE_CLOSING)
    other = connection.copy()
    with other.cursor() as cursor:
        lock = [notices._PERSON_LOCK, person.pk]
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock)
        assert notices.send_mail_to(person_id=person.pk, mailer=get_connection()) is False
        assert mail.mails == []
        cursor.execute("COMMIT")
    other.close()
    assert send_notices() == 1


# -- What a mail must not say ----------------------------------------------------------------


def test_no_mail_quotes_what_somebody_wrote(mail):
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    question = make_comment(cast.outsider, proposal, "A secret word: xylophone?", is_question=True)
    make_comment(cast.member, proposal, "It is xylophone.", parent=question)
    let_a_day_pass()
    assert send_notices() == 2
    assert not any("xylophone" in words for sent in mail.mails for words in parts_of(sent).values())


def test_a_vote_that_opens_tells_everybody_on_the_roll_in_the_digest(mail):
    cast = make_cast()
    proposal = make_open_vote(cast, closes_at=timezone.now() + timedelta(days=5))
    rows = Notice.objects.filter(kind=NoticeKind.VOTE_OPENED, about=proposal.ref)
    assert {row.person for row in rows} == set(cast.members)
    assert {row.body for row in rows} == {cast.body}
    assert send_notices() == 0


# -- Forgetting ------------------------------------------------------------------------------


def test_old_notices_are_deleted_and_newer_ones_kept():
    person = make_person()
    tell(person, person)
    tell(person)
    old = person.notices.first()
    Notice.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=notices.KEPT_DAYS, minutes=1)
    )
    assert notices.prune_notices() == 1
    assert not Notice.objects.filter(pk=old.pk).exists()
    assert person.notices.count() == 1
