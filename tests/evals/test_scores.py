"""The scores of a result as one document: canonical, and on the record by its digest."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from evals import scores
from evals.models import SampleScore
from oversight.ledger.models import PendingLeaf
from tests import factories

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_what_is_written_by_hand_is_canonical_and_exact(rows):
    written = b"".join(scores.write(["acc", "f1"], enumerate(rows)))
    document = json.loads(written)
    assert rfc8785.dumps(document) == written
    assert [tuple(map(float, row[1:])) for row in document["rows"]] == [
        (a + 0, b + 0) for a, b in rows
    ]


@pytest.mark.django_db
def test_an_accepted_result_has_the_digest_of_its_stored_scores_on_the_record(monkeypatch):
    monkeypatch.setattr("evals.services.runs.nudge_workers", lambda resource_class: None)
    cast = factories.make_cast()
    run = factories.make_run(cast.evaluator, factories.make_suite(cast.evaluator))
    factories.finish_run(run, cast.machine.worker, right={"facts": 70, "refusals": 41})
    for task_run in run.task_runs.all():
        leaf = PendingLeaf.objects.get(pk=task_run.leaf_id).content
        stored = SampleScore.objects.filter(task_run=task_run).order_by("doc_id", "metric")
        acc = stored.filter(metric="acc").values_list("score", flat=True)
        norm = stored.filter(metric="acc_norm").values_list("score", flat=True)
        rows = enumerate(zip(acc, norm, strict=True))
        assert leaf["digests"]["scores"] == scores.digest(["acc", "acc_norm"], rows)


def test_the_clusters_of_the_rows_stand_before_the_metrics():
    numbers = scores.cluster_numbers(["a", "b", "a", "", ""])
    assert numbers == [0, 1, 0, 2, 3]
    written = b"".join(scores.write(["acc"], enumerate([(1.0,)] * 5), numbers))
    assert json.loads(written)["clusters"] == numbers
    assert rfc8785.dumps(json.loads(written)) == written
