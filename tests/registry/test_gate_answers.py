"""Signed answers: what they say and prove, how long they are kept, what happens without parts."""

import base64
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, connections, transaction
from django.test import RequestFactory
from django.utils import timezone
from securesystemslib.dsse import Envelope

from oversight.ledger import note, proof, queries
from oversight.ledger.sequencer import sequence_once
from oversight.registry import effects
from oversight.registry.choices import AuthorisationState, GateCode, Leaf
from oversight.registry.gate import answers, ceremony, deciding, door, keys, reading
from oversight.registry.models import Authorisation
from oversight.registry.tasks import tick
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict
from proposals.services import casting, closing, stages, voting
from tests.scenes import (
    fresh,
    make_council,
    make_criterion,
    make_deployment,
    make_finished_run,
    make_model_version,
    make_proposal,
    make_suite,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gate_key")]


def grant(deployment, version, *, ends=timedelta(hours=24), **fields):
    now = timezone.now()
    with transaction.atomic():
        return effects.grant_authorisation(
            actor="decision:x",
            decision_ref=fresh("2026"),
            deployment=deployment,
            version=version,
            starts_at=now - timedelta(hours=1),
            ends_at=now + ends,
            **fields,
        )


def change(row, to):
    with transaction.atomic():
        effects.change_authorisation(
            actor="system:test", authorisation=row, to=to, decision_ref="2026-999"
        )


@pytest.fixture
def granted():
    """Return an authorisation whose act is on the record."""
    row = grant(make_deployment(), make_model_version(), conditions={"languages": ["de"]})
    sequence_once()
    return row


def decided_on_evidence():
    """Carry a proposal with a criterion and its run; return the decision."""
    council, suite = make_council(), make_suite()
    proposal = make_proposal(council)
    make_criterion(council, proposal, suite)
    make_finished_run(suite=suite, model=proposal.version, purpose=proposal.subject)
    final = stages.fix_text(by=council.clerk, proposal=proposal)
    voting.open_vote(
        by=council.clerk, proposal=final, closes_at=database_now() + timedelta(hours=1)
    )
    for member in council.members:
        casting.cast_ballot(by=member, proposal=final, choice="yes")
    return closing.close_vote(by=council.clerk, proposal=final)


def ask(client, row, **headers):
    pair = {"subject": row.version.digest, "deployment": row.deployment.slug}
    return client.get("/api/v1/gate/", pair, headers=headers)


def ready(row):
    return answers.ready_answer(row.version.digest, row.deployment.slug)


def opened(content, public):
    """Return the statement of an answer after checking its signature."""
    envelope = content["statement"]
    payload = base64.b64decode(envelope["payload"])
    (signature,) = envelope["signatures"]
    assert signature["keyid"] == hashlib.sha256(bytes.fromhex(public)).hexdigest()
    message = Envelope(payload, envelope["payloadType"], {}).pae()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    key.verify(base64.b64decode(signature["sig"]), message)
    return json.loads(payload)


class TestWhatAnAnswerSays:
    def test_a_yes_names_decision_weights_conditions_and_times(self, client, granted):
        content = ask(client, granted).json()
        assert (content["allowed"], content["result"]) == (True, "PASSED")
        assert content["authorisation"]["decision"] == granted.decision_ref
        assert content["authorisation"]["conditions"] == {"languages": ["de"]}
        assert content["weights"]["digest"] == granted.version.digest
        assert content["weights"]["manifest"].endswith(f"/versions/{granted.version.digest}/")
        life = datetime.fromisoformat(content["not_after"]) - datetime.fromisoformat(
            content["checked_at"]
        )
        assert life == timedelta(seconds=30)

    def test_its_acts_are_proven_by_receipts_under_the_logs_key(self, client, granted):
        record = ask(client, granted).json()["record"]
        key = note.VerifierKey.parse(queries.newest_checkpoint().vkey)
        (act,) = record["acts"]
        head = proof.parse(act["receipt"]).verify(act["leaf"].encode(), [key])
        assert (head.origin, head.size) == (record["origin"], record["size"])
        leaf = json.loads(act["leaf"])
        assert leaf["type"] == Leaf.AUTHORISATION_GRANTED
        assert leaf["digests"]["version"] == granted.version.digest

    def test_the_statement_is_signed_and_says_the_same(self, client, granted, gate_key):
        content = ask(client, granted).json()
        statement = opened(content, gate_key)
        predicate = statement["predicate"]
        assert statement["subject"][0]["digest"]["sha256"] == granted.version.digest[7:]
        assert predicate["deployment"] == granted.deployment.slug
        assert predicate["verificationResult"] == "PASSED"
        assert predicate["notAfter"] == content["not_after"]
        assert predicate["authorisation"] == content["authorisation"]
        assert predicate["log"]["root"] == content["record"]["root"]
        assert (
            content["record"]["acts"][0]["leaf_hash"][7:]
            == (predicate["inputAttestations"][0]["digest"]["sha256"])
        )

    def test_it_rests_on_the_contract_the_decision_and_every_signed_result(self, gate_key):
        decision = decided_on_evidence()
        sequence_once()
        row = Authorisation.objects.get(decision_ref=decision.ref)
        content = json.loads(ready(row).body)
        assert [act["type"] for act in content["record"]["acts"]] == [
            "registry.authorisation.granted",
            "proposals.decision.made",
        ]
        predicate = opened(content, gate_key)["predicate"]
        contract = decision.proposal.contract
        assert predicate["policy"]["digest"]["sha256"] == contract.digest[7:]
        stated = {row["statement"] for row in contract.content["criteria"]}
        assert None not in stated
        found = {
            f"sha256:{each['digest']['sha256']}"
            for each in predicate["inputAttestations"]
            if each.get("kind") == "evaluation"
        }
        assert found == stated

    @pytest.mark.parametrize("state", [AuthorisationState.SUSPENDED, AuthorisationState.REVOKED])
    def test_a_no_is_signed_too_and_shows_what_changed(self, client, granted, gate_key, state):
        change(granted, state)
        sequence_once()
        content = ask(client, granted).json()
        assert (content["allowed"], content["code"]) == (False, str(state))
        assert opened(content, gate_key)["predicate"]["verificationResult"] == "FAILED"
        assert content["record"]["acts"][-1]["type"] == f"registry.authorisation.{state}"

    def test_a_decision_that_is_not_under_a_checkpoint_is_not_a_yes_yet(self, client):
        row = grant(make_deployment(), make_model_version())
        assert ask(client, row).json()["code"] == GateCode.NOT_ON_RECORD
        sequence_once()
        assert ask(client, row).json()["allowed"]

    def test_what_nobody_registered_is_refused_by_name_and_signed(self, client, gate_key):
        content = client.get(
            "/api/v1/gate/", {"subject": "sha256:" + "0" * 64, "deployment": "nowhere"}
        ).json()
        assert content["code"] == GateCode.UNKNOWN_DEPLOYMENT
        assert content["weights"] is None
        assert opened(content, gate_key)["predicate"]["code"] == "unknown-deployment"

    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ({"subject": "abc", "deployment": "x"}, {"subject"}),
            ({}, {"subject", "deployment"}),
            ({"subject": "sha256:" + "0" * 64, "deployment": "x" * 61}, {"deployment"}),
        ],
    )
    def test_a_question_that_makes_no_sense_names_every_field(self, client, query, fields):
        answer = client.get("/api/v1/gate/", query)
        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == fields


class TestHowLongItIsKept:
    def test_a_yes_says_its_life_and_a_no_a_shorter_one(self, client, granted):
        assert ask(client, granted)["Cache-Control"] in {"public, max-age=30", "public, max-age=29"}
        change(granted, AuthorisationState.REVOKED)
        answers.forget()
        assert ask(client, granted)["Cache-Control"] in {"public, max-age=5", "public, max-age=4"}

    def test_it_is_never_kept_beyond_the_sunset(self, client):
        row = grant(make_deployment(), make_model_version(), ends=timedelta(seconds=10))
        sequence_once()
        answer = ask(client, row)
        assert int(answer["Cache-Control"].rpartition("=")[2]) <= 10
        assert datetime.fromisoformat(answer.json()["not_after"]) <= row.ends_at

    def test_who_has_it_is_answered_304(self, client, granted):
        first = ask(client, granted)
        again = ask(client, granted, if_none_match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert "max-age" in again["Cache-Control"]

    def test_a_kept_answer_is_read_again_after_a_second(self, granted, clock):
        first = ready(granted)
        change(granted, AuthorisationState.SUSPENDED)
        assert ready(granted).body == first.body
        clock.go(answers.RECHECK_SECONDS)
        assert not ready(granted).allowed

    def test_a_revocation_holds_after_the_stated_life_even_where_nothing_can_be_read(
        self, granted, clock, monkeypatch
    ):
        ready(granted)
        monkeypatch.setattr(answers, "answer", gone)
        clock.go(29)
        assert ready(granted).allowed
        clock.go(1)
        with pytest.raises(answers.CannotTell):
            ready(granted)

    def test_it_is_signed_anew_long_before_its_life_is_over(self, granted, clock):
        first = ready(granted)
        clock.go(11)
        # The database's clock has not gone on with ours, so only the signature's age shows.
        assert ready(granted).steady_at > first.steady_at

    def test_a_no_is_not_kept_here(self, granted):
        change(granted, AuthorisationState.SUSPENDED)
        assert not ready(granted).allowed
        change(granted, AuthorisationState.GRANTED)
        sequence_once()
        assert ready(granted).allowed

    def test_it_stops_at_the_sunset_whatever_the_recheck_says(self, clock):
        row = grant(make_deployment(), make_model_version(), ends=timedelta(seconds=10))
        sequence_once()
        assert ready(row).allowed
        clock.go(10)
        assert answers.kept(row.version.digest, row.deployment.slug) is None

    def test_questions_without_end_are_not_kept_without_end(self, granted, monkeypatch):
        monkeypatch.setattr(answers, "KEPT_ANSWERS", 1)
        other = grant(make_deployment(), make_model_version())
        sequence_once()
        ready(granted)
        ready(other)
        assert list(answers._kept) == [(other.version.digest, other.deployment.slug)]


def gone(**_):
    raise OperationalError("the connection is lost")


@pytest.fixture
def clock(monkeypatch):
    """Stop the steady clock of the gate, and let it go on by so many seconds."""
    state, began = SimpleNamespace(ahead=0.0), reading.steady()

    def steady():
        return began + state.ahead

    def go(seconds):
        state.ahead += seconds

    monkeypatch.setattr(answers, "steady", steady)
    monkeypatch.setattr(reading, "steady", steady)
    return SimpleNamespace(go=go)


class Skewed(datetime):
    """A host's clock that somebody has set."""

    by = timedelta(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.by


class TestClocks:
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_an_hour_of_skew_changes_nothing_far_from_start_and_sunset(
        self, granted, monkeypatch, hours
    ):
        monkeypatch.setattr(Skewed, "by", timedelta(hours=hours, minutes=-1))
        monkeypatch.setattr(answers, "datetime", Skewed)
        assert ready(granted).allowed or hours < 0

    def test_a_sunset_between_the_two_clocks_is_a_no_that_says_so(self, monkeypatch):
        row = grant(make_deployment(), make_model_version(), ends=timedelta(minutes=30))
        sequence_once()
        monkeypatch.setattr(Skewed, "by", timedelta(hours=1))
        monkeypatch.setattr(answers, "datetime", Skewed)
        content = json.loads(ready(row).body)
        assert (content["allowed"], content["code"]) == (False, "clock-in-doubt")
        assert "clocks" in content["reason"]

    def test_a_database_an_hour_behind_does_not_stretch_the_sunset(self, monkeypatch):
        row = grant(make_deployment(), make_model_version(), ends=timedelta(minutes=30))
        sequence_once()
        truth = deciding.answer

        def behind(**asked):
            found = truth(**asked)
            return found.at(found.checked_at - timedelta(minutes=55))

        monkeypatch.setattr(Skewed, "by", timedelta(minutes=31))
        monkeypatch.setattr(answers, "datetime", Skewed)
        monkeypatch.setattr(answers, "answer", behind)
        assert json.loads(ready(row).body)["code"] == GateCode.CLOCK_IN_DOUBT

    def test_a_wall_clock_that_jumps_ahead_ends_what_is_kept(self, granted, monkeypatch):
        kept = ready(granted)
        monkeypatch.setattr(answers.time, "time", lambda: kept.wall_at + 3600)
        assert answers.kept(granted.version.digest, granted.deployment.slug) is None

    def test_a_wall_clock_that_jumps_back_does_not_lengthen_it(self, granted, clock, monkeypatch):
        kept = ready(granted)
        monkeypatch.setattr(answers.time, "time", lambda: kept.wall_at - 3600)
        clock.go(31)
        assert answers.kept(granted.version.digest, granted.deployment.slug) is None


class TestKeys:
    def test_without_a_key_the_gate_cannot_tell(self, client, granted, settings, tmp_path):
        settings.GATE_KEY_PATH = tmp_path / "none.pem"
        answer = ask(client, granted)
        assert answer.status_code == 503
        assert answer.json()["allowed"] is False
        assert "gate_key --create" in answer.json()["detail"]

    def test_a_key_that_the_record_does_not_know_signs_nothing(self, client, granted, tmp_path):
        keys.settings.GATE_KEY_PATH = tmp_path / "other.pem"
        ceremony.files.create_key(tmp_path / "other.pem")
        assert "does not know" in ask(client, granted).json()["detail"]

    def test_a_key_rotated_while_answers_are_kept_signs_the_next_ones(
        self, granted, gate_key, clock, inline_sequencer
    ):
        before = ready(granted)
        after = ceremony.rotate_key()
        sequence_once()
        assert ready(granted).body == before.body
        opened(json.loads(before.body), gate_key)
        clock.go(answers.RECHECK_SECONDS)
        opened(json.loads(ready(granted).body), after)
        assert [each.retired_at is None for each in keys.known()] == [False, True]
        assert not keys.known()[0].is_compromised

    def test_a_rotation_that_the_record_does_not_take_leaves_the_old_key(self, granted, gate_key):
        with pytest.raises(Conflict):
            ceremony.rotate_key(seconds=0)
        assert keys.current().public == gate_key
        assert ready(granted).allowed

    def test_every_key_is_listed_with_the_receipt_of_its_adoption(
        self, client, gate_key, inline_sequencer
    ):
        after = ceremony.rotate_key(is_compromised=True)
        sequence_once()
        listed = client.get("/api/v1/gate/keys/").json()["keys"]
        assert [each["public_key"] for each in listed] == [gate_key, after]
        assert [each["is_compromised"] for each in listed] == [True, False]
        log_key = note.VerifierKey.parse(queries.newest_checkpoint().vkey)
        for each in listed:
            proof.parse(each["receipt"]).verify(each["leaf"].encode(), [log_key])
            assert json.loads(each["leaf"])["facts"]["key"] == each["public_key"]

    def test_adopting_twice_is_one_act(self, gate_key):
        assert ceremony.adopt_key() == gate_key
        sequence_once()
        assert len(keys.known()) == 1


class TestTheCommand:
    def run(self, **options):
        out = io.StringIO()
        call_command("gate_key", stdout=out, **options)
        return out.getvalue().strip()

    def test_it_shows_makes_and_hands_over(self, gate_key, inline_sequencer):
        assert self.run() == gate_key == self.run(create=True)
        after = self.run(rotate=True, compromised=True)
        assert after == self.run() != gate_key
        sequence_once()
        assert [each.is_compromised for each in keys.known()] == [True, False]

    def test_what_makes_no_sense_is_refused_with_the_fix(self, settings, tmp_path):
        with pytest.raises(CommandError, match="goes with --rotate"):
            self.run(compromised=True)
        settings.GATE_KEY_PATH = tmp_path / "none.pem"
        with pytest.raises(CommandError, match="gate_key --create"):
            self.run()
        settings.GATE_KEY = "no key"
        with pytest.raises(CommandError, match="GATE_KEY is not"):
            self.run()


class TestTheDatabaseIsGone:
    def test_without_an_answer_to_fall_back_on_it_says_that_it_cannot_tell(
        self, client, granted, monkeypatch
    ):
        monkeypatch.setattr(answers, "answer", gone)
        answer = ask(client, granted)
        assert answer.status_code == 503
        assert answer["Cache-Control"] == "no-store"
        content = answer.json()
        assert (content["allowed"], content["code"]) == (False, "cannot-tell")
        assert "Take this for a no" in content["detail"]


class TestTheQuickWay:
    @pytest.fixture
    def call(self, granted):
        def django(environ, start_response):
            start_response("418 Django", [])
            return [b""]

        application = door.with_gate(django)

        def call(query=None, method="GET", **environ):
            pair = f"subject={granted.version.digest}&deployment={granted.deployment.slug}"
            made = RequestFactory().get("/api/v1/gate/").environ
            made |= {"QUERY_STRING": pair if query is None else query, "REQUEST_METHOD": method}
            made |= {"HTTP_HOST": "testserver"} | environ
            seen = {}

            def start_response(status, headers):
                seen.update(status=int(status[:3]), headers=dict(headers))

            seen["body"] = b"".join(application(made, start_response))
            return SimpleNamespace(**seen)

        return call

    def test_a_kept_yes_is_the_same_as_by_django(self, call, client, granted):
        by_django = ask(client, granted)
        quick = call()
        assert (quick.status, quick.body) == (200, by_django.content)
        for name in ("ETag", "Access-Control-Allow-Origin", "X-Content-Type-Options"):
            assert quick.headers[name] == by_django[name]
        assert "max-age" in quick.headers["Cache-Control"]

    def test_order_and_spelling_of_the_query_do_not_matter(self, call, granted):
        ready(granted)
        digest = granted.version.digest.replace(":", "%3A")
        assert call(f"deployment={granted.deployment.slug}&subject={digest}").status == 200

    def test_it_knows_304_and_head(self, call, granted):
        etag = ready(granted).etag
        assert (call(HTTP_IF_NONE_MATCH=etag).status, call(HTTP_IF_NONE_MATCH='"x"').status) == (
            304,
            200,
        )
        assert call(method="HEAD").body == b""

    @pytest.mark.parametrize(
        "odd",
        [
            {"query": ""},
            {"query": "subject=x&deployment=y"},
            {"method": "POST"},
            {"HTTP_HOST": "somebody.example"},
            {"HTTP_HOST": ""},
        ],
    )
    def test_everything_else_goes_to_django(self, call, granted, odd):
        ready(granted)
        assert call().status == 200
        assert call(**odd).status == 418

    def test_what_is_not_kept_or_is_over_goes_to_django(self, call, granted, clock):
        assert call().status == 418
        ready(granted)
        clock.go(31)
        assert call().status == 418

    def test_a_suspension_is_seen_a_second_later(self, call, granted, clock):
        ready(granted)
        change(granted, AuthorisationState.SUSPENDED)
        clock.go(1)
        assert call().status == 418

    def test_unencrypted_requests_go_to_django_where_they_must_not_be(
        self, call, granted, settings
    ):
        ready(granted)
        settings.SECURE_SSL_REDIRECT = True
        assert call().status == 418
        assert call(HTTP_X_FORWARDED_PROTO="https").status == 200


def test_the_clock_of_the_database_is_read_with_the_answer(granted):
    found = deciding.answer(subject=granted.version.digest, deployment_slug=granted.deployment.slug)
    assert abs((database_now() - found.checked_at).total_seconds()) < 60
    assert found.checked_at.tzinfo == UTC


class TestTheReplica:
    @pytest.fixture
    def replica(self, monkeypatch):
        """Give the gate a second way to the same rows, and say what a replica would of its age."""
        state = SimpleNamespace(age=(False, None, database_now()), asked=0)
        monkeypatch.setitem(connections.settings, "replica", connections.settings["default"])
        monkeypatch.setattr(connections._connections, "replica", connections["default"], False)
        truth = answers.answer

        def answer_of_the_replica(**asked):
            state.asked += 1
            if state.asked % 2:
                raise OperationalError("the writer is down")
            return truth(**asked)

        monkeypatch.setattr(answers, "answer", answer_of_the_replica)
        monkeypatch.setattr(reading, "WAIT_SECONDS", 0)
        monkeypatch.setattr(reading, "_give_back", lambda broken: None)
        monkeypatch.setattr(reading, "_age", lambda: state.age)
        return state

    def test_it_answers_while_the_writer_is_down_and_says_so(self, client, granted, replica):
        content = ask(client, granted).json()
        assert (content["allowed"], content["answered_by"]) == (True, "replica")
        assert connections["default"].alias == "default"

    def test_one_that_follows_is_believed_as_long_as_the_settings_say(
        self, client, granted, replica, settings
    ):
        now = database_now()
        settings.GATE_REPLICA_MAX_AGE_SECONDS = 600
        replica.age = (True, now - timedelta(seconds=590), now)
        assert ask(client, granted).json()["allowed"]
        answers.forget()
        replica.age = (True, now - timedelta(seconds=601), now)
        answer = ask(client, granted)
        assert answer.status_code == 503
        assert "believed for 600 s" in answer.json()["detail"]

    def test_a_clock_that_is_behind_does_not_make_it_young(
        self, client, granted, replica, settings
    ):
        settings.GATE_REPLICA_MAX_AGE_SECONDS = 600
        long_ago = database_now() - timedelta(hours=1)
        replica.age = (True, long_ago - timedelta(seconds=10), long_ago)
        assert ask(client, granted).status_code == 503

    def test_one_without_any_news_is_not_believed(self, client, granted, replica):
        replica.age = (True, None, database_now())
        assert "no news at all" in ask(client, granted).json()["detail"]

    def test_one_that_lacks_what_this_gate_has_seen_is_not_believed(
        self, client, granted, replica, monkeypatch
    ):
        monkeypatch.setattr(reading.source, "seen_size", 10_000)
        assert "lacks acts" in ask(client, granted).json()["detail"]

    def test_it_never_says_yes_beyond_the_sunset(self, client, replica):
        row = grant(make_deployment(), make_model_version(), ends=timedelta(microseconds=1))
        sequence_once()
        assert ask(client, row).json()["code"] == GateCode.EXPIRED


@pytest.mark.django_db(transaction=True)
def test_the_tick_gives_replicas_news_of_an_idle_writer():
    """What it commits is empty, but a commit: the number of the next transaction goes on."""

    def next_transaction():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            return cursor.fetchone()[0]

    before = next_transaction()
    tick()
    assert next_transaction() > before
