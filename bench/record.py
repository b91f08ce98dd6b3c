"""What `bench.append` and `bench.receipts` share: a PostgreSQL of their own, fsync on, migrated.

Each measurement runs in a process of its own (`python -m bench.record NAME FOLDER`), because Django
reads its settings once.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.result import PROJECT


def in_own_site(module: str) -> dict[str, Any]:
    """Run `module.inside()` against an empty site in a temporary folder; return what it returns."""
    with tempfile.TemporaryDirectory(prefix="bench-record-") as scratch:
        environment = os.environ | {"OVERSIGHT_VAR": scratch, "OVERSIGHT_ENV": "test"}
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            [sys.executable, "-m", "bench.record", module, str(Path(scratch) / "answer.json")],
            cwd=PROJECT,
            env=environment,
            check=False,
            stdout=sys.stderr,
        )
        if done.returncode:
            raise RuntimeError(f"{module} ended with exit code {done.returncode}.")
        answer: dict[str, Any] = json.loads((Path(scratch) / "answer.json").read_text())
        return answer


def main() -> None:
    """Start the server, migrate, measure, write the answer."""
    module, answer = sys.argv[1:]
    from oversight.embedded.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(Path(os.environ["OVERSIGHT_VAR"]))
    server.start()
    try:
        os.environ["DJANGO_SETTINGS_MODULE"] = "oversight.settings"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        measured = importlib.import_module(module).inside()
        Path(answer).write_text(json.dumps(measured))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
