"""`manage.py first_administrator`: print a one-time link that makes the first administrator."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from oversight.accounts import services
from oversight.web.commands import ServiceCommand


class Command(ServiceCommand):
    """Prints the link, valid for 24 hours, or says that there is an administrator already."""

    help = "Print a one-time link that makes the first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address under which the site is reached."""
        parser.add_argument(
            "--base-url",
            default=settings.PUBLIC_URL,
            help="where the site is reached; else PUBLIC_URL, or this machine under PORT",
        )

    def act(self, **options: Any) -> None:
        """Print one line."""
        secret = services.issue_first_administrator_link()
        if secret is None:
            self.stdout.write("There is an administrator already.")
            return
        self.stdout.write(options["base_url"] + reverse("first-administrator", args=[secret]))
