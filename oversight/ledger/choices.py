"""The enums of the record: how each step of a receipt's check came out."""

from django.db import models


class Outcome(models.TextChoices):
    """How one step of checking a receipt ended."""

    OK = "ok", "Holds"
    FAILED = "failed", "Fails"
    SKIPPED = "skipped", "Not reached"
