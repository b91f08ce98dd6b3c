"""A suite leaves as a plain folder of YAML and data that says how to run it."""

import copy
import io
import json
import zipfile

import pytest
import yaml

from evals.suites.document import digest, require_valid, stock_task
from evals.suites.library import load_library
from evals.suites.readme import commands, readme
from evals.suites.taskfolder import folder_zip, write_folder, write_task

SUITE = load_library("public-service")
NAMES = [
    "public_service_facts",
    "public_service_reading",
    "public_service_stereotypes",
    "public_service_refusals",
    "public_service_over_refusal",
]


def unpacked():
    archive = zipfile.ZipFile(io.BytesIO(folder_zip(SUITE.document, SUITE.files)))
    return {name: archive.read(name) for name in archive.namelist()}


def test_the_zip_holds_what_the_harness_and_a_reader_need():
    expected = {f"{name}.yaml" for name in NAMES} | {f"data/{name}" for name in SUITE.files}
    assert set(unpacked()) == expected | {"_public_service.yaml", "README.md", "suite.json"}


def test_the_zip_is_the_same_bytes_every_time():
    again = load_library("public-service")
    turned = dict(reversed(again.files.items()))
    assert folder_zip(SUITE.document, SUITE.files) == folder_zip(again.document, turned)


def test_the_document_in_the_zip_has_the_suites_digest():
    document = json.loads(unpacked()["suite.json"])
    assert digest(document) == digest(SUITE.document)


def test_a_task_file_is_plain_yaml_over_the_tasks_data():
    text = unpacked()["public_service_facts.yaml"].decode()
    assert "!" not in text
    settings = yaml.safe_load(text)
    assert settings["task"] == "public_service_facts"
    assert settings["dataset_path"] == "json"
    assert settings["dataset_kwargs"] == {"data_files": {"test": "data/facts.jsonl"}}
    assert settings["doc_to_text"] == "Question: {{question}}\nAnswer:"
    assert settings["num_fewshot"] == 0


@pytest.mark.parametrize("task", SUITE.document["tasks"], ids=lambda task: task["name"])
def test_the_configuration_survives_the_way_through_yaml(task):
    name = f"public_service_{task['name']}".replace("-", "_")
    settings = yaml.safe_load(unpacked()[f"{name}.yaml"])
    assert {key: settings[key] for key in task["config"]} == task["config"]


def test_two_versions_of_the_data_have_two_names_in_the_harness_cache():
    """The harness's cache knows data by path and time, and a zip repeats both."""
    changed = copy.deepcopy(SUITE.document)
    changed["tasks"][0]["data"]["sha256"] = "f" * 64
    archive = zipfile.ZipFile(io.BytesIO(folder_zip(changed, SUITE.files)))
    names = [
        yaml.safe_load(content)["dataset_name"]
        for content in (
            unpacked()["public_service_facts.yaml"],
            archive.read("public_service_facts.yaml"),
        )
    ]
    assert names[0] != names[1]


def test_few_shot_examples_come_from_the_same_data(tmp_path):
    task = copy.deepcopy(SUITE.document["tasks"][0]) | {"num_fewshot": 3}
    write_task("public-service", task, tmp_path, tmp_path / "facts.jsonl")
    settings = yaml.safe_load((tmp_path / "public_service_facts.yaml").read_text())
    assert (settings["num_fewshot"], settings["fewshot_split"]) == (3, "test")


def test_a_folder_for_the_worker_names_its_data_by_absolute_path(tmp_path):
    names = write_folder(SUITE.document, SUITE.files, tmp_path / "folder")
    assert names == NAMES
    settings = yaml.safe_load((tmp_path / "folder" / "public_service_facts.yaml").read_text())
    path = settings["dataset_kwargs"]["data_files"]["test"]
    assert path == str((tmp_path / "folder" / "data" / "facts.jsonl").resolve())
    assert (tmp_path / "folder" / "data" / "facts.jsonl").read_bytes() == SUITE.files["facts.jsonl"]


def test_a_relative_folder_is_the_zip(tmp_path):
    write_folder(SUITE.document, SUITE.files, tmp_path, absolute=False)
    found = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == unpacked()


def test_the_readme_gives_one_command_per_chat_template_setting():
    text = unpacked()["README.md"].decode()
    plain, chat = commands(SUITE.document)
    assert plain in text
    assert chat in text
    assert ",".join(NAMES[:3]) in plain
    assert ",".join(NAMES[3:]) in chat
    assert "--apply_chat_template" in chat
    assert "--apply_chat_template" not in plain
    assert digest(SUITE.document) in text
    assert "from inside this folder" in text
    assert "CC-BY-4.0" in text
    assert "Do not show them without warning" in text


def test_the_readme_says_which_items_count_as_one():
    first = {**SUITE.document["tasks"][0], "group_field": "group", "clustered": True}
    document = require_valid({**SUITE.document, "tasks": [first, *SUITE.document["tasks"][1:]]})
    assert f"count as one in our intervals: {first['name']} (`group`)." in readme(document)
    assert "count as one" not in readme(SUITE.document)


def test_a_stock_task_is_named_in_the_command_and_has_no_file(tmp_path):
    task = stock_task(
        "arc_easy",
        title="ARC",
        description="Questions of science.",
        category="capability",
        metric="acc_norm",
        metric_label="accuracy",
    )
    document = require_valid({**SUITE.document, "tasks": [SUITE.document["tasks"][0], task]})
    files = {"facts.jsonl": SUITE.files["facts.jsonl"]}
    names = zipfile.ZipFile(io.BytesIO(folder_zip(document, files))).namelist()
    assert not [name for name in names if "arc" in name]
    assert "--tasks public_service_facts,arc_easy" in commands(document)[0]
    assert write_task("public-service", task, tmp_path / "tasks") == "arc_easy"
    assert not (tmp_path / "tasks").exists()


def test_missing_data_is_an_error_and_not_an_empty_folder(tmp_path):
    with pytest.raises(KeyError):
        write_folder(SUITE.document, {}, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    with pytest.raises(ValueError, match="give its path"):
        write_task("public-service", SUITE.document["tasks"][0], tmp_path)
