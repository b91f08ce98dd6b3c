"""Read-only look at the accounts floor."""

from django.contrib import admin

from oversight.accounts.models import Affiliation, Body, Membership, Notice, Organisation, Person
from oversight.web.readonly import ReadOnlyAdmin


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """People, without their password hashes."""

    list_display = ["display_name", "email", "is_active", "is_superuser", "is_auditor"]
    exclude = ["password"]
    search_fields = ["display_name", "email", "public_id"]


@admin.register(Body, Organisation)
class NamedAdmin(ReadOnlyAdmin):
    """Bodies and organisations."""

    list_display = ["name", "slug"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Seats."""

    list_display = ["body", "person", "role", "weight", "starts_at", "ends_at"]
    list_filter = ["body", "role"]


@admin.register(Affiliation)
class AffiliationAdmin(ReadOnlyAdmin):
    """Affiliations."""

    list_display = ["organisation", "person", "role", "starts_at", "ends_at"]


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """The outbox."""

    list_display = ["subject", "person", "kind", "created_at", "mail_at", "sent_at"]
