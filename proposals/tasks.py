"""Celery entry points of the deciding floor."""

import logging

from celery import shared_task
from django.utils import timezone

from evals.services.alarms import untold_checks
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict
from proposals.crowds import answers_of, stale_maps
from proposals.models import Proposal
from proposals.services import renewals
from proposals.services.alarms import tell_bodies
from proposals.services.closing import close_due_vote
from proposals.services.opinions import keep_map
from proposals.services.reminding import CLOSES_SOON, remind_of_vote
from proposals.services.scheduling import open_due_vote

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


@shared_task(name="proposals.open_due_votes")
def open_due_votes() -> int:
    """Open every vote whose time has come and in whose way nothing stands; return how many."""
    opened = 0
    for proposal in Proposal.objects.to_open():
        try:
            opened += open_due_vote(proposal=proposal) is not None
        except Conflict as conflict:
            logger.info("Did not open %s: %s", proposal.ref, conflict)
    return opened


@shared_task(name="proposals.look_ahead")
def look_ahead() -> int:
    """Draft the renewals and send the reminders that are due; return how many of both."""
    done, now = 0, database_now()
    for row, decision in renewals.ending(now):
        if renewals.is_renewal_due(row, decision, now):
            try:
                renewals.draft_renewal(decision=decision)
            except Conflict as conflict:
                # Somebody drafted one at the same moment.
                logger.info("Drafted no renewal of %s: %s", decision.ref, conflict)
            else:
                done += 1
        if renewals.reminders_due(row, decision, now):
            done += renewals.remind(decision=decision)
    return done


@shared_task(name="proposals.tell_of_alarms")
def tell_of_alarms() -> int:
    """Tell bodies what checks hold against what serves by their decisions; return how many."""
    return sum(tell_bodies(check_id=each) for each in untold_checks())


@shared_task(name="proposals.draw_opinion_maps")
def draw_opinion_maps() -> int:
    """Draw every opinion map that is stale, and publish those whose deliberation ended."""
    # Only this process draws: numpy has no place in those that answer readers.
    from proposals.opinions.drawing import draw

    drawn = 0
    for proposal, basis in stale_maps(timezone.now()):
        answers = answers_of(proposal)
        try:
            keep_map(proposal=proposal, basis=basis, answers=answers, drawn=draw(answers))
        except Conflict as conflict:
            # Somebody answered meanwhile: the next sweep draws it.
            logger.info("Left the map of %s: %s", proposal.ref, conflict)
        else:
            drawn += 1
    return drawn
