"""Collects what is marked for translation; never guesses a translation from a similar text."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's command without fuzzy matches: a text without a translation stays empty."""

    msgmerge_options = ["--quiet", "--backup=none", "--no-fuzzy-matching", "--update"]
