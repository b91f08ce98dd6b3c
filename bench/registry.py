"""Pages and API of a registry with 2,000 models and 10,000 versions: request to last byte.

The rows lie in a system of its own, each version with a manifest of thirty files. The addresses are
asked for in the process that made them, through every layer of Django but the socket; a different
page of the list each time, so that nothing is kept from the request before.
"""

import hashlib
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from bench.own_system import found_inside, open_site
from bench.result import Figure, Result

MODELS, VERSIONS, FILES = 2_000, 5, 30
ROUNDS = 100
WORDS = ("alpina", "lake", "river", "stone", "cloud", "meadow", "harbour", "pine", "ridge", "mill")


def measure() -> Result:
    """Fill a system, ask for each address a hundred times, and read the clock."""
    found = found_inside("bench.registry")
    figures = []
    for name, each in found.items():
        ends = statistics.quantiles(each["seconds"], n=20)
        figures += [
            Figure(f"{name}, p95", 1_000 * ends[-1], "ms", at_most=150),
            Figure("the same, median", 1_000 * statistics.median(each["seconds"]), "ms"),
            Figure("the same, queries", each["queries"], "count", at_most=30),
        ]
    what = f"A registry of {MODELS:,} models and {MODELS * VERSIONS:,} versions, {ROUNDS} requests"
    return Result("registry", what, figures, found)


def main() -> None:
    """Measure inside a system of its own and print what every request took."""
    open_site()
    from django.conf import settings

    # One caller asks more than one caller may.
    settings.REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] = []
    slugs = _fill()
    pages = MODELS // 50
    addresses: dict[str, Callable[[int], str]] = {
        "list page": lambda n: f"/models/?page={n % pages + 1}",
        "list page, a search": lambda n: f"/models/?q={WORDS[n % len(WORDS)]}+{n % 7}",
        "list by API": lambda n: f"/api/v1/models/?page={n % pages + 1}",
        "list by API, a search": lambda n: f"/api/v1/models/?q={WORDS[n % len(WORDS)]}",
        "page of a model": lambda n: f"/models/{slugs[n * 17 % len(slugs)]}/",
        "page “In service”": lambda n: "/in-service/",  # noqa: ARG005
    }
    print(json.dumps({name: _ask(address) for name, address in addresses.items()}))


def _fill() -> list[str]:
    """Write the rows; their acts are not on the log, which no list reads."""
    from oversight.accounts.services import shell_person
    from oversight.registry.models import ModelVersion, RegisteredModel

    draw, by = random.Random(7), shell_person()
    models = RegisteredModel.objects.bulk_create(
        RegisteredModel(
            slug=f"{WORDS[n % len(WORDS)]}-{n}",
            name=f"{WORDS[n % len(WORDS)].title()} {n}",
            developer=f"Developer {n % 90}",
            registered_by=by,
            leaf_id=uuid.UUID(int=draw.getrandbits(128)),
        )
        for n in range(MODELS)
    )
    files = [
        {"name": f"model-{n:05}.safetensors", "size": 5_000_000_000, "sha256": "0" * 64}
        for n in range(FILES)
    ]
    ModelVersion.objects.bulk_create(
        (
            ModelVersion(
                model=model,
                label=f"{number}.0",
                digest="sha256:" + hashlib.sha256(f"{model.slug} {number}".encode()).hexdigest(),
                manifest=files,
                total_bytes=5_000_000_000 * FILES,
                licence="Apache-2.0",
                registered_by=by,
                leaf_id=uuid.UUID(int=draw.getrandbits(128)),
            )
            for model in models
            for number in range(VERSIONS)
        ),
        batch_size=1_000,
    )
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [model.slug for model in models]


def _ask(address: Callable[[int], str]) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, seconds = Client(), []
    for number in range(ROUNDS + 2):
        start = time.perf_counter()
        answer = client.get(address(number))
        seconds.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise RuntimeError(f"{address(number)} answered {answer.status_code}")
    with CaptureQueriesContext(connection) as queries:
        client.get(address(0))
    # The first two load templates and code.
    return {"seconds": seconds[2:], "queries": len(queries)}


if __name__ == "__main__":
    main()
