"""Signed notes: the published vector, what is ignored, and everything that is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from oversight.ledger import note

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
MESSAGE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuw"
    "HjG1Yu72IneyaQM=\n"
)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)]),
    max_size=60,
)


def make_key(name="log.example/one"):
    return note.SigningKey(name, Ed25519PrivateKey.generate())


def test_the_published_note_verifies_with_the_published_key():
    key = note.VerifierKey.parse(VKEY)
    signed = note.parse(MESSAGE.encode())
    assert signed.text == "This is an example message.\n"
    assert note.verify(signed, [key]) == (key,)
    assert signed.format() == MESSAGE
    assert key.format() == VKEY
    assert key.key_id.hex() == "530d903a"


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_what_is_signed_reads_back_and_verifies_even_with_blank_lines(lines):
    text = "".join(f"{line}\n" for line in lines)
    one, two = make_key("a.example"), make_key("b.example")
    signed = note.parse(note.sign(text, [one, two]).format().encode())
    assert signed.text == text
    assert note.verify(signed, [two.verifier]) == (two.verifier,)
    assert note.verify(signed, [one.verifier, two.verifier]) == (one.verifier, two.verifier)


@given(st.data())
def test_no_flipped_bit_leaves_a_note_valid_with_the_same_text(data):
    key = make_key()
    message = note.sign("origin\n7\n", [key]).format().encode()
    position = data.draw(st.integers(0, len(message) * 8 - 1))
    changed = bytearray(message)
    changed[position // 8] ^= 1 << position % 8
    with pytest.raises(note.NoteError):
        note.verify(note.parse(bytes(changed)), [key.verifier])


def test_signatures_of_unknown_keys_are_ignored_even_when_they_are_wrong():
    key, stranger = make_key("a.example"), make_key("b.example")
    signed = note.sign("text\n", [key])
    nonsense = note.Signature("b.example", stranger.verifier.key_id, bytes(7))
    both = note.Note(signed.text, (nonsense, *signed.signatures))
    assert note.verify(both, [key.verifier]) == (key.verifier,)


def test_a_key_that_shares_only_the_name_or_only_the_id_is_unknown():
    key = make_key("a.example")
    good = key.sign("text\n")
    same_name = note.Signature("a.example", b"abcd", bytes(64))
    same_id = note.Signature("c.example", good.key_id, bytes(64))
    signed = note.Note("text\n", (same_name, same_id, good))
    assert note.verify(signed, [key.verifier]) == (key.verifier,)
    with pytest.raises(note.NoteError, match="not signed by a known key"):
        note.verify(note.Note("text\n", (same_name, same_id)), [key.verifier])


def test_one_wrong_signature_of_a_known_key_rejects_the_note_whatever_else_is_right():
    key, other = make_key("a.example"), make_key("b.example")
    forged = note.Signature("b.example", other.verifier.key_id, bytes(64))
    signed = note.Note("text\n", (key.sign("text\n"), forged))
    with pytest.raises(note.NoteError, match=r"b\.example .* is wrong"):
        note.verify(signed, [key.verifier, other.verifier])


def test_a_signature_of_another_text_is_wrong():
    key = make_key()
    with pytest.raises(note.NoteError, match="is wrong"):
        note.verify(note.Note("other\n", (key.sign("text\n"),)), [key.verifier])


def test_a_note_without_any_known_key_is_rejected():
    with pytest.raises(note.NoteError, match="not signed by a known key"):
        note.verify(note.parse(MESSAGE.encode()), [])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "no blank line"),
        (b"text\n", "no blank line"),
        (b"text\n\n", "must end with"),
        ("text\n\n— a.example AAAAAAA=".encode(), "must end with"),
        (b"text\n\n- a.example AAAAAAA=\n", "not a signature line"),
        ("text\n\n— a.example  AAAAAAA=\n".encode(), "not a signature line"),
        ("text\n\n— a+b AAAAAAA=\n".encode(), "cannot name a key"),
        ("text\n\n— a\u00a0b AAAAAAA=\n".encode(), "cannot name a key"),
        ("text\n\n— a.example AAAAAAA\n".encode(), "not base64"),
        ("text\n\n— a.example AAAAAAB=\n".encode(), "usual spelling"),
        ("text\n\n— a.example AAAAAA==\n".encode(), "too short"),
        ("te\txt\n\n— a.example AAAAAAA=\n".encode(), "control character"),
        ("text\r\n\n— a.example AAAAAAA=\n".encode(), "control character"),
        (b"\xff\n\n", "not UTF-8"),
    ],
)
def test_a_malformed_note_is_refused_with_the_reason(message, reason):
    with pytest.raises(note.NoteError, match=reason):
        note.parse(message)


def test_sixteen_signatures_are_accepted_and_a_flood_is_not():
    key = make_key()
    line = "— someone.example AAAAAAA=\n"
    own = key.sign("text\n").line()
    signed = note.parse(f"text\n\n{line * 15}{own}".encode())
    assert note.verify(signed, [key.verifier])
    with pytest.raises(note.NoteError, match="more than 64"):
        note.parse(f"text\n\n{line * 65}".encode())
    with pytest.raises(note.NoteError, match="longer than"):
        note.parse(b"x" * 1_000_001)


@pytest.mark.parametrize(
    ("vkey", "reason"),
    [
        ("", "has the form"),
        ("example.com/foo+530d903a", "has the form"),
        ("example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "has the form"),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "cannot name a key"),
        ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "cannot name a key"),
        ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "own key id"),
        ("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "own key id"),
        ("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "not an Ed25519"),
        ("example.com/foo+530d903a+AekyeRrm", "not an Ed25519"),
        ("example.com/foo+530d903a+!!!!", "not base64"),
    ],
)
def test_a_malformed_verifier_key_is_refused_with_the_reason(vkey, reason):
    with pytest.raises(note.NoteError, match=reason):
        note.VerifierKey.parse(vkey)


def test_a_key_in_base64_with_a_plus_sign_is_split_at_the_first_two_only():
    for _ in range(60):
        key = make_key().verifier
        assert note.VerifierKey.parse(key.format()) == key
        if "+" in base64.b64encode(key.public).decode():
            return
    pytest.fail("sixty random keys without a plus sign: the test did not test")


def test_a_text_that_cannot_be_a_notes_text_is_not_signed():
    for text in ("no line feed", "bell\x07\n"):
        with pytest.raises(note.NoteError, match="line feed"):
            note.sign(text, [make_key()])
