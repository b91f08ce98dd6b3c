"""A model version as a card for the Hugging Face Hub: metadata that it reads, and results."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from oversight.registry.models import ModelVersion, RegisteredModel
from oversight.registry.services import describe
from tests import factories

PYTHON = Path(__file__).parents[2] / ".venv-worker" / "bin" / "python"
SAID = {
    "intended_use": "Answering questions about opening hours.",
    "languages": ["de", "fr"],
    "limitations": "---\nIt invents addresses.",
}


@pytest.fixture
def described(world):
    describe(by=world.cast.evaluator, what=world.version, document=SAID)
    return world


def read(client, world) -> tuple[dict, str]:
    answer = client.get(f"/versions/{world.version.digest}/card.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    _, head, body = answer.content.decode().split("---\n", 2)
    return yaml.safe_load(head), body


def test_a_card_says_what_is_on_the_record(client, described, settings):
    world = described
    head, body = read(client, world)
    (index,) = head["model-index"]
    assert index["name"] == head["model_name"] == str(world.version)
    assert head["language"] == ["de", "fr"]
    (result,) = [each for each in index["results"] if each["dataset"]["type"].endswith("/facts")]
    aggregate = world.run.task_runs.get(task_name="facts").aggregates.get(
        group="", metric=world.suite.task("facts")["metric"]
    )
    assert result["metrics"] == [
        {"type": aggregate.metric, "name": aggregate.metric, "value": aggregate.mean}
    ]
    assert result["dataset"]["revision"] == world.suite.digest
    assert result["source"]["url"] == settings.PUBLIC_URL + world.run.get_absolute_url()
    assert f"`{world.version.digest}`" in body
    assert "Answering questions about opening hours." in body
    assert f"[{world.decision.ref}]" in body
    assert f"{aggregate.low:.4f} to {aggregate.high:.4f}" in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("LicenseRef-own", {"license": "other", "license_name": "LicenseRef-own"}),
        ("MIT OR Apache-2.0", {"license": "other", "license_name": "MIT OR Apache-2.0"}),
        ("", {}),
    ],
)
def test_a_licence_is_said_in_the_hubs_words(client, licence, expected):
    version = factories.make_model_version()
    ModelVersion.objects.filter(pk=version.pk).update(licence=licence)
    answer = client.get(f"/versions/{version.digest}/card.md").content.decode()
    head = yaml.safe_load(answer.split("---\n")[1])
    assert {name: head[name] for name in ("license", "license_name") if name in head} == expected
    assert "model-index" not in head
    assert "No full evaluation is published yet." in answer


def test_a_hostile_name_stays_a_name(client, described):
    name = "x: [y]\n---\nlicense: mit"
    RegisteredModel.objects.update(name=name, summary="a | b")
    head, _ = read(client, described)
    assert head["model_name"] == f"x: [y] --- license: mit {described.version.label}"
    assert head.get("license") != "mit"


def test_a_models_card_is_that_of_its_newest_version(client, described):
    slug = described.version.model.slug
    first = client.get(f"/models/{slug}/card.md")
    assert first.content == client.get(f"/versions/{described.version.digest}/card.md").content
    again = client.get(f"/models/{slug}/card.md", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


@pytest.mark.worker
def test_the_hubs_own_library_reads_it(client, described, tmp_path):
    card = tmp_path / "README.md"
    card.write_bytes(client.get(f"/versions/{described.version.digest}/card.md").content)
    code = (
        "import json, sys; from huggingface_hub import ModelCard;"
        "d = ModelCard.load(sys.argv[1]).data;"
        "found = [[r.dataset_type, r.metric_type, r.metric_value, r.source_url]"
        " for r in d.eval_results];"
        "print(json.dumps([d.model_name, d.language, found]))"
    )
    ran = subprocess.run([PYTHON, "-c", code, card], capture_output=True, text=True, check=True)
    name, language, results = json.loads(ran.stdout)
    assert name == str(described.version)
    assert language == ["de", "fr"]
    head, _ = read(client, described)
    assert results == [
        [
            each["dataset"]["type"],
            each["metrics"][0]["type"],
            each["metrics"][0]["value"],
            each["source"]["url"],
        ]
        for each in head["model-index"][0]["results"]
    ]
