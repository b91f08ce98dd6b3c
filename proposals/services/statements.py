"""What is put on the record about a decision: its reasons, explanations of votes, dissents."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web.clock import database_now, in_words
from oversight.web.figures import grouped
from oversight.web.refusals import Conflict, NotAllowed
from oversight.web.written import required_language
from proposals import policy
from proposals.ballot_box import carried_by, last_ballots
from proposals.choices import DecisionOutcome, Leaf, StatementKind
from proposals.effects import lock_decision
from proposals.models import Charter, Contract, Decision, RollEntry, Statement
from proposals.papers import ELECTION_METHODS
from proposals.services.words import storable

MAX_TEXT = 10_000
FOR = frozenset({"yes", "consent"})
AGAINST = frozenset({"no", "object"})


@transaction.atomic(durable=True)
def make_statement(
    *, by: Person, decision: Decision, kind: StatementKind, text: str, language: str = ""
) -> Statement:
    """Put reasons, an explanation of one's vote or a dissent on the record, in public and by name.

    Reasons are the body's, stated once by a clerk at any time. A member on the roll who voted can
    make one statement of their own within the charter's time: a dissent where their side lost.
    Without a `language` it is in the proposal's.

    Raises:
        NotAllowed: the person has no such statement to make.
        Conflict: it was made already, its time is over, or the decision is annulled.
        Invalid: no text, or one that is too long.
    """
    asked = _("Write it in up to %(max_text)s characters.") % {"max_text": grouped(MAX_TEXT)}
    words = storable(text, MAX_TEXT, field="text", asked=asked)
    locked, now = lock_decision(decision.ref), database_now()
    spoken = required_language(language or locked.proposal.written_in)
    entry = None
    if kind == StatementKind.REASONS:
        if not policy.can_state_reasons(by, locked.proposal.body):
            raise NotAllowed(_("Only a clerk of the body states its reasons."))
        if locked.statements.filter(kind=kind).exists():
            raise Conflict(_("The reasons are on the record already."))
    else:
        entry = _require_voter(by, locked, kind, now)
    committed = ledger.commit_to({"text": words})
    leaf = ledger.append(
        type=Leaf.STATEMENT_MADE,
        actor=entry.membership.actor if entry else by.actor,
        subject=locked.proposal.subject,
        digests={"decision": locked.digest},
        commits={"text": committed.digest},
        facts={"kind": str(kind)},
        at=now,
    )
    ledger.keep_opening(leaf, "text", committed)
    return Statement.objects.create(
        decision=locked,
        kind=kind,
        author=by,
        membership=entry.membership if entry else None,
        text=words,
        language=spoken,
        made_at=now,
        leaf_id=leaf.id,
    )


def statements_until(decision: Decision) -> datetime:
    """Return until when members can say something about their vote, by the vote's own charter."""
    content = decision.proposal.contract.content
    charter = Charter.objects.get(body=decision.proposal.body, number=content["charter"]["number"])
    hours = charter.rules_for(decision.proposal.type).dissent_hours
    return decision.decided_at + timedelta(hours=hours)


def kinds_open_to(user: object, decision: Decision, now: datetime) -> list[StatementKind]:
    """Return what this user could put on the record about a decision now."""
    found = []
    body = decision.proposal.body
    no_reasons = not decision.statements.filter(kind=StatementKind.REASONS).exists()
    if policy.can_state_reasons(user, body) and no_reasons:
        found.append(StatementKind.REASONS)
    entry = _entry(user, decision)
    if entry is None or now >= statements_until(decision):
        return found
    if decision.statements.filter(membership=entry.membership).exists():
        return found
    found.append(StatementKind.EXPLANATION)
    if lost(decision, entry):
        found.append(StatementKind.DISSENT)
    return found


def lost(decision: Decision, entry: RollEntry) -> bool:
    """Say whether the member's vote, cast by themselves or by a delegate, was on the losing side.

    Of an election any voter may dissent: it has no two sides.
    """
    contract = decision.proposal.contract
    content = _content(contract, entry)
    if content is None:
        return False
    if contract.content["method"] in ELECTION_METHODS:
        return True
    lost_side = AGAINST if decision.outcome == DecisionOutcome.CARRIED else FOR
    return content.get("choice") in lost_side


def _require_voter(by: Person, decision: Decision, kind: StatementKind, now: datetime) -> RollEntry:
    entry = _entry(by, decision)
    if entry is None:
        raise NotAllowed(_("Only members whose vote was counted make a statement about it."))
    until = statements_until(decision)
    if now >= until:
        raise Conflict(
            _("Statements about this vote could be made until %(stamp)s.")
            % {
                "stamp": in_words(until, decision.proposal.body.time_zone),
            }
        )
    if decision.statements.filter(membership=entry.membership).exists():
        raise Conflict(_("You have made a statement about this vote already."))
    if kind == StatementKind.DISSENT and not lost(decision, entry):
        raise NotAllowed(_("A dissent is for those whose side lost; you can explain your vote."))
    return entry


def _entry(user: object, decision: Decision) -> RollEntry | None:
    """Return the person's place on the roll, if a ballot was counted for it."""
    if not isinstance(user, Person):
        return None
    contract = decision.proposal.contract
    entries = contract.roll.select_related("membership").filter(membership__person=user)
    entry = entries.first()
    return entry if entry and _content(contract, entry) is not None else None


def _content(contract: Contract, entry: RollEntry) -> dict[str, object] | None:
    """Return what was counted for a member: their own ballot, or that of who carried their vote."""
    own = entry.ballots.order_by("-number").first()
    if own is not None:
        return dict(own.content)
    ballots = last_ballots(contract)
    carried = carried_by(contract, ballots)
    for ballot in ballots:
        if any(each.pk == entry.pk for each in carried[ballot.entry_id]):
            return dict(ballot.content)
    return None
