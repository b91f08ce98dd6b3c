"""Public pages and searches over a decade of work, cold and warm, and what they ask for.

The database holds 500 models, 2,000 proposals, a million task results and ten million scores of
samples. Cold means that the database server was started anew and that the system's cache of files
was emptied (where it may be) before each round, in which each page is asked about another subject
than before. Pages are asked for in the process that filled the database, through every layer of
Django but the socket; its code and templates are loaded before, by the same page of something else.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.filling import MODELS, PROPOSALS, SCORES_EACH, TASK_RESULTS
from bench.own_system import found_inside, open_site
from bench.result import Figure, Result

ROUNDS = 12
PAGE_AIM, SEARCH_AIM = 150, 200
FILES = ("history of a suite as JSON", "who computed, as JSON")
"""Not pages but megabytes: their times are told, without an aim."""
WORDS = ("school", "pension 7", "answer night", "minutes", "forest road", "authorise", "council 11")
MISSPELT = ("helpdsk", "trnslation", "libary", "forrest", "pensoin")
KINDS = ("model", "proposal", "comment", "suite")
"""Whose findings are asked for alone."""


def _words(n: int) -> str:
    return WORDS[n % len(WORDS)].replace(" ", "+")


def _decided(n: int) -> str:
    """Return a proposal that `bench.filling` has made and that was decided."""
    number = 20 * n + 23
    return f"20{10 + number // 250}-{number % 250 + 1:03}"


PAGES: dict[str, Callable[[int], str]] = {
    "home": lambda _: "/",
    "models by tasks": lambda n: f"/findings/overview/?page={n + 1}",
    "model": lambda n: f"/models/model-{7 + 31 * n}/",
    "decision": lambda n: f"/decisions/{_decided(n)}/",
    "proposal": lambda n: f"/proposals/{_decided(n + 20)}/",
    "suite": lambda n: f"/suites/suite-{n + 1}/",
    "task": lambda n: f"/suites/suite-{n + 2}/tasks/task-{n % 5}/",
    "run": lambda n: f"/runs/run-{4096 + 976 * n:08x}/",
    "what is decided": lambda _: "/deciding/",
    "who computed": lambda _: "/compute/",
    "what is in service": lambda _: "/in-service/",
    "findings": lambda _: "/findings/",
    "models by tasks, as a map by a score": lambda n: (
        f"/findings/overview/?show=map&sort=suite-{n}.task-{n % 5}&versions=all"
    ),
    "models": lambda n: f"/models/?page={n + 1}",
    "runs by the API": lambda n: f"/api/v1/runs/?model=model-{9 + 17 * n}",
    "models by the API": lambda _: "/api/v1/models/",
    "proposals by the API": lambda _: "/api/v1/proposals/",
    "search": lambda n: f"/search/?q={_words(n)}",
    "search, one kind": lambda n: f"/search/?kind={KINDS[n % len(KINDS)]}&q={_words(n)}",
    "search, second page": lambda n: f"/search/?kind=proposal&page=2&q={_words(n)}",
    "search by the API": lambda n: f"/api/v1/search/?q={_words(n)}",
    "search, misspelt": lambda n: f"/search/?q={MISSPELT[n % len(MISSPELT)]}",
    "history of a suite as JSON": lambda n: f"/suites/suite-{n + 3}/history.json",
    "who computed, as JSON": lambda _: "/compute.json",
}


def measure() -> Result:
    """Fill a system's database, ask for every page cold and warm, and read the clock."""
    found = found_inside("bench.crowded")
    figures = []
    for name, page in found["pages"].items():
        aim = None if name in FILES else SEARCH_AIM if "search" in name else PAGE_AIM
        figures += [
            Figure(f"{name}, cold, p95", 1_000 * _p95(page["cold"]), "ms", at_most=aim),
            Figure("the same, p50", 1_000 * statistics.median(page["cold"]), "ms"),
            Figure("the same, warm, p50", 1_000 * statistics.median(page["warm"]), "ms"),
            Figure("the same, warm, p95", 1_000 * _p95(page["warm"]), "ms"),
            Figure("the same, queries", page["queries"], "count", at_most=60),
        ]
    figures.append(Figure("filling the database", found["filled_seconds"], "s"))
    what = (
        f"Public pages over {MODELS} models, {PROPOSALS:,} proposals, {TASK_RESULTS:,} results of "
        f"tasks and {TASK_RESULTS * SCORES_EACH:,} scores, {ROUNDS} rounds"
    )
    return Result("crowded", what, figures, found)


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[max(0, -(-95 * len(seconds) // 100) - 1)]


def main() -> None:
    """Fill and measure inside a system of its own; print what every request took."""
    open_site()
    from django.db import connection

    from bench.filling import fill

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registry_registeredmodel")
        if cursor.fetchone()[0] < MODELS:
            fill(cursor)
    filled = time.perf_counter() - began
    print(json.dumps({"filled_seconds": filled, **_measured()}))


def _measured() -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from oversight.web.loaded import load_and_set_aside

    load_and_set_aside()
    client = Client()
    for address in PAGES.values():
        # A server loads code and templates once in its life.
        client.get(address(ROUNDS))
    pages: dict[str, Any] = {name: {"cold": [], "warm": [], "queries": 0} for name in PAGES}
    emptied = False
    for number in range(ROUNDS):
        emptied = _cool()
        for name, address in PAGES.items():
            pages[name]["cold"].append(_ask(client, address(number)))
    for name, address in PAGES.items():
        for number in range(ROUNDS):
            pages[name]["warm"].append(_ask(client, address(number)))
        with CaptureQueriesContext(connection) as queries:
            client.get(address(0))
            pages[name]["queries"] = len(queries)
    return {"pages": pages, "file_cache_emptied": emptied}


def _ask(client: Any, address: str) -> float:
    start = time.perf_counter()
    answer = client.get(address)
    seconds = time.perf_counter() - start
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return seconds


def _cool() -> bool:
    """Start the database server anew and empty the cache of files; say whether that worked."""
    from django.conf import settings
    from django.db import connection

    from oversight.embedded.session import adopt, server_of

    connection.close()
    server = server_of(Path(settings.OVERSIGHT_VAR))
    server.stop()
    server.wait_until_gone()
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
        emptied = True
    except OSError:
        emptied = False
    adopt(server.start())
    connection.ensure_connection()
    return emptied


if __name__ == "__main__":
    main()
