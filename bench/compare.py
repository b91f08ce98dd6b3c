"""The comparison page of two runs of a hundred thousand samples each, from request to last byte.

The runs lie in the system's own database as a worker's results do: a score for every sample. The
page is asked for in the process that made them, through every layer of Django but the socket.
"""

import json
import statistics
import time

from bench.own_system import found_inside, open_site
from bench.result import Figure, Result

SAMPLES = 100_000
ROUNDS = 15
KINDS = ("0 and 1", "any number")


def measure() -> Result:
    """Store the scores of two runs, ask for the page again and again, and read the clock."""
    seconds = found_inside("bench.compare")
    figures = []
    for kind in KINDS:
        name = f"comparison page, 2 x {SAMPLES:,} scores of {kind}"
        middle = 1_000 * statistics.median(seconds[kind][1:])
        figures.append(Figure(f"{name}, median", middle, "ms", at_most=500))
        figures.append(Figure(f"{name}, slowest", 1_000 * max(seconds[kind][1:]), "ms"))
        figures.append(Figure(f"{name}, first of its process", 1_000 * seconds[kind][0], "ms"))
    what = f"Comparison page of two runs of {SAMPLES:,} samples, {ROUNDS} requests after the first"
    return Result("compare", what, figures, {"seconds": seconds})


def main() -> None:
    """Measure inside a system of its own and print the seconds of every request."""
    open_site()
    seconds = {}
    for kind in KINDS:
        refs = [_run(kind, number) for number in (1, 2)]
        seconds[kind] = [_ask(refs) for _ in range(ROUNDS + 1)]
    print(json.dumps(seconds))


def _ask(refs: list[str]) -> float:
    from django.test import Client

    client = Client()
    start = time.perf_counter()
    answer = client.get("/compare/", {"run": refs})
    taken = time.perf_counter() - start
    if answer.status_code != 200 or b"n = 100,000" not in answer.content:
        raise RuntimeError(f"the page answered {answer.status_code}")
    return taken


def _run(kind: str, number: int) -> str:
    """Make a finished run of one task with so many scores; returns its reference."""
    from django.db import connection

    from evals.models import Run
    from tests import factories

    shell = factories.make_administrator("Bench")
    worker = factories.make_worker(shell, factories.make_organisation(shell))
    suite = _suite(kind)
    run = factories.make_run(shell, suite, factories.make_model_version(label=f"{number}"))
    factories.finish_run(run, worker, right=1)
    task_run = Run.objects.get(pk=run.pk).task_runs.get()
    score = "(random() < %(p)s)::int::float" if kind == "0 and 1" else "random() + %(p)s"
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(%s)", [number / 10])
        cursor.execute("DELETE FROM evals_samplescore WHERE task_run_id = %s", [task_run.pk])
        cursor.execute(
            'INSERT INTO evals_samplescore (task_run_id, doc_id, metric, "group", score) '
            f"SELECT %(run)s, n, 'acc', '', {score} FROM generate_series(0, %(last)s) AS n",
            {"run": task_run.pk, "p": 0.6 + number / 100, "last": SAMPLES - 1},
        )
        cursor.execute("ANALYZE evals_samplescore")
    return str(run.ref)


_SUITES: dict[str, object] = {}


def _suite(kind: str) -> object:
    from tests import factories

    if kind not in _SUITES:
        _SUITES[kind] = factories.make_question_suite(slug=f"bench-{KINDS.index(kind)}")
    return _SUITES[kind]


if __name__ == "__main__":
    main()
