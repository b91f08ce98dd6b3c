"""The published front ends of other sites, fetched once and laid out in a folder to be served."""

import json
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.result import PROJECT

HELM_VERSION = "0.5.16"
GOVUK_VERSION = "6.6.0"
CACHE = PROJECT / "var" / "test-cache"
RELEASE = "v1.0.0"
PROJECTS = json.dumps(
    [{"title": "Example", "description": "", "id": "example", "releases": [RELEASE]}]
)
_GROUP = "core_scenarios"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()


# -- HELM ------------------------------------------------------------------------------------


def helm_pages(folder: Path, figures: dict[str, Any]) -> None:
    """Lay out HELM's front end with the figures of our overview in its own form.

    Args:
        folder: where to.
        figures: our overview as its JSON twin has it.
    """
    wheel = CACHE / f"crfm_helm-{HELM_VERSION}-py3-none-any.whl"
    if not wheel.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = ["--no-deps", "--dest", str(CACHE), f"crfm-helm=={HELM_VERSION}"]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *wanted], check=True)
    inside = "helm/benchmark/static_build/"
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.startswith(inside) and not name.endswith("/"):
                target = folder / name.removeprefix(inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(packed.read(name))
    (folder / "config.js").write_text(
        f'window.RELEASE = "{RELEASE}"; window.PROJECT_ID = "example"; '
        "window.BENCHMARK_OUTPUT_BASE_URL = `${location.origin}/output/`;"
    )
    output = folder / "output" / "releases" / RELEASE
    for name, content in _helm_documents(figures).items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def _cell(value: object) -> dict[str, Any]:
    return {"value": value, "description": "", "run_spec_names": []}


def _helm_documents(figures: dict[str, Any]) -> dict[str, Any]:
    tasks = list(dict.fromkeys(row["task"] for row in figures["results"]))
    models = list(dict.fromkeys(row["model"] for row in figures["results"]))
    means = {(row["model"], row["task"]): row["mean"] for row in figures["results"]}
    header = [{"value": "Model", "markdown": False, "metadata": {}}]
    header += [
        {
            "value": task,
            "markdown": False,
            "lower_is_better": False,
            "description": task,
            "metadata": {"metric": "acc", "run_group": task},
        }
        for task in tasks
    ]
    rows = [
        [_cell(model), *(_cell(means.get((model, task))) for task in tasks)] for model in models
    ]
    group = {
        "name": _GROUP,
        "display_name": "All tasks",
        "description": "The newest full result of each model on each task.",
        "category": "All",
        "subgroups": tasks,
        "environment": {},
        "metric_groups": ["accuracy"],
    }
    schema = {
        "run_groups": [group],
        "metrics": [],
        "perturbations": [],
        "adapter": [],
        "metric_groups": [{"name": "accuracy", "display_name": "Accuracy", "metrics": []}],
        "models": [
            {"name": m, "display_name": m, "description": m, "creator_organization": "Example"}
            for m in models
        ],
    }
    table = {"title": "Accuracy", "name": "accuracy", "header": header, "rows": rows, "links": []}
    groups = {
        "title": "All",
        "header": [{"value": "Group"}],
        "rows": [[{"value": "All tasks", "href": f"?group={_GROUP}"}]],
    }
    return {
        "summary.json": {"release": RELEASE, "suites": [RELEASE], "date": "2026-11-28"},
        "schema.json": schema,
        "groups.json": [groups],
        "run_specs.json": [],
        f"groups/{_GROUP}.json": [table],
    }


# -- GOV.UK ----------------------------------------------------------------------------------

_PARTS = (
    ("service-navigation", "with service name and navigation"),
    ("breadcrumbs", "default"),
    ("error-summary", "default"),
    ("tag", "default"),
    ("inset-text", "default"),
    ("summary-list", "with actions"),
    ("table", "with head and caption"),
    ("radios", "with fieldset and error message"),
    ("task-list", "with hint text and additional states"),
    ("button", "default"),
    ("pagination", "default"),
)


def govuk_page(folder: Path) -> None:
    """Lay out a page of GOV.UK's components as their authors render them."""
    packed = CACHE / f"govuk-frontend-{GOVUK_VERSION}.tgz"
    if not packed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm") or "npm"
        wanted = ["--silent", "--pack-destination", CACHE, f"govuk-frontend@{GOVUK_VERSION}"]
        subprocess.run([npm, "pack", *wanted], check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    dist = folder / "unpacked" / "package" / "dist" / "govuk"
    # Its style sheet asks for fonts and pictures under /assets.
    shutil.copytree(dist / "assets", folder / "assets")
    for name in ("govuk-frontend.min.css", "govuk-frontend.min.js"):
        shutil.copy(dist / name, folder / name)
    parts = "\n".join(_part(dist, name, kind) for name, kind in _PARTS)
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" class="govuk-template"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape('Components of GOV.UK')}</title>"
        '<link rel="stylesheet" href="/govuk-frontend.min.css"></head>'
        '<body class="govuk-template__body govuk-frontend-supported">'
        f'<div class="govuk-width-container"><main class="govuk-main-wrapper">'
        f'<h1 class="govuk-heading-l">Components</h1>{parts}</main></div>'
        '<script type="module">import { initAll } from "/govuk-frontend.min.js"; initAll()'
        "</script></body></html>"
    )


def _part(dist: Path, name: str, kind: str) -> str:
    document = json.loads((dist / "components" / name / "fixtures.json").read_text())
    html: str = next(each["html"] for each in document["fixtures"] if each["name"] == kind)
    return html
