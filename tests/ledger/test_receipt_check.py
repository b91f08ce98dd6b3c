"""Checking a pasted receipt step by step, and finding entries by what people have in hand."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.translation import override

from oversight.ledger import checkpoint, note, proof, queries, services
from oversight.ledger.copied import set_anew
from oversight.ledger.encoding import from_digest, to_base64
from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import sequence_once
from tests.ledger.tampering import set_back_to, triggers_off

pytestmark = pytest.mark.django_db

STEPS = ["format", "signature", "entry", "inclusion", "continuity"]


@pytest.fixture
def receipt(make_record):
    make_record(7)
    return queries.receipt_at(3).text


def outcomes(check):
    assert [step.name for step in check.steps] == STEPS
    return [str(step.outcome) for step in check.steps]


def failing_step(text):
    """Return name and explanation of the one step that fails; the later ones are skipped."""
    check = services.check_receipt(text)
    found = outcomes(check)
    position = found.index("failed")
    assert found[:position] == ["ok"] * position
    assert found[position + 1 :] == ["skipped"] * (len(STEPS) - position - 1)
    assert not check.ok
    return STEPS[position], check.steps[position].explanation


def test_a_good_receipt_passes_every_step_and_names_its_entry(receipt):
    check = services.check_receipt(receipt)
    assert check.ok
    assert outcomes(check) == ["ok"] * 5
    assert (check.entry.index, check.tree_size) == (3, 7)
    assert "tests.thing.done about thing:3" in check.steps[2].explanation


def test_a_receipt_stays_good_while_the_record_grows(receipt, make_leaves):
    make_leaves(40)
    sequence_once()
    check = services.check_receipt(receipt)
    assert check.ok
    assert "47 acts" in check.steps[4].explanation


def test_a_receipt_pasted_from_a_browser_form_is_understood(receipt):
    pasted = "\n  " + receipt.replace("\n", "\r\n") + "\r\n\r\n"
    assert services.check_receipt(pasted).ok


def as_copied_from_print(receipt):
    """Return a receipt as a reader of PDFs gives it: without blank lines, long ones broken."""
    lines = []
    for line in receipt.split("\n"):
        if line.startswith("\N{EM DASH}"):
            unseen = "\N{ZERO WIDTH SPACE}".join(line)
            lines += [unseen[at : at + 120] for at in range(0, len(unseen), 120)]
        elif line:
            lines.append(f"  {line}")
    return "\n".join(["Receipt of act 3", *lines, "", "The bundle holds the log.", "\f"])


def test_a_receipt_copied_out_of_a_printed_report_is_understood(receipt):
    copied = as_copied_from_print(receipt)
    assert services.check_receipt(copied).ok
    wrong = copied.replace("index 3", "index 4")
    assert failing_step(wrong)[0] == "inclusion"


def test_a_receipt_that_is_whole_is_left_as_it_is(receipt):
    assert set_anew(receipt) == receipt
    with_extra = receipt.replace("\nindex", "\nextra AAAA\nindex")
    assert set_anew(with_extra) == with_extra


@pytest.mark.parametrize("text", ["", "hello", "\x00", "\ud800", "c2sp.org/tlog-proof@v1\n"])
def test_what_is_no_receipt_fails_at_the_first_step(text, make_record):
    make_record(1)
    step, explanation = failing_step(text)
    assert step == "format"
    assert "Paste the whole receipt" in explanation


def test_a_receipt_with_a_character_that_no_text_has_fails_at_the_signature(receipt):
    signed_by = "\N{EM DASH} "
    assert failing_step(receipt.replace(signed_by, f"{signed_by}\ud800"))[0] == "signature"


def test_a_receipt_of_another_log_fails_at_the_signature(receipt):
    parts = proof.parse(receipt)
    key = note.SigningKey("localhost:8000/log", Ed25519PrivateKey.generate())
    head = checkpoint.TreeHead("localhost:8000/log", 7, bytes(32))
    forged = proof.TlogProof(3, parts.hashes, checkpoint.sign(head, key)).format()
    step, explanation = failing_step(forged)
    assert step == "signature"
    assert f"Expected the signature of {queries.newest_checkpoint().vkey}." in explanation


def test_a_receipt_with_a_changed_size_fails_at_the_signature(receipt):
    assert failing_step(receipt.replace("\n7\n", "\n8\n"))[0] == "signature"


def test_a_receipt_for_an_index_beyond_the_record_fails_at_the_entry(receipt):
    assert failing_step(receipt.replace("index 3", "index 70")) == (
        "entry",
        "There is no act at index 70 on this record.",
    )


def test_a_receipt_moved_to_another_index_fails_at_the_inclusion(receipt):
    step, explanation = failing_step(receipt.replace("index 3", "index 2"))
    assert step == "inclusion"
    assert "not the one that the receipt was given for" in explanation


def test_an_entry_changed_after_its_receipt_fails_at_the_inclusion(receipt):
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_ledgerentry SET body = set_byte(body, 9, 65) WHERE index = 3")
    assert failing_step(receipt)[0] == "inclusion"


def test_a_record_that_lost_entries_fails_at_the_continuity(make_record):
    make_record(5, 7)
    receipt = queries.receipt_at(3).text
    set_back_to(5, "sha256:" + "0" * 64)
    step, explanation = failing_step(receipt)
    assert step == "continuity"
    assert "only 5: acts have disappeared" in explanation


def test_a_record_rewritten_elsewhere_fails_at_the_continuity(receipt, make_leaves):
    make_leaves(3)
    sequence_once()
    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_tile SET data = set_byte(data, 1, get_byte(data, 1) # 1)")
    step, explanation = failing_step(receipt)
    assert step == "continuity"
    assert "has been changed" in explanation


def test_without_any_checkpoint_the_signature_cannot_be_checked(receipt):
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_checkpoint")
    assert failing_step(receipt) == ("signature", "This log has not signed any checkpoint yet.")


def test_an_entry_is_found_by_everything_a_person_may_have_in_hand(make_record):
    make_record(12)
    entry = LedgerEntry.objects.get(index=7)
    raw = from_digest(entry.leaf_hash)
    for text in (
        "7",
        " 7\n",
        raw.hex(),
        raw.hex().upper(),
        entry.leaf_hash,
        entry.leaf_hash.upper().replace("SHA256", "sha256"),
        to_base64(raw),
        str(entry.leaf_id),
        entry.leaf_id.hex,
        "thing:7",
    ):
        assert [found.index for found in queries.find(text)] == [7], text


def test_a_prefix_of_subject_or_actor_finds_the_latest_first(make_record):
    make_record(12)
    assert [found.index for found in queries.find("thing:1")] == [11, 10, 1]
    assert queries.find("system:te").count() == 12
    assert [found.index for found in queries.entries_newest_first()[:2]] == [11, 10]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\x00", "a\nb", "x" * 201, "%", "thing:_", "9" * 30, "999", "sha256:ab", "0" * 64],
)
def test_nonsense_finds_nothing(text, make_record):
    make_record(2)
    assert list(queries.find(text)) == []


def test_sizes_and_counts_follow_the_record(make_record, make_leaves):
    assert (queries.published_size(), queries.pending_count()) == (0, 0)
    make_record(2)
    make_leaves(1)
    assert (queries.published_size(), queries.pending_count()) == (2, 1)
    assert queries.receipt_at(2) is None


def test_every_step_and_what_is_wrong_speak_the_readers_language(receipt):
    texts = [
        receipt,
        "no receipt",
        receipt.replace("index 3", "index x"),
        receipt.replace("index 3", "index 900"),
        receipt.replace("index 3", "index 4"),
        receipt.replace("\n\n", "\n\nx\n", 1),
        receipt[:-9] + "AAAAAAA=\n",
    ]
    with override("ar-xb"):
        for text in texts:
            for step in services.check_receipt(text).steps:
                assert step.title.startswith("[")
                assert step.explanation.startswith("["), step.explanation
    with override("de"):
        assert services.check_receipt("no").steps[0].explanation == (
            "Die erste Zeile einer Quittung ist c2sp.org/tlog-proof@v1. Fügen Sie die ganze "
            "Quittung ein, von der ersten bis zur letzten Zeile."
        )


BROKEN = {
    "an index": ("\nindex 3\n", "\nindex 03\n"),
    "a hash": ("=\n\n", "!\n\n"),
    "a spelling": ("=\n\n", "==\n\n"),
    "a signature line": ("\N{EM DASH} ", "- "),
    "a name": ("\N{EM DASH} localhost", "\N{EM DASH} local+host"),
    "a signature": ("\N{EM DASH} localhost:8000/log ", "\N{EM DASH} localhost:8000/log !"),
    "a control character": ("\n7\n", "\n\x01\n"),
    "a lone surrogate": ("\N{EM DASH} ", "\N{EM DASH} \ud800"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_wrong_deep_inside_speaks_the_readers_language_to_its_last_word(receipt, broken):
    text = receipt.replace(*BROKEN[broken])
    assert text != receipt
    with override("ar-xb"):
        explanation = failing_step(text)[1]
    # The pseudo-language writes no vowel as it is; what is quoted and names are nobody's words.
    said = re.sub(r"'[^']*'|\S*[/+@]\S*|base64|UTF-8", " ", explanation)
    assert re.findall(r"\b[A-Za-z]*[aeiou][A-Za-z]*\b", said) == []
