"""Celery entry points of the deciding floor."""

import logging

from celery import shared_task

from oversight.web.refusals import Conflict
from proposals.models import Proposal
from proposals.services.closing import close_due_vote
from proposals.services.reminding import CLOSES_SOON, remind_of_vote

logger = logging.getLogger(__name__)


@shared_task(name="proposals.close_due_votes")
def close_due_votes() -> int:
    """Close every vote whose deadline has passed; return how many."""
    closed = 0
    for proposal in Proposal.objects.due():
        try:
            close_due_vote(proposal=proposal)
        except Conflict as conflict:
            # Somebody else closed it, or the database's clock is behind ours: look again later.
            logger.info("Left %s open: %s", proposal.ref, conflict)
        else:
            closed += 1
    return closed


@shared_task(name="proposals.remind_of_votes")
def remind_of_votes() -> int:
    """Tell who has not voted in a vote that closes within a day; return how many were told."""
    return sum(remind_of_vote(proposal=each) for each in Proposal.objects.closing_soon(CLOSES_SOON))
