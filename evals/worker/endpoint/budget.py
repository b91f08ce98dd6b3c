"""What a run may cost at an endpoint, and what it has cost: counted before a request is sent.

A request is sent only where the most that it can cost still fits. A token is at least one byte of
text, so the bytes of a prompt bound its tokens; the answer is bounded by the tokens asked for. What
was spent is kept in a file of the run, so that a retry does not begin at nothing.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from evals.worker.failures import Code, WorkError

_MILLION = Decimal(1_000_000)
MESSAGE_TOKENS = 64
"""Added to a prompt's bound for what an endpoint puts around it: roles, beginnings, ends."""


@dataclass(frozen=True)
class Prices:
    """What an endpoint charges."""

    currency: str
    input_per_million: Decimal
    output_per_million: Decimal

    @classmethod
    def read(cls, value: Mapping[str, Any] | None) -> "Prices | None":
        """Return the prices of an endpoint's description."""
        if value is None:
            return None
        return cls(
            str(value["currency"]),
            Decimal(str(value["input_per_million"])),
            Decimal(str(value["output_per_million"])),
        )

    def of(self, given: int, made: int) -> Decimal:
        """Return what so many tokens given and made cost."""
        return (given * self.input_per_million + made * self.output_per_million) / _MILLION


@dataclass
class Spent:
    """Counts of one run or task."""

    requests: int = 0
    given: int = 0
    made: int = 0

    def add(self, requests: int, given: int, made: int) -> None:
        """Count more."""
        self.requests += requests
        self.given += given
        self.made += made


@dataclass
class Budget:
    """The limits of a run, with what was spent; safe to use from several threads.

    `task` counts what was spent since this was made, `spent` all of the run on this host.
    """

    limits: Mapping[str, Any]
    prices: Prices | None
    path: Path | None = None
    spent: Spent = field(default_factory=Spent)
    task: Spent = field(default_factory=Spent)
    retries: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._reserved = Spent()
        self._money = None if self.limits.get("money") is None else Decimal(self.limits["money"])
        if self._money is not None and self.prices is None:
            reason = "The budget names money, and nothing says what the endpoint charges."
            raise WorkError(Code.SETTING_REFUSED, reason)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._read(self.path)

    def reserve(self, given: int, made: int) -> None:
        """Set the most that a request can cost aside.

        Raises:
            WorkError: it does not fit into what is left.
        """
        with self._lock:
            requests = self.spent.requests + self._reserved.requests + 1
            all_given = self.spent.given + self._reserved.given + given
            all_made = self.spent.made + self._reserved.made + made
            self._require("requests", requests)
            self._require("tokens", all_given + all_made)
            if self._money is not None and self.prices is not None:
                cost = self.prices.of(all_given, all_made)
                if cost > self._money:
                    self._refuse(f"{self._money} {self.prices.currency}")
            self._reserved.add(1, given, made)

    def settle(self, reserved: tuple[int, int], used: tuple[int, int]) -> None:
        """Put what a request has used in the place of what was set aside for it."""
        with self._lock:
            self._reserved.add(-1, -reserved[0], -reserved[1])
            self.spent.add(1, *used)
            self.task.add(1, *used)
            if self.path is not None:
                with self.path.open("a") as file:
                    file.write(json.dumps([1, *used]) + "\n")

    def count_retry(self) -> None:
        """Note that a request has to be sent again."""
        with self._lock:
            self.retries += 1

    def _require(self, name: str, count: int) -> None:
        limit = self.limits.get(name)
        if limit is not None and count > limit:
            self._refuse(f"{limit} {name}")

    def _refuse(self, limit: str) -> None:
        spent = f"{self.spent.requests} requests, {self.spent.given + self.spent.made} tokens"
        if self.prices is not None:
            cost = self.prices.of(self.spent.given, self.spent.made)
            spent += f", {cost.normalize():f} {self.prices.currency}"
        raise WorkError(
            Code.BUDGET_SPENT,
            f"The run's budget of {limit} does not suffice for the next request. Spent so far: "
            f"{spent}. What was answered is kept in this worker's journal: a run with a larger "
            "budget does not pay for it again.",
        )

    def _read(self, path: Path) -> None:
        """Count what was spent before; a line that was torn off is a request without an end."""
        if not path.exists():
            return
        for line in path.read_text().splitlines():
            try:
                self.spent.add(*json.loads(line))
            except (ValueError, TypeError):
                self.spent.add(1, 0, 0)
