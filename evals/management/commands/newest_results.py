"""`manage.py newest_results`: make the newest results anew from all results."""

from typing import Any

from evals.services.newest import rebuild_newest
from oversight.web.commands import ServiceCommand


class Command(ServiceCommand):
    """Rebuilds what pages read instead of a million results."""

    help = "Make the table of the newest results anew from all results; nothing else changes."

    def act(self, **options: Any) -> None:  # noqa: ARG002 - every command takes them
        """Rebuild, and say how many rows there are."""
        self.stdout.write(f"{rebuild_newest():,} newest results.")
