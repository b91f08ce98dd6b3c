"""Commands over the services: a database that is there, and refusals as one line and exit code."""

from abc import abstractmethod
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from oversight.web.refusals import Refusal

USAGE_ERROR = 2


class ServiceCommand(BaseCommand):
    """A command that calls services; subclasses implement `act`.

    With the embedded database it works whether or not the system is up: the server is started for
    the time of the command. What the services refuse becomes one line on stderr and exit code 2.
    """

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare the database, act, and turn refusals into messages."""
        prepare_database()
        try:
            self.act(**options)
        except Refusal as refusal:
            raise CommandError(refusal.detail, returncode=USAGE_ERROR) from None

    @abstractmethod
    def act(self, **options: Any) -> None:
        """Do what the command is for."""


def prepare_database() -> None:
    """Have the database answer and its tables up to date; the embedded one is started if need be.

    Raises:
        CommandError: the database of DATABASE_URL does not answer, or has not been migrated.
    """
    from django.conf import settings

    from oversight.embedded.session import ensure_database

    ensure_database()
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CommandError(
            f"The database does not answer: {reason} Check DATABASE_URL.", returncode=USAGE_ERROR
        ) from None
    if not behind:
        return
    if not settings.DATABASE_IS_EMBEDDED:
        raise CommandError(
            "The database's tables are not up to date: run `python manage.py migrate` first.",
            returncode=USAGE_ERROR,
        )
    call_command("migrate", verbosity=0, interactive=False)
