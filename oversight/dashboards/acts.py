"""Acts of the record in words, and the pages that their subjects have."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.models import Criterion
from oversight.ledger.models import LedgerEntry
from proposals.choices import DecisionOutcome, ProposalType, Status
from proposals.models import Proposal

ACTS_SHOWN = 100

WORDS = {
    "accounts.organisation.admitted": _("An organisation was admitted"),
    "accounts.body.founded": _("A body was founded"),
    "accounts.member.appointed": _("A member was appointed"),
    "accounts.membership.ended": _("A membership ended"),
    "accounts.affiliation.granted": _("A person may act for an organisation"),
    "accounts.affiliation.ended": _("A person acts for an organisation no more"),
    "accounts.evaluator.admitted": _("An organisation was admitted as evaluator"),
    "accounts.evaluator.ended": _("An organisation is an evaluator no more"),
    "registry.model.registered": _("A model was registered"),
    "registry.version.registered": _("A model version was registered"),
    "registry.endpoint.registered": _("An endpoint was registered"),
    "registry.deployment.registered": _("A deployment was registered"),
    "registry.descent.stated": _("It was stated what a version was made from"),
    "registry.description.written": _("A description was written"),
    "registry.authorisation.granted": _("An authorisation took effect"),
    "registry.authorisation.superseded": _("An authorisation was superseded"),
    "registry.authorisation.suspended": _("An authorisation was suspended"),
    "registry.authorisation.revoked": _("An authorisation was revoked"),
    "registry.authorisation.restored": _("An authorisation is in force again"),
    "registry.gate_key.adopted": _("The gate signs with a new key"),
    "registry.gate_key.retired": _("A key of the gate signs no more"),
    "evals.suite.published": _("A suite was published"),
    "evals.worker.enrolled": _("A worker was enrolled"),
    "evals.worker.key_rotated": _("A worker's key was replaced"),
    "evals.worker.paused": _("A worker was paused"),
    "evals.worker.resumed": _("A worker was resumed"),
    "evals.worker.revoked": _("A worker's key was revoked"),
    "evals.check.planned": _("Checks of the endpoints that claim a version were planned"),
    "evals.check.ended": _("Checks of a version's endpoints were ended"),
    "evals.check.judged": _("Endpoints that claim one version were compared"),
    "evals.replication.requested": _("Several organisations were asked to evaluate"),
    "evals.replication.concluded": _("The answers of several organisations were compared"),
    "evals.budget.allocated": _("A budget of compute was allocated"),
    "evals.budget.ended": _("A budget of compute ended"),
    "evals.budget.restored": _("A budget of compute stands again"),
    "evals.run.requested": _("An evaluation was requested"),
    "evals.run.cancelled": _("An evaluation was cancelled"),
    "evals.run.finished": _("An evaluation ended"),
    "evals.result.accepted": _("A signed result was accepted"),
    "evals.criterion.recorded": _("A criterion was recorded"),
    "proposals.charter.adopted": _("A charter was adopted"),
    "proposals.proposal.drafted": _("A proposal was drafted"),
    "proposals.text.revised": _("A text was written"),
    "proposals.stage.moved": _("A proposal moved on"),
    "proposals.amendment.made": _("An amendment was made"),
    "proposals.amendment.revised": _("An amendment was revised"),
    "proposals.amendment.accepted": _("An amendment was accepted"),
    "proposals.amendment.rejected": _("An amendment was rejected"),
    "proposals.amendment.withdrawn": _("An amendment was withdrawn"),
    "proposals.amendment.put": _("An amendment was put to a vote"),
    "proposals.support.given": _("A member supports a proposal"),
    "proposals.support.withdrawn": _("Support of a proposal was taken back"),
    "proposals.attachment.added": _("A file was attached"),
    "proposals.attachment.removed": _("An attached file was removed"),
    "proposals.comment.made": _("A comment was made"),
    "proposals.comment.hidden": _("A comment was hidden"),
    "proposals.comment.restored": _("A comment was restored"),
    "proposals.argument.made": _("An argument was made"),
    "proposals.argument.supported": _("An argument was supported"),
    "proposals.argument.support_withdrawn": _("Support of an argument was taken back"),
    "proposals.argument.hidden": _("An argument was hidden"),
    "proposals.argument.restored": _("An argument was restored"),
    "proposals.opinion_statement.made": _("A statement was made"),
    "proposals.opinion_statement.hidden": _("A statement was hidden"),
    "proposals.opinion_statement.restored": _("A statement was restored"),
    "proposals.opinions.mapped": _("An opinion map was published"),
    "proposals.vote.opened": _("A vote was opened"),
    "proposals.ballot.cast": _("A ballot was cast"),
    "proposals.vote.tied": _("A vote was tied and waits for the chair"),
    "proposals.vote.annulled": _("A vote was annulled"),
    "proposals.conflict.declared": _("A conflict of interest was declared"),
    "proposals.delegation.given": _("A member delegated their vote"),
    "proposals.delegation.revoked": _("A member took a delegation back"),
    "proposals.lot.committed": _("The seed of a lot was committed to"),
    "proposals.lot.revealed": _("The seed of a lot was revealed"),
    "proposals.casting.given": _("The chair gave the casting vote"),
    "proposals.decision.made": _("A decision was made"),
    "proposals.minutes.adopted": _("Minutes were adopted"),
    "proposals.decision.annulled": _("A decision was annulled"),
    "proposals.vote.scheduled": _("The time of a vote was set"),
    "proposals.statement.made": _("Reasons, an explanation or a dissent was put on the record"),
    "proposals.suite.adopted": _("A body adopted the criteria of a suite"),
    "proposals.suite.dropped": _("A body asks the criteria of a suite no more"),
    "incidents.incident.reported": _("An incident was reported"),
    "incidents.incident.moved": _("An incident moved on"),
    "incidents.incident.assessed": _("An incident was judged anew"),
    "incidents.incident.published": _("The public text of an incident was written"),
    "incidents.incident.noted": _("A note was made on an incident"),
    "incidents.incident.linked": _("An incident was linked to what it is about"),
    "incidents.incident.unlinked": _("A link of an incident was taken back"),
    "incidents.incident.added": _("A reporter added to an incident"),
    "incidents.incident.answered": _("A body wrote to the reporter of an incident"),
    "incidents.incident.hidden": _("The public text of an incident was hidden"),
    "incidents.incident.restored": _("The public text of an incident was shown again"),
    "incidents.incident.erased": _("The private part of an incident was erased"),
}
"""What each type of leaf means; a type that is not here is shown by its own name."""

_STAGES = {
    "deliberation": _("Deliberation opened"),
    "final_text": _("The text was declared final"),
    "withdrawn": _("Withdrawn by the proposer"),
    "annulled": _("The vote was annulled"),
}
_STATEMENTS = {
    "reasons": _("The reasons of the body were put on the record"),
    "explanation": _("A member put an explanation of their vote on the record"),
    "dissent": _("A member put a dissent on the record"),
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
    "carried": _("Carried"),
    "not_carried": _("Not carried"),
    "tied": _("Tied: things stay as they are"),
    "no_quorum": _("No quorum: nothing was decided"),
    "elected": _("Decided among the options"),
    "no_votes": _("No valid vote: nothing was decided"),
}
_BY_FACT: dict[str, tuple[str, Mapping[str, Any]]] = {
    "proposals.stage.moved": ("to", _STAGES),
    "proposals.decision.made": ("outcome", _OUTCOMES),
    "proposals.statement.made": ("kind", _STATEMENTS),
}
"""Acts that are named by one of their facts in a timeline."""
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

_KINDS = {
    "proposal": _("proposal"),
    "replication": _("replication"),
}
"""What a run is evidence for, in words; other subjects are named by their kind."""


def words(type_: str) -> str:
    """Return what a type of leaf means, as a sentence without its full stop."""
    return str(WORDS.get(type_, type_))


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
    kind, _colon, name = subject.partition(":")
    if name.startswith(kind) or not kind:
        return name
    return f"{_KINDS.get(kind, kind.replace('_', ' '))} {name}"


def fact_words(name: str, value: object) -> str:
    """Say a fact's value in the reader's language; empty where it says that itself."""
    known = {
        "outcome": DecisionOutcome.choices,
        "from": Status.choices,
        "to": Status.choices,
        "type": ProposalType.choices,
    }.get(name, [])
    words = str(dict(known).get(str(value), "")).lower()
    return "" if words == str(value).replace("_", " ") else words


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
    asked = Criterion.objects.filter(subject=proposal.subject).select_related("suite_version")
    tasks = {each.leaf_id: str(each.task["title"]) for each in asked}
    events = [_event(entry, tasks) for entry in named if not _is_repeated(entry)]
    if events:
        events[-1]["is_latest"] = True
    return events


def _is_repeated(entry: LedgerEntry) -> bool:
    """Say whether the act beside it says the same: a vote's opening, a decision."""
    facts = entry.content.get("facts", {})
    return entry.type == "proposals.stage.moved" and facts.get("to") in {"voting", "decided"}


def _event(entry: LedgerEntry, tasks: Mapping[UUID, str]) -> dict[str, Any]:
    facts = entry.content.get("facts", {})
    return {
        "title": _title(entry, facts, tasks),
        "at": entry.content["at"],
        "act": entry.index,
        "href": reverse("record-entry", args=[entry.index]),
        "tone": "good" if facts.get("outcome") == "carried" else "",
    }


def _title(entry: LedgerEntry, facts: dict[str, Any], tasks: Mapping[UUID, str]) -> str:
    if entry.type in _BY_FACT:
        name, said = _BY_FACT[entry.type]
        return str(said.get(str(facts.get(name)), words(entry.type)))
    if entry.type == "proposals.text.revised":
        return gettext("Revision %(get)s of the text") % {"get": facts.get("number")}
    if entry.type == "evals.criterion.recorded":
        title = tasks.get(entry.leaf_id, facts.get("task"))
        return gettext("A criterion on %(get)s was recorded") % {"get": title}
    if entry.type == "evals.run.finished":
        return gettext("Evaluated as %(removeprefix)s") % {
            "removeprefix": entry.subject.removeprefix("run:"),
        }
    return words(entry.type)
