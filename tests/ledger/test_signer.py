"""The signer alone: its key, its memory on disk, and what it refuses."""

import json
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.core.management import CommandError, call_command

from oversight.ledger import checkpoint, durable, keys, merkle, note, signer

ORIGIN = "log.example/record"
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(40)]


@pytest.fixture
def make_signer(tmp_path):
    def make(origin=ORIGIN, key="key.pem", may_create_key=True):
        return signer.Signer(
            origin=origin,
            key_path=tmp_path / "deep" / key,
            state_path=tmp_path / "state" / "signer.json",
            may_create_key=may_create_key,
        )

    return make


@pytest.fixture
def state_path(tmp_path):
    return tmp_path / "state" / "signer.json"


def edge_of(size, leaves=LEAVES):
    edge = merkle.RightEdge()
    for each in leaves[:size]:
        edge.append(each)
    return edge


def proof_of(old, new, leaves=LEAVES):
    def read(nodes):
        return [merkle.root(leaves[n.index << n.level : (n.index + 1) << n.level]) for n in nodes]

    return merkle.prove_consistency(old, new, read)


def test_it_signs_growing_trees_and_remembers_the_last_one(make_signer, state_path):
    sizes = [0, 1, 5, 5, 23]
    for old, new in zip([0, *sizes], sizes, strict=False):
        made = make_signer()
        signed = made.sign(edge_of(new), proof_of(old, new))
        key = note.VerifierKey.parse(made.vkey)
        head = checkpoint.open_signed(signed.encode(), [key])
        assert (head.origin, head.size, head.root) == (ORIGIN, new, edge_of(new).root())
    state = json.loads(state_path.read_text())
    assert (state["size"], len(state["edge"])) == (23, 4)


def test_the_same_tree_signed_again_gives_the_same_text(make_signer):
    made = make_signer()
    made.sign(edge_of(0), [])
    first, again = (
        note.parse(each.sign(edge_of(7), []).encode()) for each in (made, make_signer())
    )
    assert (again.text, again.signatures[0]) == (first.text, first.signatures[0])
    # ML-DSA draws fresh randomness for each signature; the time it states is the same.
    assert again.signatures[1].value[:8] == first.signatures[1].value[:8]


def test_the_first_tree_it_signs_is_the_empty_one(make_signer):
    with pytest.raises(signer.SignerRefusal, match=r"state .* is missing"):
        make_signer().sign(edge_of(3), [])


def test_it_refuses_a_tree_that_does_not_continue_the_signed_one(make_signer, state_path):
    made = make_signer()
    made.sign(edge_of(0), [])
    made.sign(edge_of(9), [])
    before = state_path.read_text()
    other = [merkle.leaf_hash(b"other"), *LEAVES[1:]]
    refusals = [
        (edge_of(8), proof_of(8, 9), "already signed"),
        (edge_of(9, other), [], "another tree of 9"),
        (edge_of(20, other), proof_of(9, 20, other), "does not continue"),
        (edge_of(20), [], "does not continue"),
        (edge_of(20), proof_of(8, 20), "does not continue"),
    ]
    for edge, proof, reason in refusals:
        with pytest.raises(signer.SignerRefusal, match=reason):
            made.sign(edge, proof)
    assert state_path.read_text() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-40],
        lambda text: "[]",
        lambda text: text.replace('"v": 1', '"v": 2'),
        lambda text: text.replace('"size": 9', '"size": 8'),
        lambda text: text.replace('"edge"', '"rim"'),
        lambda text: text.replace("sha256:", "sha256:0", 1),
    ],
)
def test_a_damaged_state_is_refused_not_replaced(make_signer, state_path, damage):
    made = make_signer()
    made.sign(edge_of(0), [])
    made.sign(edge_of(9), [])
    state_path.write_text(damage(state_path.read_text()))
    damaged = state_path.read_text()
    with pytest.raises(signer.SignerRefusal, match="is damaged"):
        make_signer().sign(edge_of(9), [])
    assert state_path.read_text() == damaged


def test_a_state_is_whole_or_the_old_one_when_the_disk_gives_out(
    make_signer, state_path, monkeypatch
):
    made = make_signer()
    made.sign(edge_of(0), [])
    before = state_path.read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        made.sign(edge_of(9), [])
    monkeypatch.undo()
    assert state_path.read_text() == before
    assert made.sign(edge_of(9), [])


def test_a_log_does_not_change_its_name_or_its_key(make_signer):
    make_signer().sign(edge_of(0), [])
    with pytest.raises(signer.SignerRefusal, match=f"Set LEDGER_ORIGIN={ORIGIN}"):
        make_signer(origin="other.example/log").signed_size()
    with pytest.raises(signer.SignerRefusal, match="Restore the key"):
        make_signer(key="another.pem").signed_size()


def test_a_key_is_made_once_and_only_its_owner_can_read_it(make_signer, tmp_path):
    first = make_signer().vkey
    path = tmp_path / "deep" / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_signer().vkey == first
    assert keys.create_key(path) is False
    beside = keys.mldsa_path(path)
    assert sorted(path.parent.iterdir()) == [beside, path]
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600


def test_a_missing_key_is_not_made_where_that_is_not_allowed(make_signer):
    with pytest.raises(signer.SignerRefusal, match="log_key --create"):
        make_signer(may_create_key=False)


def test_a_key_of_another_kind_is_refused(make_signer, tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "key.pem").write_bytes(b"nonsense")
    with pytest.raises(signer.SignerRefusal, match="PEM form"):
        make_signer()
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(pem)
    with pytest.raises(signer.SignerRefusal, match="not an Ed25519 key"):
        make_signer()


@pytest.mark.django_db
def test_the_key_command_makes_a_key_only_when_told_to(settings, capsys):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="log_key --create"):
        call_command("log_key")
    with pytest.raises(CommandError, match="log_key --create") as caught:
        call_command("sequencer")
    assert caught.value.returncode == 3
    call_command("log_key", "--create")
    vkey = capsys.readouterr().out
    call_command("log_key", "--create")
    assert capsys.readouterr().out == vkey
    assert note.VerifierKey.parse(vkey.strip()).name == settings.LEDGER_ORIGIN


@pytest.mark.django_db
def test_the_sequencer_command_adopts_the_stored_tree_once(make_record, settings, capsys):
    make_record(4)
    settings.LEDGER_SIGNER_STATE_PATH.unlink()
    call_command("sequencer", "--adopt")
    assert "continues from 4 entries" in capsys.readouterr().out
    with pytest.raises(CommandError, match="nothing needs to be adopted") as caught:
        call_command("sequencer", "--adopt")
    assert caught.value.returncode == 3
