"""Acts of the record in words, and the pages that their subjects have."""

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse

from oversight.ledger.models import LedgerEntry
from proposals.models import Proposal

ACTS_SHOWN = 100

WORDS = {
    "accounts.organisation.admitted": "An organisation was admitted",
    "accounts.body.founded": "A body was founded",
    "accounts.member.appointed": "A member was appointed",
    "accounts.membership.ended": "A membership ended",
    "accounts.affiliation.granted": "A person may act for an organisation",
    "accounts.affiliation.ended": "A person acts for an organisation no more",
    "accounts.evaluator.admitted": "An organisation was admitted as evaluator",
    "accounts.evaluator.ended": "An organisation is an evaluator no more",
    "registry.model.registered": "A model was registered",
    "registry.version.registered": "A model version was registered",
    "registry.endpoint.registered": "An endpoint was registered",
    "registry.deployment.registered": "A deployment was registered",
    "registry.descent.stated": "It was stated what a version was made from",
    "registry.description.written": "A description was written",
    "registry.authorisation.granted": "An authorisation took effect",
    "registry.authorisation.superseded": "An authorisation was superseded",
    "registry.authorisation.suspended": "An authorisation was suspended",
    "registry.authorisation.revoked": "An authorisation was revoked",
    "registry.authorisation.restored": "An authorisation is in force again",
    "registry.gate_key.adopted": "The gate signs with another key",
    "registry.gate_key.retired": "A key of the gate signs no more",
    "evals.suite.published": "A suite was published",
    "evals.worker.enrolled": "A worker was enrolled",
    "evals.worker.key_rotated": "A worker's key was replaced",
    "evals.worker.paused": "A worker was paused",
    "evals.worker.resumed": "A worker was resumed",
    "evals.worker.revoked": "A worker's key was revoked",
    "evals.check.planned": "Checks of the endpoints that claim a version were planned",
    "evals.check.ended": "Checks of a version's endpoints were ended",
    "evals.check.judged": "Endpoints that claim one version were compared",
    "evals.replication.requested": "Several organisations were asked to evaluate",
    "evals.replication.concluded": "The answers of several organisations were compared",
    "evals.budget.allocated": "A budget of compute was allocated",
    "evals.budget.ended": "A budget of compute ended",
    "evals.budget.restored": "A budget of compute stands again",
    "evals.run.requested": "An evaluation was requested",
    "evals.run.cancelled": "An evaluation was cancelled",
    "evals.run.finished": "An evaluation ended",
    "evals.result.accepted": "A signed result was accepted",
    "evals.criterion.recorded": "A criterion was recorded",
    "proposals.charter.adopted": "A charter was adopted",
    "proposals.proposal.drafted": "A proposal was drafted",
    "proposals.text.revised": "A text was written",
    "proposals.stage.moved": "A proposal moved on",
    "proposals.amendment.made": "An amendment was made",
    "proposals.amendment.revised": "An amendment was revised",
    "proposals.amendment.accepted": "An amendment was accepted",
    "proposals.amendment.rejected": "An amendment was rejected",
    "proposals.amendment.withdrawn": "An amendment was withdrawn",
    "proposals.amendment.put": "An amendment was put to a vote",
    "proposals.support.given": "A member supports a proposal",
    "proposals.support.withdrawn": "Support of a proposal was taken back",
    "proposals.attachment.added": "A file was attached",
    "proposals.attachment.removed": "An attached file was removed",
    "proposals.comment.made": "A comment was made",
    "proposals.comment.hidden": "A comment was hidden",
    "proposals.comment.restored": "A comment was restored",
    "proposals.argument.made": "An argument was made",
    "proposals.argument.supported": "An argument was supported",
    "proposals.argument.support_withdrawn": "Support of an argument was taken back",
    "proposals.argument.hidden": "An argument was hidden",
    "proposals.argument.restored": "An argument was restored",
    "proposals.opinion_statement.made": "A statement was made",
    "proposals.opinion_statement.hidden": "A statement was hidden",
    "proposals.opinion_statement.restored": "A statement was restored",
    "proposals.opinions.mapped": "An opinion map was published",
    "proposals.vote.opened": "A vote was opened",
    "proposals.ballot.cast": "A ballot was cast",
    "proposals.vote.tied": "A vote was tied and waits for the chair",
    "proposals.vote.annulled": "A vote was annulled",
    "proposals.conflict.declared": "A conflict of interest was declared",
    "proposals.delegation.given": "A member delegated their vote",
    "proposals.delegation.revoked": "A member took a delegation back",
    "proposals.lot.committed": "The seed of a lot was committed to",
    "proposals.lot.revealed": "The seed of a lot was revealed",
    "proposals.casting.given": "The chair gave the casting vote",
    "proposals.decision.made": "A decision was made",
    "proposals.minutes.adopted": "Minutes were adopted",
    "proposals.decision.annulled": "A decision was annulled",
    "proposals.vote.scheduled": "The time of a vote was set",
    "proposals.statement.made": "Reasons, an explanation or a dissent was put on the record",
    "proposals.suite.adopted": "A body adopted the criteria of a suite",
    "proposals.suite.dropped": "A body asks the criteria of a suite no more",
    "incidents.incident.reported": "An incident was reported",
    "incidents.incident.moved": "An incident moved on",
    "incidents.incident.assessed": "An incident was judged anew",
    "incidents.incident.published": "The public text of an incident was written",
    "incidents.incident.noted": "A note was made on an incident",
    "incidents.incident.linked": "An incident was linked to what it is about",
    "incidents.incident.unlinked": "A link of an incident was taken back",
    "incidents.incident.added": "A reporter added to an incident",
    "incidents.incident.answered": "A body wrote to the reporter of an incident",
    "incidents.incident.hidden": "The public text of an incident was hidden",
    "incidents.incident.restored": "The public text of an incident was shown again",
    "incidents.incident.erased": "The private part of an incident was erased",
}
"""What each type of leaf means; a type that is not here is shown by its own name."""

_STAGES = {
    "deliberation": "Deliberation opened",
    "final_text": "The text was declared final",
    "withdrawn": "Withdrawn by the proposer",
    "annulled": "The vote was annulled",
}
_LEFT_OUT = (
    "proposals.ballot.cast",
    *(
        f"proposals.{kind}.{act}"
        for kind in ("comment", "argument", "opinion_statement")
        for act in ("made", "hidden", "restored", "supported", "support_withdrawn")
    ),
)
_OUTCOMES = {
    "carried": "Carried",
    "not_carried": "Not carried",
    "tied": "Tied: things stay as they are",
    "no_quorum": "No quorum: nothing was decided",
    "elected": "Decided among the options",
    "no_votes": "No valid vote: nothing was decided",
}
_PAGES = {
    "proposal": ("proposal", r"[0-9]{4}-[0-9]+"),
    "authorisation": ("decision", r"[0-9]{4}-[0-9]+"),
    "budget": ("decision", r"[0-9]{4}-[0-9]+"),
    "run": ("run", r"run-[0-9a-f]+"),
    "suite": ("suite-version", r"([a-z0-9-]+):([0-9]{1,6})"),
    "model": ("model", r"[a-z0-9-]+"),
    "deployment": ("deployment", r"[a-z0-9-]+"),
    "body": ("body", r"[a-z0-9-]+"),
    "incident": ("incident", r"INC-[0-9]{4}-[0-9]+"),
}


def words(type_: str) -> str:
    """Return what a type of leaf means, as a sentence without its full stop."""
    return WORDS.get(type_, type_)


def subject_address(subject: str) -> str:
    """Return the page of an act's subject; empty where it has none."""
    kind, _, name = subject.partition(":")
    page, pattern = _PAGES.get(kind, ("", ""))
    match = re.fullmatch(pattern, name) if page else None
    if match is None:
        return ""
    return reverse(page, args=match.groups() or [name])


def subject_words(subject: str) -> str:
    """Name an act's subject as people do: “proposal 2026-001”, “run-1a2b3c4d”."""
    kind, _, name = subject.partition(":")
    return name if name.startswith(kind) or not kind else f"{kind.replace('_', ' ')} {name}"


def timeline(proposal: Proposal, run_refs: Iterable[str]) -> list[dict[str, Any]]:
    """Return how a decision came about, as events of the timeline component, oldest first.

    Ballots and comments are left out, and so are the moves to stages that other acts speak of.

    Args:
        proposal: what was decided.
        run_refs: the runs that were its evidence; their ends stand in the timeline, too.
    """
    runs = Q(subject__in=[f"run:{ref}" for ref in run_refs], type="evals.run.finished")
    acts = LedgerEntry.objects.filter(Q(subject=proposal.subject) | runs)
    named = acts.exclude(type__in=_LEFT_OUT).order_by("index")[:ACTS_SHOWN]
    events = [_event(entry) for entry in named if not _is_repeated(entry)]
    if events:
        events[-1]["is_latest"] = True
    return events


def _is_repeated(entry: LedgerEntry) -> bool:
    """Say whether the act beside it says the same: a vote's opening, a decision."""
    facts = entry.content.get("facts", {})
    return entry.type == "proposals.stage.moved" and facts.get("to") in {"voting", "decided"}


def _event(entry: LedgerEntry) -> dict[str, Any]:
    facts = entry.content.get("facts", {})
    return {
        "title": _title(entry, facts),
        "at": entry.content["at"],
        "act": entry.index,
        "href": reverse("record-entry", args=[entry.index]),
        "tone": "good" if facts.get("outcome") == "carried" else "",
    }


def _title(entry: LedgerEntry, facts: dict[str, Any]) -> str:
    if entry.type == "proposals.stage.moved":
        return _STAGES.get(str(facts.get("to")), words(entry.type))
    if entry.type == "proposals.decision.made":
        return _OUTCOMES.get(str(facts.get("outcome")), words(entry.type))
    if entry.type == "proposals.text.revised":
        return f"Revision {facts.get('number')} of the text"
    if entry.type == "evals.criterion.recorded":
        return f"A criterion on {facts.get('task')} was recorded"
    if entry.type == "evals.run.finished":
        return f"Evaluated as {entry.subject.removeprefix('run:')}"
    return words(entry.type)
