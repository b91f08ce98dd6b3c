"""The enums of the record: its own leaf types, and how each step of a receipt's check came out."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """How one step of checking a receipt ended."""

    OK = "ok", _("Holds")
    FAILED = "failed", _("Fails")
    SKIPPED = "skipped", _("Not reached")


class Leaf(models.TextChoices):
    """What the log says about itself; never renamed."""

    KEY_ROTATED = "ledger.key.rotated"
    LOG_CLOSED = "ledger.log.closed"
    OPENINGS_ERASED = "ledger.openings.erased"
