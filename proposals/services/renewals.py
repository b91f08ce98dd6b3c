"""Before an authorisation ends: its renewal is drafted in time, and people are reminded."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.mail_times import languages_of
from oversight.accounts.models import Body, Person
from oversight.accounts.services import notify
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation
from oversight.web.clock import database_now, in_words, when_read
from oversight.web.languages import filled, lowered
from oversight.web.refusals import Conflict
from proposals.choices import OPEN, Origin, ProposalType, Status
from proposals.models import Decision, Proposal, Reminder, text_document
from proposals.queries import ProposalQuerySet
from proposals.services.charters import charter_of
from proposals.services.drafting import write_draft

CLOCK = "system:clock"
REMIND_DAYS = (30, 14, 7, 1)
"""Days before the end, and before a review, at which the body's people are reminded."""

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Due = tuple[str, int]
"""What a reminder is of, `end` or `review`, and how many days before."""

LONGEST_LEAD = timedelta(days=3650)


def ending(now: datetime) -> Iterator[tuple[Authorisation, Decision]]:
    """Yield the authorisations that stand and will end, each with the decision that made it."""
    standing = Authorisation.objects.standing().with_parts()
    rows = list(standing.filter(ends_at__gt=now, ends_at__lte=now + LONGEST_LEAD))
    made = Decision.objects.select_related("proposal__body").filter(
        proposal__ref__in=[row.decision_ref for row in rows]
    )
    by_ref = {decision.proposal.ref: decision for decision in made}
    for row in rows:
        if row.decision_ref in by_ref:
            yield row, by_ref[row.decision_ref]


def is_renewal_due(row: Authorisation, decision: Decision, now: datetime) -> bool:
    """Say whether the charter's time to draft the renewal has come and nobody has drafted one."""
    due = renewal_time(row, decision)
    return due is not None and now >= due and not _renewals(row.decision_ref).exists()


def renewal_time(row: Authorisation, decision: Decision) -> datetime | None:
    """Return when the renewal is drafted: at the review decided on, or the charter's time before.

    Whichever comes first; None where there is no review and the charter says never.
    """
    rules = charter_of(decision.proposal.body).rules_for(ProposalType.RENEW)
    if not rules.review_days or row.ends_at is None:
        return decision.review_at
    lead = timedelta(days=rules.review_days)
    # Never more than half of the time it was given: a short authorisation is not renewed at once.
    usual: datetime = row.ends_at - min(lead, (row.ends_at - row.starts_at) / 2)
    return min(usual, decision.review_at) if decision.review_at else usual


def _renewals(ref: str) -> ProposalQuerySet:
    """Return what would renew an authorisation: drafted by the clock once, or open by anybody."""
    found = Proposal.objects.filter(type=ProposalType.RENEW, target_ref=ref)
    return found.filter(origin=Origin.CLOCK) | found.filter(status__in=[Status.DRAFT, *OPEN])


@transaction.atomic(durable=True)
def draft_renewal(*, decision: Decision) -> Proposal:
    """Draft the renewal of an authorisation in the name of the clock; clerks take it from there.

    It carries the conditions over. However often the clock looks, and wherever it is killed, there
    is one such draft: the lock on the body orders two that look at once, a constraint decides.

    Raises:
        Conflict: the time has not come, the authorisation stands no more, or a renewal is there.
    """
    body = Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    row = Authorisation.objects.standing().with_parts().filter(decision_ref=decision.ref).first()
    if row is None or not is_renewal_due(row, decision, database_now()):
        raise Conflict(gettext("No renewal of %(ref)s is due.") % {"ref": decision.ref})
    language = _language(body)
    with translation.override(language):
        content = _renewal_text(body, row, decision)
    proposal = Proposal(
        body=body,
        type=ProposalType.RENEW,
        proposer=clock_person(),
        target_ref=row.decision_ref,
        origin=Origin.CLOCK,
        language=language,
    )
    write_draft(proposal, author=proposal.proposer, actor=CLOCK, content=content)
    _tell(
        body,
        about=proposal.ref,
        subject=filled(_("A renewal is drafted: %(title)s"), title=decision.proposal.title),
        text=filled(
            _(
                "The authorisation %(ref)s ends on %(end)s. %(renewal)s would renew it; "
                "a clerk completes the draft and opens the deliberation."
            ),
            ref=row.decision_ref,
            end=when_read(row.ends_at, body.time_zone) if row.ends_at else "",
            renewal=proposal.ref,
        ),
        path=proposal.get_absolute_url(),
    )
    return proposal


def _language(body: Body) -> str:
    """Return the language of the clerks who complete a draft; the site's if they have several."""
    seats = body.memberships.in_term().clerks().select_related("person")
    spoken = set(languages_of([seat.person for seat in seats]).values())
    return spoken.pop() if len(spoken) == 1 else settings.LANGUAGE_CODE


def _renewal_text(body: Body, row: Authorisation, decision: Decision) -> dict[str, Any]:
    """Return what a renewal's draft begins with, in the language that is spoken."""
    ends = in_words(row.ends_at, body.time_zone) if row.ends_at else ""
    title = gettext("Renew: %(title)s") % {"title": decision.proposal.title}
    summary = gettext("The authorisation %(ref)s ends on %(end)s. This would renew it.") % {
        "ref": row.decision_ref,
        "end": ends,
    }
    stands = gettext(
        "%(version)s serves %(deployment)s by decision %(ref)s, which ends on %(end)s. The charter "
        "has this renewal drafted in time."
    ) % {
        "version": row.version,
        "deployment": row.deployment,
        "ref": row.decision_ref,
        "end": ends,
    }
    left = gettext(
        "A clerk of the body completes the text: what was learnt since the decision, and why the "
        "model should stay."
    )
    terms = {"conditions": row.conditions} if row.conditions else {}
    return text_document(title[:160], summary, f"{stands}\n\n{left}\n", terms=terms)


def reminders_due(row: Authorisation, decision: Decision, now: datetime) -> list[Due]:
    """Return the reminders of the end and of a review that are due and were not sent.

    An authorisation given for less than such a time has no reminder that would lie before it, and
    of a review that is past nobody is reminded.
    """
    moments = {"end": row.ends_at, "review": decision.review_at}
    due = [
        (of, days)
        for of, moment in moments.items()
        if moment is not None and now < moment
        for days in REMIND_DAYS
        if moment - now <= timedelta(days=days) < moment - row.starts_at
    ]
    rows = Reminder.objects.filter(decision_ref=row.decision_ref)
    sent = set(rows.values_list("of", "days"))
    return [each for each in due if each not in sent]


@transaction.atomic(durable=True)
def remind(*, decision: Decision) -> bool:
    """Remind the body's people of an end or a review, once for each stated number of days.

    Reminders that were missed while the clock stood still make one notice, not several.
    """
    body = Body.objects.select_for_update().get(pk=decision.proposal.body_id)
    row = Authorisation.objects.standing().with_parts().filter(decision_ref=decision.ref).first()
    now = database_now()
    due = reminders_due(row, decision, now) if row else []
    if row is None or row.ends_at is None or not due:
        return False
    Reminder.objects.bulk_create(
        Reminder(decision_ref=row.decision_ref, of=of, days=days, sent_at=now) for of, days in due
    )
    review = decision.review_at if any(of == "review" for of, _days in due) else None
    names = {"version": row.version, "deployment": row.deployment}
    _tell(
        body,
        about=row.decision_ref,
        subject=filled(
            _("Review on %(day)s: %(version)s for %(deployment)s"),
            day=f"{review:%Y-%m-%d}",
            **names,
        )
        if review
        else filled(
            _("Ends on %(day)s: %(version)s for %(deployment)s"),
            day=f"{row.ends_at:%Y-%m-%d}",
            **names,
        ),
        text=filled(
            "%(ends)s %(renewal)s",
            ends=_end_words(body, row, now, review),
            renewal=_renewal_words(row),
        ),
        path=decision.get_absolute_url(),
    )
    return True


def _end_words(
    body: Body, row: Authorisation, now: datetime, review: datetime | None
) -> "StrOrPromise":
    """Say when an authorisation ends, and when it is reviewed before."""
    assert row.ends_at is not None  # noqa: S101 - nothing else is reminded of
    gaps = {"ref": row.decision_ref, "end": when_read(row.ends_at, body.time_zone)}
    suspended = row.state_at(now) == AuthorisationState.SUSPENDED
    if review:
        gaps["review"] = when_read(review, body.time_zone)
        if suspended:
            return filled(
                _(
                    "The authorisation %(ref)s is to be reviewed on %(review)s and ends on "
                    "%(end)s; it is suspended now."
                ),
                **gaps,
            )
        return filled(
            _("The authorisation %(ref)s is to be reviewed on %(review)s and ends on %(end)s."),
            **gaps,
        )
    if suspended:
        return filled(_("The authorisation %(ref)s ends on %(end)s; it is suspended now."), **gaps)
    return filled(_("The authorisation %(ref)s ends on %(end)s."), **gaps)


def _renewal_words(row: Authorisation) -> "StrOrPromise":
    renewal = _renewals(row.decision_ref).order_by("-drafted_at").first()
    if renewal is None:
        return _("Nobody has proposed to renew it.")
    return filled(
        _("Its renewal %(ref)s is in: %(stage)s."),
        ref=renewal.ref,
        stage=lowered(Status(renewal.status).label),
    )


def clock_person() -> Person:
    """Return the account in whose name the clock drafts; it cannot sign in."""
    person, _is_new = Person.objects.get_or_create(
        email="clock@localhost",
        defaults={"display_name": "The clock", "is_system": True, "password": "!"},
    )
    return person


def _tell(
    body: Body, *, about: str, subject: "StrOrPromise", text: "StrOrPromise", path: str
) -> None:
    seats = body.memberships.in_term().select_related("person")
    notify(
        kind=NoticeKind.REMINDER,
        body=body,
        about=about,
        people={seat.person for seat in seats},
        subject=subject,
        text=text,
        path=path,
    )
