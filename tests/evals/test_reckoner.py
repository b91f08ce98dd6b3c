"""The reckoner: what it may take, what it never gets, and what happens when it dies."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evals.reckoner import ReckonerAway, asking
from evals.reckoner.pool import Pool, pool
from evals.samples import TEXT_COLUMNS, Sample, SamplesError, write_samples
from evals.samples.values import TEXT_LIMIT_BYTES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "samples.parquet"
    rows = (Sample(n, f"i{n}", None, "0", [], [f"reply {n}"], {"acc": 1.0}) for n in range(10))
    write_samples(path, ["acc"], rows)
    return path


@pytest.fixture(autouse=True)
def _own_reckoners():
    pool.close()
    yield
    pool.close()


def warm():
    """Return the process of the one reckoner that waits for work."""
    (process,) = pool._idle
    return psutil.Process(process.pid)


def test_one_process_serves_request_after_request(samples):
    for page in (1, 2):
        assert asking.look(samples, page=page, size=5).number == page
    first = warm().pid
    assert asking.compare([0, 1], [1, 1]).gained == 1
    assert warm().pid == first


def test_it_has_neither_the_secrets_nor_the_open_files_of_its_owner(samples, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://someone:secret@example.org/record")
    monkeypatch.setenv("SECRET_KEY", "secret")
    with samples.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        asking.look(samples, size=5)
        seen = warm()
        assert not {"DATABASE_URL", "SECRET_KEY", "OVERSIGHT_VAR"} & seen.environ().keys()
        assert "secret" not in Path(f"/proc/{seen.pid}/environ").read_text()
        assert str(samples) not in {file.path for file in seen.open_files()}
        assert not seen.net_connections("inet")


def test_it_does_not_load_what_serves_pages(samples):
    code = (
        "import sys; import evals.reckoner.__main__; "
        "print([m for m in ('django', 'celery', 'psycopg', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_one_that_was_killed_while_it_waited_is_replaced_unnoticed(samples):
    asking.look(samples, size=5)
    gone = warm()
    gone.kill()
    gone.wait()
    assert asking.look(samples, size=5).total == 10
    assert warm().pid != gone.pid


@pytest.fixture
def endless(tmp_path):
    """Return a file that nobody ever gets to the end of: a pipe that nothing is written to."""
    path = tmp_path / "endless.parquet"
    os.mkfifo(path)
    return path


def only_child(process):
    """Return the first process that this one starts, once it has."""
    while not (found := process.children()):
        pass
    return found[0]


def test_one_that_is_killed_at_work_is_said_and_the_next_request_is_served(samples, endless):
    said = []

    def ask():
        try:
            asking.look(endless, size=5)
        except ReckonerAway as away:
            said.append(away)

    others = {child.pid for child in psutil.Process().children()}
    thread = threading.Thread(target=ask)
    thread.start()
    while not (own := [c for c in psutil.Process().children() if c.pid not in others]):
        pass
    own[0].kill()
    thread.join()
    assert said[0].status == 503
    assert "ended before it was done" in str(said[0])
    assert asking.look(samples, size=5).total == 10


def test_what_takes_too_long_is_ended_and_said(samples, monkeypatch):
    monkeypatch.setattr("evals.reckoner.pool.QUICK_SECONDS", 0.0)
    with pytest.raises(ReckonerAway, match="took too long"):
        asking.look(samples, size=5)
    assert not pool._idle
    assert not [child for child in psutil.Process().children() if "reckoner" in child.cmdline()]


def test_a_file_that_takes_more_memory_than_there_is_is_refused_and_breaks_nothing(tmp_path):
    """Four megabytes a value, and all of them the same: a small file that unpacks to 2 GB."""
    text, rows = json.dumps(["x" * (TEXT_LIMIT_BYTES - 10)]), 100
    same = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [text])
    table = {
        "doc_id": pa.array(range(rows), pa.int64()),
        **dict.fromkeys(TEXT_COLUMNS, same),
        "score:acc": [1.0] * rows,
    }
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table(table), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(SamplesError, match="more than 768 MB of memory"):
        asking.look(path, size=rows)
    assert asking.compare([0, 1], [1, 1]).gained == 1


def test_its_memory_is_limited_by_the_system(samples):
    asking.look(samples, size=5)
    limit = warm().rlimit(psutil.RLIMIT_DATA)
    assert limit == (768 * 1024 * 1024,) * 2


def test_it_ends_with_its_owner_even_at_work(endless):
    code = f"from evals.reckoner import asking; asking.look({str(endless)!r}, size=5)"
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    reckoner = only_child(psutil.Process(owner.pid))
    owner.kill()
    owner.wait()
    reckoner.wait(timeout=60)


def test_a_result_that_is_read_leaves_a_place_to_who_looks_at_pages(samples):
    asked, own = threading.Event(), Pool()
    done = threading.Event()

    def long_work():
        with own.work("read", {"path": str(samples), "place": 0}, is_long=True) as work:
            asked.set()
            done.wait()
            list(work.pieces())

    thread = threading.Thread(target=long_work)
    thread.start()
    try:
        asked.wait()
        with own.work("read", {"path": str(samples), "place": 0}) as work:
            assert len(b"".join(work.pieces()).splitlines()) == 10
    finally:
        done.set()
        thread.join()
        own.close()


def test_long_work_waits_for_long_work_and_says_so_where_it_waits_in_vain(samples, monkeypatch):
    monkeypatch.setattr("evals.reckoner.pool.LONG_WAIT_SECONDS", 0.0)
    arguments = {"path": str(samples), "place": 0}
    with pool.work("read", arguments, is_long=True) as work:
        with (
            pytest.raises(ReckonerAway, match="send it again"),
            pool.work("read", arguments, is_long=True),
        ):
            pass
        list(work.pieces())
    with pool.work("read", arguments, is_long=True) as work:
        assert list(work.pieces())


def test_what_is_not_a_file_of_samples_is_refused_as_before(tmp_path):
    path = tmp_path / "odd.parquet"
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(SamplesError, match="not a Parquet file"):
        asking.look(path, size=5)
    with pytest.raises(SamplesError, match="not a Parquet file"):
        list(asking.blocks_of_samples(tmp_path / "nothing"))
