"""A bundle and a policy: what they prove is answered, what they do not is no yes."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import cosignature, note
from oversight.registry import rebuild
from oversight_gate import bundle as bundles
from oversight_gate import strict_json
from oversight_gate.__main__ import main
from oversight_gate.bundle import BundleFile, BundleJudge
from oversight_gate.judging import CannotTell, moment
from oversight_gate.notes import Malformed, parse_policy
from oversight_gate.registry import Registry
from tests.audit.forge import LOG_KEY, files_of, repacked
from tests.audit.handed_over import SECOND, STRANGER, THIRD, hand_over, packed, signed_at
from tests.gate.conftest import CONFIG, GOOD, NEVER, OTHER, Record

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]
VKEY = LOG_KEY.verifier.format()
ALONE = f"log {VKEY}\nquorum none\n"


def judge(record, folder, policy=ALONE, max_age=DAY):
    return BundleJudge(record.save(folder), parse_policy(policy), max_age)


def ask(record, folder, subject=GOOD, deployment="chat-one"):
    return judge(record, folder).ask(subject, deployment)


class TestAnswers:
    def test_what_is_granted_on_the_log_is_allowed_until_its_sunset(self, record, tmp_path):
        answer = ask(record, tmp_path)
        assert (answer.allowed, answer.decision) == (True, "2026-001")
        assert "until" in answer.says

    @pytest.mark.parametrize(
        ("subject", "deployment", "code"),
        [
            (NEVER, "chat-one", "unknown-version"),
            (GOOD, "nowhere", "unknown-deployment"),
            (OTHER, "chat-one", "never-decided"),
        ],
    )
    def test_what_is_not_is_refused(self, record, tmp_path, subject, deployment, code):
        answer = ask(record, tmp_path, subject, deployment)
        assert (answer.allowed, answer.code) == (False, code)

    @pytest.mark.parametrize(
        ("word", "facts", "code"),
        [
            ("suspended", {}, "suspended"),
            ("suspended", {"until": "2999-01-01T00:00:00Z"}, "suspended"),
            ("suspended", {"until": "2001-01-01T00:00:00Z"}, "authorised"),
            ("revoked", {}, "revoked"),
            ("superseded", {}, "superseded"),
            ("restored", {}, "authorised"),
        ],
    )
    def test_later_acts_change_it(self, record, tmp_path, word, facts, code):
        record.change("2026-001", word, **facts)
        assert ask(record, tmp_path).code == code

    def test_start_and_sunset_hold_to_the_second(self, tmp_path):
        for starts, ends, code in (
            (-2, -1, "expired"),
            (1, 2, "not-yet"),
            (-1, None, "authorised"),
        ):
            record = Record()
            record.register(GOOD)
            record.grant(GOOD, "chat-one", "2026-001", starts=starts, ends=ends)
            assert ask(record, tmp_path).code == code

    def test_the_one_that_stands_decides_and_else_the_newest(self, record, tmp_path):
        record.change("2026-001", "superseded")
        record.grant(GOOD, "chat-one", "2026-003")
        record.change("2026-003", "suspended")
        assert ask(record, tmp_path).code == "suspended"
        record.change("2026-003", "revoked")
        assert ask(record, tmp_path).decision == "2026-003"

    def test_it_folds_the_log_as_the_site_does(self, record):
        record.change("2026-001", "suspended", until="2999-01-01T00:00:00Z")
        acts = [json.loads(entry) for entry in record.entries]
        mine = Registry()
        for index, act in enumerate(acts):
            if act["type"].startswith("registry."):
                mine.take(index, act)
        rows = rebuild.rebuild(act for act in acts if act["type"].startswith("registry."))
        for ref, row in mine.by_decision.items():
            theirs = rows[f"authorisation:{ref}"]
            assert (row.version, row.deployment, row.state) == (
                theirs["version"],
                theirs["deployment"],
                theirs["state"],
            )
            assert (row.until and moment(theirs["until"])) == row.until


class TestConditions:
    CONDITIONS = {"languages": ["de", "fr"], "maximum_temperature": "0.7"}

    @pytest.fixture
    def conditioned(self):
        record = Record()
        record.register(GOOD)
        record.grant(GOOD, "chat-one", "2026-001", conditions=strict_json.digest(self.CONDITIONS))
        return record

    def test_they_are_read_from_the_contract_by_the_digest_on_the_log(self, conditioned, tmp_path):
        contract = {"terms": {"conditions": self.CONDITIONS}}
        conditioned.keep("decisions/2026-001/contract.json", contract)
        assert ask(conditioned, tmp_path).conditions == self.CONDITIONS

    @pytest.mark.parametrize("contract", [None, {}, [], {"terms": {"conditions": {"rate": 1}}}])
    def test_others_than_were_decided_are_not_believed(self, conditioned, tmp_path, contract):
        if contract is not None:
            conditioned.keep("decisions/2026-001/contract.json", contract)
        found = ask(conditioned, tmp_path).conditions
        assert found == {"digest": strict_json.digest(self.CONDITIONS)}


class TestABundleThatIsReplaced:
    def test_a_service_follows_it_and_never_goes_back(self, record, tmp_path):
        older = record.pack()
        path = record.save(tmp_path)
        made = BundleFile(path, parse_policy(ALONE), DAY)
        assert made.ask(GOOD, "chat-one").allowed
        record.change("2026-001", "suspended")
        record.save(tmp_path)
        assert made.ask(GOOD, "chat-one").code == "suspended"
        for worse in (older, b"no zip"):
            path.write_bytes(worse)
            assert made.ask(GOOD, "chat-one").code == "suspended"
        path.unlink()
        assert made.ask(GOOD, "chat-one").code == "suspended"


class TestProof:
    def test_one_changed_byte_of_any_file_that_counts_is_no_proof(self, record, tmp_path):
        files = dict(files_of(record.pack()))
        for path in [name for name in files if name.startswith("log/tile/entries")] + [
            "checkpoint"
        ]:
            changed = bytearray(files[path])
            changed[len(changed) // 2] ^= 1
            spoilt = tmp_path / "spoilt.zip"
            spoilt.write_bytes(repacked((files | {path: bytes(changed)}).items()))
            with pytest.raises(CannotTell, match=r"not proven|no usable"):
                BundleJudge(spoilt, parse_policy(ALONE), DAY)

    def test_an_entry_that_is_left_out_is_no_proof(self, record, tmp_path):
        entries, record.entries = record.entries, record.entries[:-1]
        shorter = dict(files_of(record.pack()))
        record.entries = entries
        whole = dict(files_of(record.pack()))
        mixed = tmp_path / "mixed.zip"
        mixed.write_bytes(repacked((shorter | {"checkpoint": whole["checkpoint"]}).items()))
        with pytest.raises(CannotTell, match="not proven"):
            BundleJudge(mixed, parse_policy(ALONE), DAY)

    def test_a_log_of_somebody_else_is_not_believed(self, record, tmp_path):
        other = note.SigningKey(LOG_KEY.verifier.name, Ed25519PrivateKey.generate())
        with pytest.raises(CannotTell, match="no key of your policy"):
            judge(record, tmp_path, f"log {other.verifier.format()}\nquorum none\n")

    def test_more_than_a_bundle_is_refused(self, tmp_path):
        (tmp_path / "x.zip").write_bytes(b"PK not a zip")
        with pytest.raises(CannotTell, match="no usable bundle"):
            BundleJudge(tmp_path / "x.zip", parse_policy(ALONE), DAY)


class TestWitnesses:
    @pytest.fixture
    def witness(self):
        private = Ed25519PrivateKey.generate()
        key = cosignature.CosignerKey(
            "witness.example", cosignature.ED25519, private.public_key().public_bytes_raw()
        )
        return SimpleNamespace(key=key, private=private)

    def cosigned(self, record, folder, witness, at):
        files = dict(files_of(record.pack()))
        text = note.parse(files["checkpoint"]).text
        line = cosignature.cosign(witness.key, witness.private, text, int(at.timestamp())).line()
        path = folder / "cosigned.zip"
        changed = {"checkpoint": files["checkpoint"] + line.encode()}
        path.write_bytes(repacked((files | changed).items()))
        return path

    def policy(self, witness, quorum="w"):
        return parse_policy(f"log {VKEY}\nwitness w {witness.key.format()}\nquorum {quorum}\n")

    def test_a_quorum_that_is_asked_for_must_be_there(self, record, tmp_path, witness):
        with pytest.raises(CannotTell, match="too few for the quorum"):
            BundleJudge(record.save(tmp_path), self.policy(witness), DAY)
        path = self.cosigned(record, tmp_path, witness, datetime.now(UTC))
        assert BundleJudge(path, self.policy(witness), DAY).ask(GOOD, "chat-one").allowed

    def test_a_witness_makes_a_quiet_log_young(self, tmp_path, witness):
        record = Record(age=timedelta(days=3))
        record.register(GOOD)
        record.grant(GOOD, "chat-one", "2026-001")
        with pytest.raises(CannotTell, match=r"3 days|72 hours"):
            BundleJudge(record.save(tmp_path), self.policy(witness, "none"), DAY)
        path = self.cosigned(record, tmp_path, witness, datetime.now(UTC))
        assert BundleJudge(path, self.policy(witness), DAY).ask(GOOD, "chat-one").allowed

    def test_groups_count_different_witnesses(self, witness):
        lines = f"log {VKEY}\nwitness w {witness.key.format()}\n"
        assert parse_policy(lines + "group g any w\nquorum g\n").quorum == "g"
        for bad in ("group g 2 w\nquorum g", "group g all x\nquorum g", "quorum x", "hello"):
            with pytest.raises(Malformed, match="line 3"):
                parse_policy(f"{lines}{bad}\n")

    @pytest.mark.parametrize("text", ["", "quorum none\n", f"log {VKEY}\n", "log x\nquorum none\n"])
    def test_a_policy_that_says_nothing_is_refused(self, text):
        with pytest.raises(Malformed):
            parse_policy(text)


class TestTime:
    def test_an_old_bundle_is_not_believed(self, tmp_path):
        record = Record(age=timedelta(hours=30))
        record.register(GOOD)
        with pytest.raises(CannotTell, match="30 hours old and is believed for 24 hours"):
            judge(record, tmp_path)
        assert judge(record, tmp_path, max_age=timedelta(days=2)).ask(GOOD, "chat-one").code

    def test_a_clock_an_hour_behind_the_record_is_said_and_no_yes(self, tmp_path):
        record = Record(age=timedelta(hours=-1))
        record.register(GOOD)
        with pytest.raises(CannotTell, match="set the clock"):
            judge(record, tmp_path)

    def test_a_clock_that_is_set_back_later_does_not_undo_the_sunset(self, tmp_path, monkeypatch):
        record = Record(age=timedelta(0))
        record.register(GOOD)
        record.grant(GOOD, "chat-one", "2026-001", ends=-0.0001, starts=-2)
        made = judge(record, tmp_path)

        class Back(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) - timedelta(minutes=4)

        monkeypatch.setattr(bundles, "datetime", Back)
        assert made.ask(GOOD, "chat-one").code == "expired"


class TestTheProgram:
    def run(self, *arguments):
        return main([str(each) for each in arguments])

    def test_its_exit_status_says_allowed_refused_or_cannot_tell(
        self, record, tmp_path, policy, capsys
    ):
        config, bundle = tmp_path / "config.yaml", record.save(tmp_path)
        config.write_text(CONFIG)
        by = ["--bundle", bundle, "--policy", policy]
        assert self.run("litellm", config, *by) == 0
        assert "All 2 allowed." in capsys.readouterr().out
        config.write_text(CONFIG.replace(GOOD, OTHER, 1))
        assert self.run("litellm", config, *by) == 1
        said = capsys.readouterr().out
        assert f"{config}:9" in said
        assert "no decision allows these weights there" in said
        assert self.run("litellm", config, "--bundle", bundle) == 2
        assert "--policy of your own" in capsys.readouterr().err
        assert self.run("litellm", config, "--bundle", tmp_path / "none.zip", *by[2:]) == 2

    def test_a_digest_and_a_folder_are_asked_about(self, record, tmp_path, policy, capsys):
        by = ["--bundle", record.save(tmp_path), "--policy", policy]
        assert self.run("digest", GOOD, "--deployment", "chat-one", *by) == 0
        assert self.run("digest", NEVER, "--deployment", "chat-one", *by) == 1
        assert self.run("digest", "sha256:x", "--deployment", "chat-one", *by) == 2
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / "model.gguf").write_bytes(b"x")
        assert self.run("weights", tmp_path / "weights", "--deployment", "chat-one", *by) == 1

    def test_several_files_are_one_report_and_the_worst_status(
        self, record, tmp_path, policy, capsys
    ):
        good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
        good.write_text(CONFIG)
        bad.write_text("a: &a [*a]\n")
        by = ["--bundle", record.save(tmp_path), "--policy", policy, "--format", "json"]
        assert self.run("litellm", good, bad, *by) == 1
        content = json.loads(capsys.readouterr().out)
        assert [len(content["items"]), len(content["findings"])] == [2, 1]

    def test_it_runs_without_django_and_without_the_site(self, record, tmp_path, policy):
        config, bundle = tmp_path / "config.yaml", record.save(tmp_path)
        config.write_text(CONFIG)
        code = (
            "import sys, oversight_gate.__main__ as m; "
            "status = m.main(sys.argv[1:]); "
            "bad = {'django', 'rest_framework', 'oversight', 'rfc8785', 'securesystemslib'}; "
            "sys.exit(status or 100 * bool(bad & {n.split('.')[0] for n in sys.modules}))"
        )
        arguments = ["litellm", str(config), "--bundle", str(bundle), "--policy", str(policy)]
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


class TestAKeyHandedOver:
    """The policy names the key that signed once; the log is signed by another now."""

    @pytest.fixture
    def size(self, record):
        return hand_over(record, LOG_KEY, SECOND)

    def judged(self, folder, record, handovers, policy=ALONE):
        path = folder / "bundle.zip"
        path.write_bytes(packed(record, [LOG_KEY, SECOND], handovers))
        return BundleJudge(path, parse_policy(policy), DAY)

    def test_it_is_followed_by_what_the_old_key_has_signed(self, record, size, tmp_path):
        record.change("2026-002", "revoked")
        judge = self.judged(tmp_path, record, {size: signed_at(record, size, LOG_KEY)})
        assert judge.ask(GOOD, "chat-one").allowed

    def test_a_policy_may_name_both(self, record, size, tmp_path):
        both = f"log {SECOND.verifier.format()}\n{ALONE}"
        assert self.judged(tmp_path, record, {}, both).ask(GOOD, "chat-one").allowed

    def test_an_entry_alone_hands_nothing_over(self, record, size, tmp_path):
        with pytest.raises(CannotTell, match="add its line `log VKEY`"):
            self.judged(tmp_path, record, {})

    @pytest.mark.parametrize("signer", [SECOND, STRANGER])
    def test_nor_does_what_another_key_has_signed(self, record, size, tmp_path, signer):
        with pytest.raises(CannotTell, match="no key of your policy"):
            self.judged(tmp_path, record, {size: signed_at(record, size, signer)})

    def test_nor_a_tree_with_another_entry(self, record, size, tmp_path):
        signed = signed_at(record, size, LOG_KEY)
        record.entries[0] = record.entries[1]
        with pytest.raises(CannotTell, match="of another log"):
            self.judged(tmp_path, record, {size: signed})

    def test_a_step_that_nobody_signed_is_not_skipped(self, record, size, tmp_path):
        second = hand_over(record, SECOND, THIRD)
        path = tmp_path / "bundle.zip"
        signed = {second: signed_at(record, second, SECOND)}
        path.write_bytes(packed(record, [LOG_KEY, SECOND, THIRD], signed))
        with pytest.raises(CannotTell, match="no key of your policy"):
            BundleJudge(path, parse_policy(ALONE), DAY)

    @pytest.mark.parametrize("name", ["x", "01", "-1", "9" * 30])
    def test_a_handover_of_no_size_is_refused(self, record, size, tmp_path, name):
        with pytest.raises(CannotTell, match="whole number"):
            self.judged(tmp_path, record, {name: b"x"})
