"""What an authorisation rests on, as the floors above know it.

The gate stands below proposals and evaluations and may not import them. Whoever decides tells it
here, once, how to find the rules and the evidence of a decision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Input:
    """One document by its digest, with its address below the site's."""

    kind: str
    path: str
    digest: str
    """`sha256:…`."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The rules under which something was decided, and everything that the decision looked at."""

    rules: Input | None = None
    evidence: tuple[Input, ...] = ()
    leaf_id: UUID | None = None
    """The leaf of the decision itself."""


Provider = Callable[[str], Inputs]
"""Takes the reference of a decision."""

_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Take the function that knows what decisions rest on; the last one given counts."""
    _providers[:] = [provider]


def of_decision(ref: str) -> Inputs:
    """Return what a decision rests on; nothing where no floor above knows it."""
    return _providers[0](ref) if _providers else Inputs()
