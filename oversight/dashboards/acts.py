"""Acts of the record in words, and the pages that their subjects have."""

import re
from typing import Any

from django.urls import NoReverseMatch, reverse

from oversight.ledger.models import LedgerEntry

WORDS = {
    "accounts.organisation.admitted": "An organisation was admitted",
    "accounts.body.founded": "A body was founded",
    "accounts.member.appointed": "A member was appointed",
    "accounts.membership.ended": "A membership ended",
    "accounts.affiliation.granted": "A person may act for an organisation",
    "accounts.affiliation.ended": "A person acts for an organisation no more",
    "registry.model.registered": "A model was registered",
    "registry.version.registered": "A model version was registered",
    "registry.endpoint.registered": "An endpoint was registered",
    "registry.deployment.registered": "A deployment was registered",
    "registry.authorisation.granted": "An authorisation took effect",
    "registry.authorisation.superseded": "An authorisation was superseded",
    "registry.authorisation.suspended": "An authorisation was suspended",
    "registry.authorisation.revoked": "An authorisation was revoked",
    "evals.suite.published": "A suite was published",
    "evals.worker.enrolled": "A worker was enrolled",
    "evals.worker.revoked": "A worker's key was revoked",
    "evals.run.requested": "An evaluation was requested",
    "evals.run.cancelled": "An evaluation was cancelled",
    "evals.run.finished": "An evaluation ended",
    "evals.result.accepted": "A signed result was accepted",
    "evals.criterion.recorded": "A criterion was recorded",
    "proposals.charter.adopted": "A charter was adopted",
    "proposals.proposal.drafted": "A proposal was drafted",
    "proposals.text.revised": "A text was written",
    "proposals.stage.moved": "A proposal moved on",
    "proposals.comment.made": "A comment was made",
    "proposals.comment.hidden": "A comment was hidden",
    "proposals.vote.opened": "A vote was opened",
    "proposals.ballot.cast": "A ballot was cast",
    "proposals.vote.annulled": "A vote was annulled",
    "proposals.decision.made": "A decision was made",
}
"""What each type of leaf means; a type that is not here is shown by its own name."""

_STAGES = {
    "deliberation": "Deliberation opened",
    "final_text": "The text was declared final",
    "voting": "Voting began",
    "decided": "The vote was closed and counted",
    "withdrawn": "Withdrawn by the proposer",
    "annulled": "The vote was annulled",
}
_OUTCOMES = {
    "carried": "Carried",
    "not_carried": "Not carried",
    "tied": "Tied: things stay as they are",
    "no_quorum": "No quorum: nothing was decided",
}
_PAGES = {
    "proposal": ("proposal", r"[0-9]{4}-[0-9]+"),
    "authorisation": ("decision", r"[0-9]{4}-[0-9]+"),
    "run": ("run", r"run-[0-9a-f]+"),
    "suite": ("suite-version", r"(?P<slug>[a-z0-9-]+):(?P<number>[0-9]{1,6})"),
    "model": ("model", r"[a-z0-9-]+"),
    "deployment": ("deployment", r"[a-z0-9-]+"),
    "body": ("body", r"[a-z0-9-]+"),
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
    try:
        return reverse(
            page, kwargs=match.groupdict() or None, args=[] if match.groupdict() else [name]
        )
    except NoReverseMatch:
        return ""


def timeline(entries: list[LedgerEntry]) -> list[dict[str, Any]]:
    """Return acts about one proposal as events of the timeline component, in their order."""
    events = [_event(entry) for entry in entries]
    if events:
        events[-1]["is_latest"] = True
    return events


def _event(entry: LedgerEntry) -> dict[str, Any]:
    facts = entry.content.get("facts", {})
    return {
        "title": _title(entry.type, facts),
        "at": entry.content["at"],
        "act": entry.index,
        "href": reverse("record-entry", args=[entry.index]),
        "tone": "good" if facts.get("outcome") == "carried" else "",
    }


def _title(type_: str, facts: dict[str, Any]) -> str:
    if type_ == "proposals.stage.moved":
        return _STAGES.get(str(facts.get("to")), words(type_))
    if type_ == "proposals.decision.made":
        return _OUTCOMES.get(str(facts.get("outcome")), words(type_))
    if type_ == "proposals.text.revised":
        return f"Revision {facts.get('number')} of the text"
    return words(type_).removeprefix("A ").capitalize() if type_ not in WORDS else words(type_)
