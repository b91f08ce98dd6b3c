"""What import-linter cannot see: migrations, foreign keys, signals, and what a process loads."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

PROJECT = Path(__file__).resolve().parent.parent
FLOORS = (
    "ledger",
    "accounts",
    "registry",
    "evals",
    "proposals",
    "incidents",
    "dashboards",
    "snapshots",
    "webhooks",
)
"""Labels of the apps, the lowest floor first."""
HEAVY = {"torch", "lm_eval", "transformers", "datasets", "vllm"}


def floor(label: str) -> int:
    return FLOORS.index(label)


def own_sources() -> list[Path]:
    return [
        path
        for package in ("oversight", "evals", "proposals")
        for path in (PROJECT / package).rglob("*.py")
    ]


def test_the_page_of_settings_names_every_one_and_no_other():
    reader = re.compile(r"env\.[a-z_]+\(\s*['\"]([A-Z_]+)['\"]")
    # What a worker reads on its own machine stands in the guide to adding one.
    sources = [path for path in own_sources() if "worker" not in path.parts]
    read = {name for path in sources for name in reader.findall(path.read_text())}
    page = (PROJECT / "docs" / "reference" / "settings.md").read_text()
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([A-Z_]+)`", rows)) | {"TEST_DATABASE_NAME"}
    assert named == read


def test_every_app_of_ours_stands_on_a_floor_or_has_no_tables():
    ours = {config.label for config in apps.get_app_configs() if is_ours(config.name)}
    assert ours >= set(FLOORS)
    for label in ours - set(FLOORS):
        assert not list(apps.get_app_config(label).get_models()), label


def is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in {"oversight", "evals", "proposals"}


def test_migrations_depend_on_lower_floors_only():
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    edges = [
        (child[0], parent.key[0])
        for child, node in graph.node_map.items()
        for parent in node.parents
        if child[0] in FLOORS and parent.key[0] in FLOORS
    ]
    assert ("proposals", "registry") in edges
    upward = [(child, parent) for child, parent in edges if floor(parent) > floor(child)]
    assert not upward


def foreign_keys() -> list[models.Field]:
    return [
        field
        for label in FLOORS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and field.related_model._meta.app_label in FLOORS
    ]


def test_foreign_keys_point_down_and_leave_no_name_on_the_floor_below():
    crossing = 0
    for field in foreign_keys():
        here, there = field.model._meta.app_label, field.related_model._meta.app_label
        assert floor(there) <= floor(here), field
        if here != there:
            crossing += 1
            assert field.remote_field.hidden, f"{field} wants related_name='+'"
    assert crossing >= 10


def test_signals_are_not_used():
    for path in own_sources():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                used = f"{node.module}.{node.names[0].name}"
                assert "django.dispatch" not in used, path
                assert not node.module.endswith("signals") or is_allowed(path), path


def is_allowed(path: Path) -> bool:
    """Celery tells of its process's life by signals; that is no hidden call between floors."""
    return "celery.signals" in path.read_text() and "django.db.models.signals" not in (
        path.read_text()
    )


PROCESSES = {
    "web": "import oversight.wsgi; from django.urls import get_resolver; "
    "get_resolver().url_patterns",
    "sequencer": "import django; django.setup(); "
    "import oversight.ledger.management.commands.sequencer",
    "tasks": "import oversight.celery as c; c.app.loader.import_default_modules(); "
    "assert 'evals.nudge_workers' in c.app.tasks",
}


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_the_servers_processes_load_none_of_the_heavy_packages(process):
    code = f"import sys; {PROCESSES[process]}; print(*sorted(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=PROJECT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "oversight.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert "django" in loaded
    assert "evals.models" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert not [name for name in loaded if name.startswith("evals.worker.runner")]
    # Parquet is read and written by the reckoner, a process of its own that comes and goes.
    assert "pyarrow" not in loaded
    # Opinion maps are drawn in the tasks' process, and loaded by it when there is one to draw.
    assert "proposals.opinions.drawing" not in loaded
