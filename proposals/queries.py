"""Chainable reads of the deciding floor."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from oversight.accounts.policy import can_read_restricted, is_person
from proposals.choices import OPEN, MinutesStatus, Status

if TYPE_CHECKING:
    from proposals.models import Minutes, Proposal  # noqa: F401 - parameters of querysets


class ProposalQuerySet(QuerySet["Proposal"]):
    """Proposals of all bodies."""

    def visible_to(self, user: object) -> "ProposalQuerySet":
        """Keep what the user may see: a draft is seen by its body, its proposer and auditors."""
        if can_read_restricted(user):
            return self
        public = ~Q(status=Status.DRAFT)
        if not is_person(user):
            return self.filter(public)
        bodies = user.memberships.in_term().values("body_id")
        return self.filter(public | Q(proposer=user) | Q(body_id__in=bodies))

    def with_parts(self) -> "ProposalQuerySet":
        """Fetch body, proposer and subject in the same query."""
        return self.select_related(
            "body",
            "proposer",
            "deployment__endpoint__operator",
            "version__model",
            "contract",
            "decision",
        )

    def without_documents(self) -> "ProposalQuerySet":
        """Leave out contract and decision, which are long where thousands may vote."""
        return self.select_related(None).select_related("body")

    def open(self) -> "ProposalQuerySet":
        """Keep what is being decided: deliberation, final text, voting."""
        return self.filter(status__in=OPEN)

    def due(self, moment: datetime | None = None) -> "ProposalQuerySet":
        """Keep open votes whose deadline has passed: the close, or the chair's time on a tie."""
        now = moment or timezone.now()
        untied = Q(contract__casting_until=None, contract__closes_at__lte=now)
        return self.filter(untied | Q(contract__casting_until__lte=now), status=Status.VOTING)

    def closing_soon(self, within: timedelta) -> "ProposalQuerySet":
        """Keep open votes that close within a time and whose members were not reminded."""
        now = timezone.now()
        return self.filter(
            status=Status.VOTING,
            contract__casting_until=None,
            contract__reminded_at=None,
            contract__closes_at__gt=now,
            contract__closes_at__lte=now + within,
        )

    def to_open(self, moment: datetime | None = None) -> "ProposalQuerySet":
        """Keep final texts whose vote the clock is to open, the time having come."""
        now = moment or timezone.now()
        return self.filter(status=Status.FINAL_TEXT, vote_opens_at__lte=now)

    def newest_first(self) -> "ProposalQuerySet":
        """Order by when they were drafted, newest first."""
        return self.order_by("-drafted_at", "-id")


class MinutesQuerySet(QuerySet["Minutes"]):
    """Minutes of all bodies."""

    def covering(self, starts_on: date, ends_on: date) -> "MinutesQuerySet":
        """Keep those on the record that are about a day of a period."""
        standing = self.filter(status=MinutesStatus.ADOPTED)
        return standing.filter(starts_on__lte=ends_on, ends_on__gte=starts_on)

    def visible_to(self, user: object) -> "MinutesQuerySet":
        """Keep what the user may see: a draft is seen by its body and auditors."""
        if can_read_restricted(user):
            return self
        public = Q(status__in=[MinutesStatus.ADOPTED, MinutesStatus.CORRECTED])
        if not is_person(user):
            return self.filter(public)
        return self.filter(public | Q(body_id__in=user.memberships.in_term().values("body_id")))
