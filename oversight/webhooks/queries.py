"""Chainable reads of subscriptions."""

from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from oversight.accounts.choices import OrganisationRole
from oversight.accounts.policy import is_person
from oversight.webhooks.choices import Status

if TYPE_CHECKING:
    from oversight.webhooks.models import Message, Subscription  # noqa: F401


class SubscriptionQuerySet(QuerySet["Subscription"]):
    """Subscriptions of all people and organisations."""

    def managed_by(self, user: object) -> "SubscriptionQuerySet":
        """Keep one's own, and those of organisations that one operates for now."""
        if not is_person(user):
            return self.none()
        operated = user.affiliations.in_term().filter(role=OrganisationRole.OPERATOR)
        return self.filter(Q(owner=user) | Q(organisation__in=operated.values("organisation")))

    def due_stream(self, size: int) -> "SubscriptionQuerySet":
        """Keep those whose next entries may be sent now; `size` entries are published."""
        return self.filter(status=Status.ACTIVE, next_index__lt=size, next_try_at__lte=Now())

    def due(self, size: int) -> "SubscriptionQuerySet":
        """Keep those with something to send that no sender holds, the longest unserved first."""
        asked = Exists(_messages().filter(subscription=OuterRef("pk")))
        stream = Q(pk__in=self.model.objects.due_stream(size).values("pk"))
        free = Q(leased_until=None) | Q(leased_until__lt=Now())
        living = Q(owner=None) | Q(owner__is_active=True)
        return self.filter(free, stream | Q(asked), living).order_by(
            F("served_at").asc(nulls_first=True), "id"
        )


def _messages() -> "QuerySet[Message]":
    model: type[Message] = apps.get_model("webhooks", "Message")
    return model.objects.all()
