"""The samples of a task run as Parquet: round trips, bounded memory, what is refused."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.samples import (
    Sample,
    SamplesError,
    SamplesReader,
    read_samples,
    reading,
    values,
    write_samples,
)

ROOT = Path(__file__).parents[2]


def make_sample(doc_id: int = 0, **changes: Any) -> Sample:
    values = {
        "doc_id": doc_id,
        "item_id": f"item-{doc_id}",
        "group": "race" if doc_id % 2 else None,
        "target": "0",
        "prompts": [["", "A sentence."], ["", "Another – sentence."]],
        "responses": [
            {"loglikelihood": -140.86520385742188, "is_greedy": False},
            {"loglikelihood": -143.6085968017578, "is_greedy": True},
        ],
        "scores": {"acc": 1.0, "acc_norm": 0.0},
    }
    return Sample(**(values | changes))


METRICS = ["acc", "acc_norm"]


def make_table(**columns: Any) -> pa.Table:
    values = {
        "doc_id": pa.array([0, 1], pa.int64()),
        "item_id": ["a", "b"],
        "group": ["x", None],
        "target": ["0", "1"],
        "prompts": ["[]", "[]"],
        "responses": ["[]", "[]"],
        "score:acc": [1.0, 0.0],
    }
    values |= columns
    return pa.table({name: value for name, value in values.items() if value is not None})


def test_samples_come_back_as_they_were(tmp_path):
    path = tmp_path / "samples.parquet"
    written = [make_sample(number) for number in range(10)]

    info = write_samples(path, METRICS, iter(written))

    assert list(read_samples(path)) == written
    assert info.rows == 10
    assert info.size == path.stat().st_size
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_columns_are_the_agreed_ones(tmp_path):
    path = tmp_path / "samples.parquet"
    write_samples(path, METRICS, [make_sample()])

    schema = pq.read_schema(path)

    assert {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)} == {
        "doc_id": "int64",
        "item_id": "string",
        "group": "string",
        "target": "string",
        "prompts": "string",
        "responses": "string",
        "score:acc": "double",
        "score:acc_norm": "double",
    }


def test_the_same_samples_give_the_same_bytes(tmp_path):
    one = write_samples(tmp_path / "1", METRICS, [make_sample(1), make_sample(5)])
    two = write_samples(tmp_path / "2", METRICS, [make_sample(1), make_sample(5)])

    assert one.sha256 == two.sha256


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
SAMPLES = st.lists(
    st.builds(
        make_sample,
        doc_id=st.integers(0, 2**53 - 1),
        item_id=TEXTS,
        group=st.none() | TEXTS,
        target=TEXTS,
        prompts=st.lists(JSON, max_size=3),
        responses=st.lists(JSON, max_size=3),
        scores=st.fixed_dictionaries({"acc": st.floats(-1e300, 1e300)}),
    ),
    max_size=5,
    unique_by=lambda sample: sample.doc_id,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SAMPLES)
def test_any_samples_survive_the_file(tmp_path_factory, samples):
    path = tmp_path_factory.mktemp("samples") / "samples.parquet"
    ordered = sorted(samples, key=lambda sample: sample.doc_id)

    write_samples(path, ["acc"], ordered)

    with SamplesReader(path) as reader:
        assert list(reader) == ordered
        assert reader.scores() == {"acc": [sample.scores["acc"] for sample in ordered]}


def test_blocks_have_what_the_samples_have(tmp_path):
    path = tmp_path / "s.parquet"
    made = [make_sample(n, group=("a", None)[n % 2], scores={"acc": n / 7}) for n in range(4_500)]
    write_samples(path, ["acc"], made)
    with SamplesReader(path) as reader:
        blocks = list(reader.blocks())
    assert len(blocks) > 1
    assert [n for block in blocks for n in block.doc_ids] == list(range(4_500))
    assert [g for block in blocks for g in block.groups] == [sample.group for sample in made]
    assert [s for block in blocks for s in block.scores["acc"]] == [n / 7 for n in range(4_500)]


def test_scores_are_read_in_order_and_alone(tmp_path):
    path = tmp_path / "samples.parquet"
    samples = [
        make_sample(place, scores={"acc": place % 3, "acc_norm": 0.5}) for place in range(1200)
    ]
    write_samples(path, METRICS, samples)

    with SamplesReader(path) as reader:
        scores = reader.scores()

    assert scores["acc"] == [float(place % 3) for place in range(1200)]
    assert scores["acc_norm"] == [0.5] * 1200


def test_a_million_rows_worth_of_samples_need_little_memory(tmp_path):
    """Write and read 40,000 samples of 4 kB in a process that may hold 60 MB more than before."""
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from evals.samples import Sample, read_samples, write_samples
import pyarrow.parquet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def make():
    for n in range(40_000):
        yield Sample(n, f"i{{n}}", None, "0", [f"{{n}} " * 700], ["yes"], {{"acc": 1.0}})
path = Path({str(tmp_path)!r}) / "samples.parquet"
assert write_samples(path, ["acc"], make()).rows == 40_000
assert sum(1 for _ in read_samples(path)) == 40_000
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert after - before < 60 * 1024, (before, after)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_module_does_not_import_pyarrow():
    code = "import sys, evals.samples; assert 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"doc_id": -1}, "row 1, doc_id: -1 is not a place in the data"),
        ({"doc_id": 0}, "row 1, doc_id: 0 does not come after 0"),
        ({"item_id": None}, "row 1, item_id: has no text"),
        ({"group": 5}, "row 1, group: has no text"),
        ({"target": "\ud800"}, "row 1, target: is not UTF-8"),
        ({"prompts": [object()]}, "row 1, prompts: Object of type object is not JSON"),
        ({"responses": [float("-inf")]}, "row 1, responses: .*not JSON compliant"),
        ({"scores": {"acc": 1.0}}, r"row 1: has scores in \['acc'\]"),
        ({"scores": {"acc": float("nan"), "acc_norm": 1}}, "row 1, score:acc: nan is not a finite"),
        ({"scores": {"acc": 1, "acc_norm": "x"}}, "row 1, score:acc_norm: 'x' is not a finite"),
    ],
)
def test_a_sample_at_fault_is_not_written_and_leaves_no_file(tmp_path, change, message):
    path = tmp_path / "samples.parquet"

    with pytest.raises(SamplesError, match=message):
        write_samples(path, METRICS, [make_sample(0), make_sample(**({"doc_id": 1} | change))])

    assert not path.exists()


@pytest.mark.parametrize("metrics", [[], ["acc", "acc"], [""]])
def test_metrics_without_a_name_of_their_own_are_refused(tmp_path, metrics):
    with pytest.raises(SamplesError, match="at least one metric, each once"):
        write_samples(tmp_path / "samples.parquet", metrics, [])


def test_a_text_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(values, "TEXT_LIMIT_BYTES", 100)

    with pytest.raises(SamplesError, match=r"row 0, prompts: .* bytes are more than 100"):
        write_samples(tmp_path / "s", METRICS, [make_sample(prompts=["x" * 200])])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"target": None}, "column target: missing"),
        ({"score:acc": None}, "columns score:…: needs 1 to 32"),
        ({"more": ["a", "b"]}, "column more: not known"),
        ({"score:": [1.0, 0.0]}, "column score:: not known"),
        ({"doc_id": ["0", "1"]}, "column doc_id: has the type string, needs int64"),
        ({"score:acc": [1, 0]}, "column score:acc: has the type int64, needs double"),
        ({"doc_id": pa.array([1, 1])}, "row 1, doc_id: 1 does not come after 1"),
        ({"doc_id": pa.array([None, 1])}, "row 0, doc_id: None is not a place"),
        ({"item_id": ["a", None]}, "row 1, item_id: has no text"),
        ({"prompts": ["[]", "{"]}, "row 1, prompts: is not JSON"),
        ({"prompts": ["[]", "[" * 100_000]}, "row 1, prompts: is not JSON"),
        ({"prompts": ["[]", "[NaN]"]}, "row 1, prompts: is not JSON"),
        ({"responses": ["[]", "{}"]}, "row 1, responses: has to be a list"),
        ({"score:acc": [1.0, float("nan")]}, "row 1, score:acc: nan is not a finite"),
        ({"score:acc": [None, 1.0]}, "row 0, score:acc: None is not a finite"),
    ],
)
def test_a_file_at_fault_is_refused_by_row_and_column(tmp_path, columns, message):
    path = tmp_path / "samples.parquet"
    pq.write_table(make_table(**columns), path)

    with pytest.raises(SamplesError, match=message):
        list(read_samples(path))
    with pytest.raises(SamplesError, match=message), SamplesReader(path) as reader:
        list(reader.blocks())


def test_white_space_around_a_list_is_no_fault(tmp_path):
    path = tmp_path / "samples.parquet"
    pq.write_table(make_table(prompts=[" []", "[] "]), path)
    with SamplesReader(path) as reader:
        assert sum(len(block.groups) for block in reader.blocks()) == len(list(reader)) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"score:acc": [None, 1.0]}, "row 0, score:acc: None is not a finite"),
        ({"doc_id": pa.array([3, 2])}, "row 1, doc_id: 2 does not come after 3"),
    ],
)
def test_scores_alone_are_checked_as_well(tmp_path, columns, message):
    path = tmp_path / "samples.parquet"
    pq.write_table(make_table(**columns), path)

    with SamplesReader(path) as reader, pytest.raises(SamplesError, match=message):
        reader.scores()


def damaged(content: bytes) -> Iterator[bytes]:
    yield b""
    yield b"PAR1"
    yield content[: len(content) // 2]
    yield content[:-1]
    yield content[1:]


def test_a_file_that_was_cut_is_refused(tmp_path):
    path = tmp_path / "samples.parquet"
    write_samples(path, METRICS, [make_sample(number) for number in range(50)])
    content = path.read_bytes()

    for number, part in enumerate(damaged(content)):
        broken = tmp_path / f"{number}.parquet"
        broken.write_bytes(part)
        with pytest.raises(SamplesError):
            list(read_samples(broken))


def test_flipping_any_byte_gives_samples_or_a_refusal_and_nothing_else(tmp_path):
    path = tmp_path / "samples.parquet"
    write_samples(path, ["acc"], [make_sample(0, scores={"acc": 1.0})])
    content = bytearray(path.read_bytes())
    broken = tmp_path / "broken.parquet"

    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        broken.write_bytes(changed)
        try:
            list(read_samples(broken))
        except SamplesError:
            continue


def test_a_group_of_rows_too_large_for_memory_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "samples.parquet"
    pq.write_table(make_table(), path)
    monkeypatch.setattr(reading, "GROUP_LIMIT_ROWS", 1)

    with pytest.raises(SamplesError, match="row group 0: 2 rows"):
        SamplesReader(path)


def test_a_short_file_that_repeats_a_huge_text_is_read_in_little_memory(tmp_path):
    """3 MB of one text, 20,000 times: spread out it would be 60 GB."""
    path = tmp_path / "samples.parquet"
    rows = 20_000
    huge = '["' + "x" * 3_000_000 + '"]'
    prompts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([huge]))
    table = pa.table(
        {
            "doc_id": pa.array(range(rows), pa.int64()),
            "item_id": ["a"] * rows,
            "group": ["x"] * rows,
            "target": ["0"] * rows,
            "prompts": prompts,
            "responses": ["[]"] * rows,
            "score:acc": [1.0] * rows,
        }
    )
    pq.write_table(table, path, store_schema=False)
    assert path.stat().st_size < 1_000_000

    before = pa.total_allocated_bytes()
    with SamplesReader(path) as reader:
        for sample in reader:
            assert len(sample.prompts[0]) == 3_000_000
            if sample.doc_id > 600:
                break
    assert pa.default_memory_pool().max_memory() - before < 64 * 1024 * 1024
