"""The record in Django's admin: to look at, never to change."""

from django.contrib import admin

from oversight.ledger.models import Checkpoint, LedgerEntry, PendingLeaf
from oversight.web.readonly import ReadOnlyAdmin


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
