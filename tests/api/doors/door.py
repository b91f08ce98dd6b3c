"""What a door of the API is: one method of one address, and who gets through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tests.api.conftest import PEOPLE, World, address, send

EVERYONE = frozenset({"anonymous", *PEOPLE})
SIGNED_IN = frozenset(PEOPLE)
BAD_KEYS = ("revoked key", "expired key", "key of a closed account", "worker token")
NEW_DIGEST = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Door:
    """One method of one address: who gets through, with what answer."""

    name: str
    method: str
    parts: Callable[[World], tuple[object, ...]] = lambda world: ()
    opens_for: frozenset[str] = EVERYONE
    status: int = 200
    body: Callable[[World], Any] | None = None
    query: str = ""
    owner: str = "member"
    scope: str = ""
    shut: int = 403
    """What a signed-in person without the right gets: 404 where the thing is not even seen."""
    note: str = ""
    asks_scope_first: bool = False
    """Is all one's own: a key without the scope learns that, before anything is looked for."""
    is_form: bool = False
    """Takes files as a multipart form instead of JSON."""

    def __str__(self) -> str:
        return f"{self.method} {self.name}{' ' if self.note else ''}{self.note}"

    def try_as(self, world: World, who: str):
        """Knock, and undo whatever came of it."""
        before = transaction.savepoint()
        client = world.caller(who, self.owner, self.scope)
        path = address(self.name, *self.parts(world)) + self.query
        body = self.body(world) if self.body else None
        answer = client.post(path, body) if self.is_form else send(client, self.method, path, body)
        if not answer.streaming:
            transaction.savepoint_rollback(before)
        return answer


def whole(*names: str) -> frozenset[str]:
    assert set(names) <= set(PEOPLE)
    return frozenset(names)


WORKER_MANAGERS = whole("evaluator", "operator", "administrator")
