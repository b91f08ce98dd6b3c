"""What a decision carries out, as the effects see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from proposals.models import Proposal


@dataclass(frozen=True, slots=True)
class Carried:
    """A carried proposal as its effect sees it."""

    proposal: Proposal
    terms: Mapping[str, Any]
    """As the contract froze them."""

    decided_at: datetime
    until: datetime | None

    @property
    def actor(self) -> str:
        """The decision as the record names it."""
        return f"decision:{self.proposal.ref}"
