"""A real runner with its journal: what was answered is not asked again; results stay the same."""

import json
import os
import resource
import shlex
import signal
from pathlib import Path

import pytest

from evals.samples import read_samples
from evals.worker.failures import Code, WorkError
from evals.worker.process import RunnerProcess
from evals.worker.runner.protocol import Finished, Loaded, Progress
from tests.evals.worker.commands import ask, generation, load, run, write_task
from tests.evals.worker.conftest import WORKER_PYTHON, wait_until

pytestmark = pytest.mark.worker
SAME = 1e-4


@pytest.fixture
def outcome(warm_runner, model_folder, tmp_path):
    """Return a function that runs the task on the real model and returns samples and result."""

    def make(*, fresh=False, digest=None, batch_size=4, metric="acc", runner=None, **changes):
        runner = runner or warm_runner.get()
        # A digest of this test's own: its journal begins empty.
        command = load(model_folder, digest or f"sha256:{tmp_path.name}", batch_size)
        assert isinstance(ask(runner, command), Loaded)
        journals = None if fresh else str(tmp_path / "journals")
        done = ask(
            runner, run(tmp_path, journals=journals, metrics=[metric], limit=None, **changes)
        )
        assert isinstance(done, Finished), done
        samples = list(read_samples(tmp_path / "samples.parquet"))
        return samples, json.loads((tmp_path / "result.json").read_text())

    return make


def assert_same(ours, theirs):
    """Metrics are equal, log-likelihoods within 1e-4, texts to the letter."""
    assert [s.scores for s in ours] == [s.scores for s in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        for one, two in zip(mine.responses, other.responses, strict=True):
            if isinstance(one, str):
                assert one == two
            else:
                assert one["is_greedy"] == two["is_greedy"]
                assert abs(one["loglikelihood"] - two["loglikelihood"]) <= SAME


def test_a_repeated_run_costs_nothing_and_changes_nothing(outcome, tmp_path):
    write_task(tmp_path, items=6)
    fresh, plain = outcome(fresh=True)
    assert (plain["usage"]["fromJournal"], plain["settings"]["journal"]) == (0, "off")
    assert not (tmp_path / "journals").exists()
    first, cold = outcome()
    assert (cold["usage"]["requests"], cold["usage"]["fromJournal"]) == (12, 0)
    assert cold["usage"]["tokens"] == plain["usage"]["tokens"] > 0
    second, warm = outcome()
    assert (warm["usage"]["requests"], warm["usage"]["fromJournal"]) == (12, 12)
    assert warm["usage"]["tokens"] == 0
    assert warm["settings"]["journal"] == "used"
    assert_same(first, fresh)
    assert second == first
    assert warm["aggregates"] == cold["aggregates"]


def test_only_what_is_missing_reaches_the_model(outcome, tmp_path):
    write_task(tmp_path, items=4)
    outcome()
    # The first four items are known; the others are computed in batches of another make-up.
    write_task(tmp_path, items=9)
    mixed, result = outcome()
    assert (result["usage"]["requests"], result["usage"]["fromJournal"]) == (18, 8)
    alone, _ = outcome(fresh=True)
    assert_same(mixed, alone)


def test_another_model_computes_for_itself(outcome, tmp_path):
    write_task(tmp_path, items=2)
    outcome()
    _, result = outcome(digest="sha256:another")
    assert result["usage"]["fromJournal"] == 0
    assert len(list((tmp_path / "journals").glob("*.journal"))) == 2


def test_texts_are_journaled_and_sampled_ones_by_their_seed(outcome, tmp_path):
    write_task(tmp_path, items=3, **generation(do_sample=True, temperature=1.0))
    first, _ = outcome(metric="exact_match")
    second, result = outcome(metric="exact_match")
    assert second == first
    assert result["usage"]["fromJournal"] == 3
    _, other = outcome(metric="exact_match", seeds=[2, 2, 2, 2])
    assert other["usage"]["fromJournal"] == 0
    write_task(tmp_path, items=3, **generation())
    greedy, plain = outcome(metric="exact_match")
    assert plain["usage"]["fromJournal"] == 0
    # Greedy answers do not depend on the seed.
    again, result = outcome(metric="exact_match", seeds=[2, 2, 2, 2])
    assert again == greedy
    assert result["usage"]["fromJournal"] == 3


def test_long_questions_with_short_answers_are_scored_as_the_harness_scores_them(
    outcome, tmp_path, bare_log_likelihoods
):
    write_task(tmp_path, items=3, words=20)
    samples, _ = outcome(fresh=True)
    ours = [answer["loglikelihood"] for sample in samples for answer in sample.responses]
    assert ours == pytest.approx(bare_log_likelihoods(tmp_path), abs=SAME)


def test_progress_counts_samples_and_known_ones_at_once(outcome, warm_runner, tmp_path):
    write_task(tmp_path, items=4)
    outcome()
    runner = warm_runner.get()
    runner.tell(run(tmp_path, journals=str(tmp_path / "journals"), limit=None))
    said = [event for event in runner.events(1.0) if isinstance(event, Progress)]
    assert said[-1] == Progress(4, 4)


def test_another_batch_size_takes_no_other_model(outcome, warm_runner, model_folder, tmp_path):
    write_task(tmp_path, items=2)
    outcome(fresh=True, batch_size=4)
    again = ask(warm_runner.get(), load(model_folder, f"sha256:{tmp_path.name}", 2))
    assert again.was_loaded
    _, result = outcome(fresh=True, batch_size=2)
    assert result["settings"]["batch_size"] == 2


class Shortage:
    """Lets a running process have only so many bytes more; ends with the test."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.before = resource.prlimit(pid, resource.RLIMIT_DATA)

    def allow(self, more: int) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        used = int(status.partition("VmData:")[2].split()[0]) * 1024
        resource.prlimit(self.pid, resource.RLIMIT_DATA, (used + more, self.before[1]))

    def end(self) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_DATA, self.before)


@pytest.fixture
def shortage(warm_runner):
    found = Shortage(warm_runner.get().process.pid)
    yield found
    found.end()


def test_where_not_even_one_sample_fits_the_task_fails_with_words(
    warm_runner, model_folder, shortage, tmp_path
):
    runner = warm_runner.get()
    assert isinstance(ask(runner, load(model_folder, batch_size=2)), Loaded)
    # What earlier work has freed stays with the process, so it may still have room for the first.
    for words in (600, 1200, 2400):
        write_task(tmp_path, items=4, words=words)
        shortage.allow(10_000_000)
        refusal = ask(runner, run(tmp_path, limit=None))
        if isinstance(refusal, WorkError):
            break
    assert isinstance(refusal, WorkError)
    assert refusal.code == Code.OUT_OF_MEMORY, refusal.message
    assert "Not even a batch of size 1 fits" in refusal.message
    assert not refusal.may_retry


@pytest.fixture(scope="module")
def short_runner(tmp_path_factory):
    """Yield a runner on whose device no batch over two fits; nothing else differs."""
    folder = tmp_path_factory.mktemp("short")
    code = """
import runpy, sys
import torch
from evals.worker.runner.measured import MeasuredModel
whole = MeasuredModel._model_call
def call(self, inps, *more):
    if inps.shape[0] > 2:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    return whole(self, inps, *more)
MeasuredModel._model_call = call
sys.argv = sys.argv[2:]
runpy.run_module("evals.worker.runner", run_name="__main__")
"""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {WORKER_PYTHON} -c {shlex.quote(code)} "$@"\n')
    python.chmod(0o755)
    runner = RunnerProcess(folder, threads=1, online=False, python=str(python))
    yield runner
    runner.kill()


def test_a_batch_that_does_not_fit_is_halved_until_it_does(outcome, short_runner, tmp_path):
    write_task(tmp_path, items=6)
    whole, plain = outcome(fresh=True, batch_size=8)
    assert plain["settings"]["batch_size"] == 8
    samples, result = outcome(batch_size=8, runner=short_runner)
    settings = result["settings"]
    assert (settings["requested_batch_size"], settings["batch_size"]) == (8, 2)
    assert (result["usage"]["requests"], result["usage"]["fromJournal"]) == (12, 0)
    assert result["usage"]["peakMemoryBytes"] > 100_000_000
    assert_same(samples, whole)


def test_a_killed_run_goes_on_where_it_stopped(outcome, short_runner, model_folder, tmp_path):
    # The one that is killed served the test before; the one that goes on is another.
    write_task(tmp_path, items=24)
    runner = short_runner
    assert isinstance(ask(runner, load(model_folder, f"sha256:{tmp_path.name}")), Loaded)
    journals = tmp_path / "journals"
    runner.tell(run(tmp_path, journals=str(journals), limit=None))
    wait_until(lambda: any(p.stat().st_size > 1_500 for p in journals.glob("*")), "some answers")
    os.killpg(runner.process.pid, signal.SIGKILL)
    runner.process.wait()
    assert not (tmp_path / "result.json").exists()
    resumed, result = outcome()
    assert 8 <= result["usage"]["fromJournal"] < 48
    assert result["usage"]["requests"] == 48
    whole, _ = outcome(fresh=True)
    assert_same(resumed, whole)
