"""Receipts, checkpoints, leaves and commitments as texts: what is read back and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from oversight.ledger import checkpoint, commitment, leaf, merkle, note, proof

ORIGIN = "log.example/record"
NOON = datetime(2026, 11, 23, 12, 0, 5, 999_999, tzinfo=timezone(timedelta(hours=1)))
DIGEST = "sha256:" + "ab" * 32


@pytest.fixture(scope="module")
def key():
    return note.SigningKey(ORIGIN, Ed25519PrivateKey.generate())


def make_receipt(key, entries, index):
    hashes = [merkle.leaf_hash(each) for each in entries]

    def read(nodes):
        return [merkle.root(hashes[n.index << n.level : (n.index + 1) << n.level]) for n in nodes]

    head = checkpoint.TreeHead(ORIGIN, len(entries), merkle.root(hashes))
    path = tuple(merkle.prove_inclusion(index, len(entries), read))
    return proof.TlogProof(index, path, checkpoint.sign(head, key))


@given(st.data())
def test_a_receipt_read_back_from_its_text_proves_its_entry_and_no_other(key, data):
    entries = [str(number).encode() for number in range(data.draw(st.integers(1, 40)))]
    index = data.draw(st.integers(0, len(entries) - 1))
    receipt = proof.parse(make_receipt(key, entries, index).format())
    assert receipt.verify(entries[index], [key.verifier]).size == len(entries)
    with pytest.raises(proof.ReceiptError, match="another root"):
        receipt.verify(b"something else", [key.verifier])


def test_a_receipt_looks_as_the_format_says(key):
    lines = make_receipt(key, [b"a", b"b"], 1).format().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 1"]
    assert lines[3:6] == ["", ORIGIN, "2"]
    assert lines[8].startswith(f"— {ORIGIN} ")
    assert lines[9:] == [""]


def test_extra_data_of_other_applications_is_kept(key):
    receipt = make_receipt(key, [b"a"], 0)
    with_extra = proof.TlogProof(0, (), receipt.signed_checkpoint, b"more")
    assert proof.parse(with_extra.format()) == with_extra


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: "", "first line"),
        (lambda text: text.replace("@v1", "@v2"), "first line"),
        (lambda text: text.replace("index 1", "index 01"), "leading zeros"),
        (lambda text: text.replace("index 1", "index -1"), "leading zeros"),
        (lambda text: text.replace("index 1\n", ""), "no line with its index"),
        (lambda text: text.replace("\n\n", "\n"), "no blank line"),
        (lambda text: text.replace("index 1\n", "index 1\nAAAA\n"), "32 bytes"),
        (lambda text: text.replace("index 1\n", "index 1\n?\n"), "not base64"),
        (lambda text: text.replace("index 1\n", "index 1\n" + "A" * 43 + "=\n" * 99), "at most"),
        (lambda text: text + "x" * 1_000_000, "shorter than"),
    ],
)
def test_a_text_that_is_no_receipt_is_refused_with_the_reason(key, change, reason):
    with pytest.raises(proof.ReceiptError, match=reason):
        proof.parse(change(make_receipt(key, [b"a", b"b"], 1).format()))


def test_a_receipt_of_another_key_or_another_index_is_refused(key):
    receipt = make_receipt(key, [b"a", b"b", b"c"], 1)
    stranger = note.SigningKey(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(proof.ReceiptError, match="not signed by a known key"):
        receipt.verify(b"b", [stranger.verifier])
    moved = proof.TlogProof(2, receipt.hashes, receipt.signed_checkpoint)
    with pytest.raises(proof.ReceiptError):
        moved.verify(b"b", [key.verifier])
    beyond = proof.TlogProof(3, receipt.hashes, receipt.signed_checkpoint)
    with pytest.raises(proof.ReceiptError, match="no leaf 3"):
        beyond.verify(b"b", [key.verifier])


def test_a_checkpoint_reads_back_with_its_extension_lines(key):
    head = checkpoint.TreeHead(ORIGIN, 7, bytes(range(32)), ("more",))
    assert checkpoint.parse(head.text()) == head
    assert checkpoint.open_signed(checkpoint.sign(head, key).encode(), [key.verifier]) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n7\n",
        "log\n7\nAAAA\n",
        "log\n07\n" + "A" * 43 + "=\n",
        "log\n7\n" + "A" * 43 + "=",
        "\n7\n" + "A" * 43 + "=\n",
        "log\n99999999999999999999\n" + "A" * 43 + "=\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(checkpoint.CheckpointError):
        checkpoint.parse(text)


def test_a_key_signs_only_for_the_log_of_its_name(key):
    head = checkpoint.TreeHead("other.example/log", 0, merkle.EMPTY_ROOT)
    with pytest.raises(checkpoint.CheckpointError, match="cannot sign"):
        checkpoint.sign(head, key)
    signed = note.sign(head.text(), [key]).format().encode()
    with pytest.raises(checkpoint.CheckpointError, match="did not sign"):
        checkpoint.open_signed(signed, [key.verifier])


def test_a_leaf_is_the_canonical_json_of_the_format():
    body = leaf.encode(
        type="proposals.ballot.cast",
        at=NOON,
        actor="member:ada",
        subject="proposal:2026-1",
        digests={"text": DIGEST},
        commits={"choice": DIGEST},
        facts={"revision": 3, "open": True, "note": None, "share": "0.5"},
    )
    expected = (
        '{"actor":"member:ada","at":"2026-11-23T11:00:05Z","commits":{"choice":"DIGEST"},'
        '"digests":{"text":"DIGEST"},"facts":{"note":null,"open":true,"revision":3,"share":"0.5"},'
        '"subject":"proposal:2026-1","type":"proposals.ballot.cast","v":1}'
    )
    assert body == expected.replace("DIGEST", DIGEST).encode()


def test_a_leaf_without_facts_has_no_such_field():
    body = leaf.encode(type="a.b", at=NOON, actor="system:x", subject="log:y")
    assert json.loads(body).keys() == {"v", "type", "at", "actor", "subject", "digests", "commits"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"type": "Proposal"}, "type"),
        ({"type": "proposals"}, "type"),
        ({"actor": "ada"}, "actor"),
        ({"actor": "person:Ada Lovelace"}, "actor"),
        ({"subject": "proposal:" + "x" * 161}, "subject"),
        ({"at": NOON.replace(tzinfo=None)}, "time zone"),
        ({"digests": {"text": "ab" * 32}}, "digests.text"),
        ({"digests": {"text": "sha256:" + "AB" * 32}}, "digests.text"),
        ({"digests": {"": DIGEST}}, "digests"),
        ({"commits": {"choice": None}}, "commits.choice"),
        ({"facts": {"share": 0.5}}, "facts.share is a float"),
        ({"facts": {"share": float("nan")}}, "facts.share is a float"),
        ({"facts": {"count": 2**53}}, "decimal string"),
        ({"facts": {"text": "x" * 201}}, "facts.text"),
        ({"facts": {"text": "two\nlines"}}, "facts.text"),
        ({"facts": {"text": "\ud800"}}, "facts.text"),
        ({"facts": {"list": [1]}}, "facts.list"),
        ({"facts": {"a b": 1}}, "facts"),
        ({"facts": {f"fact{number}": "x" * 200 for number in range(20)}}, "at most 4095"),
    ],
)
def test_a_leaf_that_breaks_a_rule_is_refused_by_the_name_of_the_field(change, named):
    fields = {"type": "a.b", "at": NOON, "actor": "system:x", "subject": "log:y"}
    with pytest.raises(leaf.LeafError, match=named):
        leaf.encode(**(fields | change))


def test_the_longest_leaf_is_one_byte_under_four_kilobytes():
    def encode(last):
        facts = {f"f{number:02}": "x" * 200 for number in range(18)} | {"f18": "x" * last}
        return leaf.encode(type="a.b", at=NOON, actor="system:x", subject="log:longer", facts=facts)

    room = 4095 - len(encode(0))
    assert 0 < room < 200
    assert len(encode(room)) == 4095
    with pytest.raises(leaf.LeafError, match="4096 bytes"):
        encode(room + 1)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=4), inner),
    max_leaves=8,
)


@given(JSON)
def test_a_commitment_is_opened_by_its_own_salt_and_value_only(value):
    made = commitment.commit(value)
    assert commitment.opens(made.digest, made.salt, json.loads(json.dumps(value)))
    assert not commitment.opens(made.digest, bytes(32), value)
    assert not commitment.opens(made.digest, made.salt, [value])
    assert commitment.commit(value).digest != made.digest


def test_a_commitment_is_the_hash_the_format_says():
    assert commitment.commit({"choice": "yes"}, bytes(32)).digest == (
        "sha256:1cca5b1839ef66f5ec65ec1522c53eaab2e254a96ef4e900d62ea91804b188ed"
    )


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (0.5, "value is a float"),
        ({"a": [1, 0.5]}, r"value\.a\[1\] is a float"),
        ({"a": "x\x00"}, r"value\.a holds a NUL"),
        ({"a\x00": 1}, "holds a NUL"),
        (2**53, "canonical JSON"),
        ({1: 2}, "canonical JSON"),
        (object(), "canonical JSON"),
    ],
)
def test_what_cannot_be_committed_to_is_refused_by_its_place(value, named):
    with pytest.raises(commitment.CommitmentError, match=named):
        commitment.commit(value)


def test_a_salt_of_another_length_is_refused():
    with pytest.raises(commitment.CommitmentError, match="32 bytes"):
        commitment.commit("x", b"short")


def test_instants_are_written_in_utc_whatever_zone_they_came_in():
    here = leaf.encode(type="a.b", at=NOON, actor="system:x", subject="log:y")
    there = leaf.encode(type="a.b", at=NOON.astimezone(UTC), actor="system:x", subject="log:y")
    assert here == there
