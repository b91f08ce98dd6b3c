"""`manage.py copies`: make anew what pages read instead of a million results."""

from typing import Any

from evals.services.newest import rebuild_newest
from evals.services.recalled import rebuild_answers
from evals.services.usage import rebuild_usage
from oversight.web.commands import ServiceCommand


class Command(ServiceCommand):
    """Rebuilds the tables that follow from results and signed statements alone."""

    help = (
        "Make anew, from all results and signed statements, how many answers of each run were "
        "recalled, the newest results and the sums of what was computed; nothing else changes."
    )

    def act(self, **options: Any) -> None:  # noqa: ARG002 - every command takes them
        """Rebuild, and say how many rows there are."""
        self.stdout.write(f"{rebuild_answers():,} runs with a sum of their answers.")
        self.stdout.write(f"{rebuild_newest():,} newest results.")
        self.stdout.write(f"{rebuild_usage():,} sums of what was computed.")
