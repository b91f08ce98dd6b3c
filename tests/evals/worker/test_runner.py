"""The runner refuses by a code and words of its own, and is ready for the next command."""

import json
import os
import shutil

import pytest

from evals.worker.failures import Code, WorkError
from evals.worker.runner.protocol import Load, Loaded
from tests.evals.worker.commands import ask, load, run, write_task

pytestmark = pytest.mark.worker


@pytest.fixture
def copy(model_folder, tmp_path):
    """Return a copy of the real model that may be damaged; the weights themselves are linked."""
    folder = tmp_path / "model"
    shutil.copytree(
        model_folder,
        folder,
        copy_function=lambda a, b: (
            os.link(a, b) if a.endswith(".safetensors") else shutil.copy(a, b)
        ),
    )
    return folder


@pytest.mark.parametrize("damage", ["cut off", "no config", "no weights"])
def test_weights_that_cannot_be_read_are_refused_by_the_name_of_the_file(warm_runner, copy, damage):
    weights, config = copy / "model.safetensors", copy / "config.json"
    size = weights.stat().st_size
    if damage == "cut off":
        with weights.open("rb") as file:
            start = file.read(1_000_000)
        weights.unlink()
        weights.write_bytes(start)
        expected = f"model.safetensors is cut off or damaged: 1000000 of {size} bytes are there."
    elif damage == "no config":
        config.unlink()
        expected = "config.json is missing."
    else:
        weights.unlink()
        expected = "the folder holds neither *.safetensors nor *.bin."
    refusal = ask(warm_runner.get(), load(copy))
    assert isinstance(refusal, WorkError)
    assert refusal.code == Code.WEIGHTS_UNREADABLE
    assert expected in refusal.message
    assert not refusal.may_retry


def test_a_model_without_a_chat_template_is_refused_for_a_task_that_needs_one(
    warm_runner, copy, tmp_path
):
    (copy / "chat_template.jinja").unlink(missing_ok=True)
    settings = copy / "tokenizer_config.json"
    kept = {k: v for k, v in json.loads(settings.read_text()).items() if k != "chat_template"}
    settings.write_text(json.dumps(kept))
    write_task(tmp_path)
    assert isinstance(ask(warm_runner.get(), load(copy)), Loaded)
    refusal = ask(warm_runner.get(), run(tmp_path, apply_chat_template=True))
    assert isinstance(refusal, WorkError)
    assert refusal.code == Code.CHAT_TEMPLATE_MISSING
    assert "counting is asked in the model's chat template, and this model has none" in (
        refusal.message
    )
    assert not refusal.may_retry


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"doc_to_text": "{{ q | no_such_filter }}"}, "no_such_filter"),
        ({"test_split": "nowhere"}, "nowhere"),
        ({"output_type": "guess_freely"}, "guess_freely"),
        ({"dataset_kwargs": {"data_files": {"test": "/nowhere.jsonl"}}}, "nowhere.jsonl"),
    ],
)
def test_a_task_that_lm_eval_refuses_is_refused_with_its_reason(
    warm_runner, model_folder, tmp_path, changes, reason
):
    write_task(tmp_path, **changes)
    assert isinstance(ask(warm_runner.get(), load(model_folder)), Loaded)
    refusal = ask(warm_runner.get(), run(tmp_path))
    assert isinstance(refusal, WorkError)
    assert refusal.code == Code.TASK_REFUSED
    assert refusal.message.startswith("lm-eval refuses the task: ")
    assert reason in refusal.message
    assert not refusal.may_retry
    # And it is ready for the next command.
    assert ask(warm_runner.get(), load(model_folder)).was_loaded


def test_a_setting_that_this_host_cannot_follow_is_refused(warm_runner, model_folder):
    command = Load(str(model_folder), "sha256:test", "abacus", "float32", "cpu", 4)
    refusal = ask(warm_runner.get(), command)
    assert (refusal.code, refusal.message) == (
        Code.SETTING_REFUSED,
        "This worker has no backend abacus.",
    )
