"""The record in Django's admin: to look at, never to change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Shows rows; nobody can add, change or delete one here."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Refuse: leaves come from acts only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse: the record is append-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Refuse: the record is append-only."""
        return False


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Entries, the newest first."""

    list_display = ("index", "type", "actor", "subject", "sequenced_at")
    search_fields = ("subject__startswith", "actor__startswith")
    ordering = ("-index",)
    exclude = ("body",)
    show_full_result_count = False


@admin.register(PendingLeaf)
class PendingLeafAdmin(ReadOnlyAdmin):
    """Leaves that wait for the sequencer; a long list means that it does not run."""

    list_display = ("type", "actor", "subject", "created_at")
    ordering = ("position",)
    exclude = ("body",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """Signed tree heads, the newest first."""

    list_display = ("size", "root", "signed_at")
    ordering = ("-size",)
