"""Fetch a model from the Hugging Face Hub into a folder of its own, pinned to a commit.

A process of the worker's environment, which has the hub's library:
`python -m evals.worker.fetch OWNER/NAME --revision REVISION --out DIR`. It prints one line of JSON
with `directory`, `repository` and `revision`, the full name of the commit.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

from evals.worker.failures import MAY_RETRY, Code, WorkError

REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
NEEDED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.tiktoken", "LICENSE*")
"""What a model is loaded from. Pickled weights are never fetched: reading them can run code."""


def fetch(repository: str, revision: str, out: Path) -> tuple[Path, str]:
    """Return the folder with the model's files and the commit they are of; fetched once.

    The folder appears under its final name only when every file is there.

    Raises:
        WorkError: the hub does not answer, has no such model, or the model has no safetensors.
    """
    from huggingface_hub import HfApi, snapshot_download

    if not REPOSITORY.fullmatch(repository):
        raise WorkError(Code.HUB_UNAVAILABLE, f"{repository!r} is not OWNER/NAME.")
    try:
        commit = str(HfApi().model_info(repository, revision=revision).sha)
        folder = out / repository.replace("/", "--") / commit
        if folder.is_dir():
            return folder, commit
        # Kept when it fails: the next try goes on from what has arrived.
        arriving = folder.with_name(f".arriving-{commit}")
        snapshot_download(
            repository, revision=commit, local_dir=arriving, allow_patterns=list(NEEDED)
        )
    except Exception as error:
        raise WorkError(Code.HUB_UNAVAILABLE, _reason(repository, revision, error)) from error
    if not any(arriving.glob("*.safetensors")):
        raise WorkError(
            Code.WEIGHTS_UNREADABLE,
            f"{repository}@{revision} has no safetensors files. Convert its weights, or choose a "
            "repository that has them.",
        )
    shutil.rmtree(arriving / ".cache", ignore_errors=True)
    arriving.rename(folder)
    return folder, commit


def _reason(repository: str, revision: str, error: Exception) -> str:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{repository}@{revision} cannot be fetched: {said.rstrip('.')}."


def main(arguments: list[str] | None = None) -> int:
    """Fetch and print where it is; the exit status is 1 when it could not be done."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.worker.fetch", description="Fetch a model, pinned to a commit."
    )
    parser.add_argument("repository", metavar="OWNER/NAME")
    parser.add_argument("--revision", default="main", help="branch, tag or commit")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        folder, commit = fetch(options.repository, options.revision, options.out)
    except WorkError as error:
        again = " It may go better later." if error.code in MAY_RETRY else ""
        sys.stderr.write(f"{error.message}{again}\n")
        return 1
    found = {"directory": str(folder.resolve()), "repository": options.repository}
    sys.stdout.write(json.dumps(found | {"revision": commit}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
