"""Django's registration of the ledger."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The public record: floor 0, below every other app with tables."""

    name = "oversight.ledger"
    label = "ledger"
    verbose_name = "public record"
