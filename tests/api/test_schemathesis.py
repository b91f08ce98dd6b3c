"""What Schemathesis makes up from the document, sent to every operation at real addresses.

No answer may be an error of the server, and each must be one that the document names: its status,
its form, its headers and its shape. `EXAMPLES` requests of each kind an operation; a longer look is
`SCHEMATHESIS_EXAMPLES=60 pytest tests/api/test_schemathesis.py`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.urls import resolve, reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from oversight.accounts.choices import Scope
from tests.api.doors import ALL
from tests.api.doors.door import Door

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
KINDS = (
    *("fitting", "unfitting", "stranger"),
    # A longer look asks with all rights, and without any, at what is there, too.
    *(("administrator", "anonymous") if EXAMPLES > 2 else ()),
)
PARTS = 2
"""Each part makes the world once."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALM = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@cache
def api() -> Any:
    """Return the document as Schemathesis reads it, before the very application that serves it."""
    return schemathesis.openapi.from_wsgi("/api/schema/", WSGIHandler())


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Let requests leave the connection of the test open, as Django's own test client does."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def unhurried(settings, monkeypatch):
    """Count no requests: thousands come from one address."""
    monkeypatch.setattr("oversight.web.throttling.ReadsAndWrites.allow_request", lambda *_: True)
    settings.ALLOWED_HOSTS = ["*"]


def doors() -> dict[tuple[str, str], Door]:
    """Return one row of the doors for each address and method, the first that lets somebody in."""
    found: dict[tuple[str, str], Door] = {}
    for door in ALL:
        found.setdefault((door.name, door.method), door)
    return found


def failures_of(
    operation: Any, door: Door | None, world: Any, mode: GenerationMode, owner: str
) -> list[str]:
    """Send what is made up for one operation; return what was wrong, each kind once."""
    wrong: dict[str, str] = {}

    @CALM
    @given(case=operation.as_strategy(generation_mode=mode))
    def knock(case: Any) -> None:
        before = transaction.savepoint()
        try:
            headers = {"Accept-Encoding": "identity"}
            if door is not None:
                path = reverse(door.name, args=door.parts(world))
                # By their order: the document calls some gaps otherwise than Django.
                gaps = re.findall(r"{([a-z_0-9]+)}", operation.path)
                case.path_parameters = {
                    name: value if isinstance(value, int) else str(value)
                    for name, value in zip(gaps, resolve(path).kwargs.values(), strict=True)
                }
                if owner != "anonymous":
                    key = world.key(owner or door.owner, *Scope.values)
                    headers |= {"Authorization": f"Bearer {key}"}
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            for each in getattr(failure, "exceptions", [failure]):
                wrong.setdefault(f"{type(each).__name__}: {each.title}", f"{each}"[:1500])
        finally:
            transaction.savepoint_rollback(before)

    # Some operations take nothing that could be wrong.
    with suppress(Unsatisfiable):
        knock()
    return [f"{operation.label} ({mode.value}) {kind}\n{text}" for kind, text in wrong.items()]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
def test_no_made_up_request_gets_an_answer_that_the_document_does_not_name(
    world, one_connection, unhurried, kind, part
):
    """Fitting and unfitting: with a key, at what is there; a stranger: at made-up addresses.

    The administrator and anonymous are other callers than the one an operation is for.
    """
    owner = kind if kind in {"administrator", "anonymous"} else ""
    rows = {} if kind == "stranger" else doors()
    mode = GenerationMode.NEGATIVE if kind == "unfitting" else GenerationMode.POSITIVE
    wrong: list[str] = []
    for number, found in enumerate(api().get_all_operations()):
        operation = found.ok()
        if number % PARTS == part:
            wrong += failures_of(operation, door_of(operation, rows), world, mode, owner)
    assert not wrong, "\n\n".join(wrong)


def door_of(operation: Any, rows: dict[tuple[str, str], Door]) -> Door | None:
    """Return the row of the doors that an operation of the document is about."""
    for (name, method), door in rows.items():
        if method == operation.method.upper() and _pattern(name) == _shape(operation.path):
            return door
    assert not rows, f"no row of the doors is about {operation.label}"
    return None


@cache
def _pattern(name: str) -> str:
    """Return an address as the document writes it."""
    from django.urls import get_resolver

    ((shape, _parameters),) = get_resolver().reverse_dict.getlist(name)[0][0][:1]
    return "/" + re.sub(r"%\([a-z_0-9]+\)s", "{}", shape)


def _shape(path: str) -> str:
    """Return an address of the document without the names of its gaps, which are not Django's."""
    return re.sub(r"{[a-z_0-9]+}", "{}", path)
