"""A site's gate from outside: every answer is verified, and what is not proven is no yes."""

import copy
import http.client
import json
from datetime import datetime, timedelta

import pytest

from oversight.ledger import ceremony as log_ceremony
from oversight.ledger import queries
from oversight.ledger.sequencer import sequence_once
from oversight.registry.choices import AuthorisationState
from oversight.registry.gate import answers, ceremony
from oversight_gate import site
from oversight_gate.__main__ import main
from oversight_gate.judging import CannotTell
from oversight_gate.notes import parse_policy
from oversight_gate.site import SiteJudge
from tests.factories import make_organisation
from tests.gate.conftest import CONFIG, GOOD
from tests.registry.test_gate_answers import change, grant
from tests.scenes import make_deployment, make_model_version

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("gate_key", "inline_sequencer"),
]


@pytest.fixture
def row(gate_key):
    made = grant(make_deployment(), make_model_version(), conditions={"languages": ["de"]})
    sequence_once()
    return made


@pytest.fixture
def policy(gate_key):
    return f"log {queries.newest_checkpoint().vkey}\nquorum none\n"


def ask(judge, row):
    return judge.ask(row.version.digest, row.deployment.slug)


def unlisted(content):
    content["handovers"] = []


def unsigned(content):
    """Give the rotation under the newest checkpoint, which only the new key has signed."""
    (handover,) = content["handovers"]
    handover["receipt"] = queries.receipt_at(handover["index"]).text


def elsewhere(content):
    (handover,) = content["handovers"]
    handover["leaf"] = handover["leaf"].replace("system:operator", "system:somebody")


class TestTheRealSite:
    def test_a_yes_is_verified_down_to_the_key_of_the_log(self, live_server, row, policy):
        judge = SiteJudge(live_server.url, parse_policy(policy))
        answer = ask(judge, row)
        assert (answer.allowed, answer.decision) == (True, row.decision_ref)
        assert dict(answer.conditions) == {"languages": ["de"]}
        assert 25 < answer.lasts <= 30
        assert "under your log key" in judge.name

    def test_a_no_is_one_and_is_asked_again_soon(self, live_server, row, policy):
        change(row, AuthorisationState.SUSPENDED)
        sequence_once()
        answer = ask(SiteJudge(live_server.url, parse_policy(policy)), row)
        assert (answer.allowed, answer.code) == (False, "suspended")
        assert answer.lasts <= 5

    def test_an_answer_is_kept_for_its_life_and_no_longer(
        self, live_server, row, policy, monkeypatch
    ):
        judge = SiteJudge(live_server.url, parse_policy(policy))
        assert ask(judge, row).allowed
        change(row, AuthorisationState.REVOKED)
        answers.forget()
        assert ask(judge, row).allowed
        real = site._steady
        monkeypatch.setattr(site, "_steady", lambda: real() + 31)
        assert not ask(judge, row).allowed

    def test_a_key_rotated_meanwhile_is_learnt_from_the_record(self, live_server, row, policy):
        judge = SiteJudge(live_server.url, parse_policy(policy))
        assert ask(judge, row).allowed
        ceremony.rotate_key()
        sequence_once()
        answers.forget()
        judge._kept.clear()
        assert ask(judge, row).allowed
        assert len(judge._keys) == 2

    def test_a_log_that_hands_over_meanwhile_is_followed(self, live_server, row, policy):
        judge = SiteJudge(live_server.url, parse_policy(policy))
        assert ask(judge, row).allowed
        for _ in range(2):
            log_ceremony.rotate_key()
            make_organisation()
            sequence_once()
            answers.forget()
            judge._kept.clear()
            assert ask(judge, row).allowed
        assert len(judge._followed) == 2

    @pytest.mark.parametrize("change_it", [unlisted, unsigned, elsewhere])
    def test_a_handover_that_the_old_key_did_not_sign_is_not_followed(
        self, live_server, row, policy, change_it, monkeypatch
    ):
        log_ceremony.rotate_key()
        make_organisation()
        sequence_once()
        answers.forget()
        judge = SiteJudge(live_server.url, parse_policy(policy))
        real = judge._get

        def get(path):
            content, age = real(path)
            if "handovers" in content:
                change_it(content)
            return content, age

        monkeypatch.setattr(judge, "_get", get)
        with pytest.raises(CannotTell, match=r"add its line|does not lead to it"):
            ask(judge, row)
        both = f"log {queries.newest_checkpoint().vkey}\n{policy}"
        assert ask(SiteJudge(live_server.url, parse_policy(both)), row).allowed

    def test_what_a_stolen_key_signed_is_not_believed(self, live_server, row, policy):
        judge = SiteJudge(live_server.url, parse_policy(policy))
        content, _ = judge._get(f"/api/v1/gate/?subject={row.version.digest}&deployment=x")
        ceremony.rotate_key(is_compromised=True)
        sequence_once()
        with pytest.raises(CannotTell, match="stolen"):
            judge._opened(content["statement"])

    def test_a_log_of_somebody_else_is_not_believed(self, live_server, row, policy):
        origin = policy.split()[1].partition("+")[0]
        stranger = f"log {origin}{VKEY_OF_ANOTHER}\nquorum none\n"
        stranger = stranger.replace("KEYID", key_id_of(origin))
        with pytest.raises(CannotTell, match="no key of your policy"):
            ask(SiteJudge(live_server.url, parse_policy(stranger)), row)

    def test_the_program_checks_a_configuration_against_the_site(
        self, live_server, row, policy, tmp_path, capsys
    ):
        config, kept = tmp_path / "config.yaml", tmp_path / "policy"
        kept.write_text(policy)
        text = CONFIG.replace(GOOD, row.version.digest)
        for old in ("chat-one", "chat-two"):
            text = text.replace(f"deployment: {old}", f"deployment: {row.deployment.slug}")
        config.write_text(text)
        arguments = ["litellm", str(config), "--site", live_server.url, "--policy", str(kept)]
        assert main(arguments) == 0
        assert row.decision_ref in capsys.readouterr().out
        config.write_text(text.replace(row.deployment.slug, "elsewhere", 1))
        assert main(arguments) == 1

    def test_a_gate_that_cannot_tell_is_no_yes_and_its_reason_is_said(
        self, live_server, row, settings, tmp_path
    ):
        settings.GATE_KEY_PATH = tmp_path / "none.pem"
        answers.forget()
        with pytest.raises(CannotTell, match="503: The gate has no key"):
            ask(SiteJudge(live_server.url, None), row)


VKEY_OF_ANOTHER = "+KEYID+AXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"


def key_id_of(origin):
    import base64
    import hashlib

    material = base64.b64decode(VKEY_OF_ANOTHER.rpartition("+")[2])
    return hashlib.sha256(origin.encode() + b"\n" + material).hexdigest()[:8]


class Doctored(SiteJudge):
    """Answers from what a site once said, changed by a hand in between."""

    def __init__(self, told, policy):
        super().__init__("https://council.example", policy)
        self.told = told

    def _get(self, path):
        return self.told["keys" if "keys" in path else "answer"], 30


@pytest.fixture
def told(client, row):
    pair = {"subject": row.version.digest, "deployment": row.deployment.slug}
    return {
        "answer": client.get("/api/v1/gate/", pair).json(),
        "keys": client.get("/api/v1/gate/keys/").json(),
    }


def other_payload(told):
    told["answer"]["statement"]["payload"] = told["answer"]["statement"]["payload"].replace(
        "A", "B", 1
    )


def other_act(told):
    (act,) = told["answer"]["record"]["acts"]
    act["leaf"] = act["leaf"].replace('"starts_at":"2', '"starts_at":"1')


def no_act(told):
    told["answer"]["record"]["acts"] = []


def other_key(told):
    told["keys"]["keys"][0]["public_key"] = "ab" * 32


def no_receipt(told):
    told["keys"]["keys"][0]["receipt"] = ""


def no_keys(told):
    told["keys"]["keys"] = []


def other_type(told):
    told["answer"]["statement"]["payloadType"] = "text/plain"


def nothing(told):
    told["answer"] = {}


@pytest.mark.parametrize(
    "change_it",
    [other_payload, other_act, no_act, other_key, no_receipt, no_keys, other_type, nothing],
)
def test_one_thing_that_is_not_as_it_was_signed_is_no_yes(told, row, policy, change_it):
    assert ask(Doctored(copy.deepcopy(told), parse_policy(policy)), row).allowed
    change_it(told)
    with pytest.raises(CannotTell):
        ask(Doctored(told, parse_policy(policy)), row)


def test_an_answer_about_something_else_is_no_yes(told, row, policy):
    with pytest.raises(CannotTell, match="something else"):
        Doctored(told, parse_policy(policy)).ask(row.version.digest, "elsewhere")


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_answer_of_another_time_is_no_yes(told, row, policy, monkeypatch, hours):
    class Skewed(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr(site, "datetime", Skewed)
    with pytest.raises(CannotTell, match="replayed, or a clock is wrong"):
        ask(Doctored(told, parse_policy(policy)), row)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://x", "no web address"),
        ("council", "no web address"),
        ("http://council.example", "not encrypted"),
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused(address, says):
    with pytest.raises(CannotTell, match=says):
        SiteJudge(address, None)


def test_a_site_that_is_not_there_cannot_tell(row):
    with pytest.raises(CannotTell, match="does not answer"):
        ask(SiteJudge("http://127.0.0.1:9", None), row)


def test_an_answer_that_is_no_json_cannot_tell(row, monkeypatch):
    judge = SiteJudge("https://council.example", None)
    for data in (b"<html>", b"[1]", b"x" * 3_000_000, json.dumps({"a": 1}).encode()[:-1]):
        with pytest.raises(CannotTell, match="status 200"):
            judge._content(http.client.OK, data)
