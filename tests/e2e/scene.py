"""Prepares a running system for the browser: `python -m tests.e2e.scene MODEL_FOLDER` prints JSON.

It runs beside the system, over its database and through the real services.
"""

import json
import sys
import tempfile
from pathlib import Path

import django


def prepare(model_folder: Path) -> dict[str, str]:
    """Make the example's people, a registered model, a deployment and a suite of questions."""
    from django.conf import settings

    from evals.services.suites import publish_suite
    from evals.suites.importers import import_suite_file
    from oversight.embedded.secrets import path_of
    from oversight.registry.manifest import manifest_of
    from oversight.registry.services import (
        register_deployment,
        register_endpoint,
        register_version,
    )
    from oversight.web.commands import prepare_database
    from proposals.example.people import assemble

    prepare_database()
    cast = assemble(settings.OVERSIGHT_VAR)
    manifest = manifest_of(model_folder)
    version = register_version(
        by=cast.operator,
        model_slug="small-model",
        model_name="Small model",
        label="1.0",
        manifest=manifest.as_json(),
        source={"kind": "directory", "path": str(model_folder)},
    )
    endpoint = register_endpoint(
        by=cast.operator, slug="endpoint", name="Endpoint", operator=cast.computing_centre
    )
    deployment = register_deployment(
        by=cast.operator,
        slug="helpdesk",
        name="Helpdesk",
        endpoint=endpoint,
        purpose="Answers questions.",
        audience="Everyone",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        rows = [
            {"question": f"What comes after {n}?", "choices": [str(n + 1), "a door"], "answer": 0}
            for n in range(8)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        imported = import_suite_file(path, "multiple-choice", "counting", "Counting")
    publish_suite(by=cast.evaluator, document=dict(imported.document), files=imported.files)
    password = path_of(Path(settings.OVERSIGHT_VAR), "demo-password").read_text().strip()
    return {"password": password, "digest": version.digest, "deployment": deployment.slug}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(prepare(Path(sys.argv[1]))))
