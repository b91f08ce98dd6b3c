"""Signer, database and published files disagree: each row of the table, alone and for real."""

import re
import shutil
from pathlib import Path

import pytest

from oversight.ledger import queries, recovery, sequencer, startup
from oversight.ledger.models import Checkpoint
from oversight.ledger.public_folder import PublicFolder
from oversight.ledger.sequencer import make_signer, sequence_once
from oversight.ledger.signer import SignerRefusal
from oversight.ledger.startup import RULES, Accounts, Act, Known
from tests.ledger.crashes import contents
from tests.ledger.tampering import set_back_to

DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "record.md"

A, B = b"a" * 32, b"b" * 32


def accounts(signed=5, stored=5, published=5, checkpointed=5, **other):
    def known(size):
        return None if size is None else Known(size, A)

    values = {
        "signed": known(signed),
        "stored": Known(stored, A),
        "published": known(published),
        "checkpointed": known(checkpointed),
        "stored_root_at": lambda size: A,
    }
    return Accounts(**values | other)


CASES = [
    (accounts(), 8, Act.CONTINUE),
    (accounts(stored=7), 8, Act.CONTINUE),
    (accounts(signed=7, stored=7), 8, Act.CONTINUE),
    (accounts(None, 0, None, None), 8, Act.CONTINUE),
    (accounts(published=6), 0, Act.REFUSE),
    (accounts(signed=6), 1, Act.REFUSE),
    (accounts(checkpointed=6), 2, Act.REFUSE),
    (accounts(stored=7, stored_root_at=lambda size: B), 3, Act.REFUSE),
    (accounts(published=None, stored=7, stored_root_at=lambda size: B), 4, Act.REFUSE),
    (accounts(signed=None), 5, Act.REFUSE),
    (accounts(signed=3), 6, Act.CATCH_UP),
    (accounts(signed=3, published=None), 6, Act.CATCH_UP),
    (accounts(published=3), 7, Act.REPUBLISH),
    (accounts(published=None), 7, Act.REPUBLISH),
]


@pytest.mark.parametrize(("given", "row", "act"), CASES)
def test_the_table_has_one_answer_for_each_case(given, row, act):
    assert startup.decide(given) is RULES[row]
    assert RULES[row].act is act


@pytest.mark.parametrize("other", ["published", "signed"])
def test_the_same_size_with_another_root_is_refused(other):
    given = accounts()
    values = {name: getattr(given, name) for name in Accounts.__slots__}
    rule = startup.decide(Accounts(**values | {other: Known(5, B)}))
    assert rule.act is Act.REFUSE
    assert rule.case.startswith(f"{other} at the same size with another root")


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| (.+?) \| \*\*(.+?)\*\* \|$", DOCS.read_text(), re.MULTILINE)
    assert rows == [(rule.case, rule.act.value) for rule in RULES]


@pytest.fixture
def begin(settings):
    """Return a function that starts as the process does, and says what it said."""

    def run():
        said = []
        rule = recovery.begin(make_signer(), folder_of(settings), said.append)
        return rule.act, said

    return run


def folder_of(settings):
    return PublicFolder(settings.LEDGER_PUBLIC_DIR)


@pytest.mark.django_db
def test_files_that_were_lost_or_are_older_are_published_again(begin, make_record, settings):
    make_record(3, 5)
    assert begin()[0] is Act.REPUBLISH
    assert begin() == (Act.CONTINUE, [])
    complete = contents(settings.LEDGER_PUBLIC_DIR)
    shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
    assert begin()[0] is Act.REPUBLISH
    assert contents(settings.LEDGER_PUBLIC_DIR) == complete
    make_record_further(9)
    act, said = begin()
    assert act is Act.REPUBLISH
    assert "9 entries" in said[0]


def make_record_further(size, kind="further"):
    from django.db import transaction

    from oversight.ledger import services

    with transaction.atomic():
        for number in range(queries.published_size(), size):
            services.append(
                type="tests.thing.done", actor="system:tests", subject=f"{kind}:{number}"
            )
    sequence_once()


@pytest.mark.django_db
def test_every_earlier_size_of_the_database_is_refused(begin, make_record, settings):
    make_record(*range(1, 12))
    folder_of(settings).publish()
    roots = dict(Checkpoint.objects.values_list("size", "root"))
    for size in range(10, 0, -1):
        set_back_to(size, roots[size])
        with pytest.raises(SignerRefusal, match="published newer than the database"):
            begin()
        # Without the files the signer alone still knows.
        kept = settings.LEDGER_PUBLIC_DIR
        settings.LEDGER_PUBLIC_DIR = kept.with_name("none")
        with pytest.raises(SignerRefusal, match="signed newer than the database"):
            begin()
        settings.LEDGER_PUBLIC_DIR = kept


@pytest.mark.django_db
def test_a_restored_database_and_signer_are_caught_by_the_published_files(
    begin, make_record, settings
):
    make_record(5)
    state = settings.LEDGER_SIGNER_STATE_PATH.read_text()
    make_record_further(9)
    folder_of(settings).publish()
    set_back_to(5, Checkpoint.objects.get(size=5).root)
    settings.LEDGER_SIGNER_STATE_PATH.write_text(state)
    with pytest.raises(SignerRefusal, match="published newer than the database"):
        begin()
    # It grows elsewhere past what was published: another history of the same length and more.
    make_record_further(12, "elsewhere")
    with pytest.raises(SignerRefusal, match="no beginning of the stored tree"):
        begin()


@pytest.mark.django_db
def test_an_old_signer_state_catches_up_with_its_own_signatures(begin, make_record, settings):
    make_record(5)
    state = settings.LEDGER_SIGNER_STATE_PATH.read_text()
    make_record_further(9)
    settings.LEDGER_SIGNER_STATE_PATH.write_text(state)
    assert make_signer().signed_size() == 5
    act, said = begin()
    assert act is Act.REPUBLISH
    assert "had signed 9 entries" in said[0]
    assert make_signer().signed_size() == 9


@pytest.mark.django_db
def test_a_signer_catches_up_only_by_its_own_signature(begin, make_record, settings):
    make_record(5)
    state = settings.LEDGER_SIGNER_STATE_PATH.read_text()
    make_record_further(9)
    settings.LEDGER_SIGNER_STATE_PATH.write_text(state)
    from tests.ledger.tampering import triggers_off

    with triggers_off() as cursor:
        cursor.execute("UPDATE ledger_checkpoint SET note = replace(note, 'g', 'h') WHERE size = 9")
    with pytest.raises(SignerRefusal, match="larger than the signer's state"):
        begin()
    assert make_signer().signed_size() == 5


@pytest.mark.django_db
def test_published_files_of_another_log_are_refused(begin, make_record, settings):
    make_record(2)
    folder_of(settings).publish()
    path = settings.LEDGER_PUBLIC_DIR / "checkpoint"
    path.write_text(path.read_text().replace("localhost", "elsewhere"))
    with pytest.raises(SignerRefusal, match="not this log's"):
        begin()


@pytest.mark.django_db
def test_a_cloned_database_that_goes_its_own_way_is_not_signed(begin, make_record, settings):
    """Two databases, one signer: whichever comes second contradicts what the first had signed."""
    make_record(4)
    root = Checkpoint.objects.get(size=4).root
    make_record_further(7)
    set_back_to(4, root)
    sequencer.store_batch()
    from django.db import transaction

    from oversight.ledger import services

    with transaction.atomic():
        for number in range(5):
            services.append(type="tests.thing.done", actor="system:clone", subject=f"x:{number}")
    sequencer.store_batch()
    with pytest.raises(SignerRefusal, match="no beginning of the stored tree"):
        begin()
    with pytest.raises(SignerRefusal, match="does not continue"):
        sequence_once()
    assert queries.newest_checkpoint().size == 4
