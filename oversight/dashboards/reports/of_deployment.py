"""What the report of a deployment says."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from oversight.dashboards.acts import words
from oversight.dashboards.evidence import of_contract
from oversight.dashboards.reports import proofs
from oversight.dashboards.reports.document import (
    Answer,
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Paragraph,
    Report,
    Section,
    Table,
)
from oversight.dashboards.reports.findings import evidence_blocks, evidence_words
from oversight.dashboards.words import counted, sentence
from oversight.ledger.models import LedgerEntry
from oversight.registry import condition_words, gate
from oversight.registry.models import Authorisation, Deployment
from oversight.web.clock import in_words, stamp
from proposals.choices import Status
from proposals.models import Decision

ACTS_SHOWN = 200
ZONE = "UTC"
"""A deployment belongs to no body and so to no place."""


@translation.override("en")
def report_of(deployment: Deployment, now: datetime) -> Report:
    """Return the report of a deployment, with its endpoint and operator fetched, as of a moment."""
    return _Account(deployment, now).report()


class _Account:
    """Everything that is read once about a deployment, and the parts that are written from it."""

    def __init__(self, deployment: Deployment, now: datetime) -> None:
        self.deployment, self.now = deployment, now
        self.rows = list(deployment.authorisations.with_parts())
        self.standing = next((row for row in self.rows if row.is_in_force(now)), None)
        self.newest = self.standing or (self.rows[0] if self.rows else None)
        self.answer = (
            gate.answer(
                subject=self.newest.version.digest, deployment_slug=deployment.slug, moment=now
            )
            if self.newest
            else None
        )
        self.decisions = list(
            Decision.objects.filter(
                proposal__deployment=deployment, proposal__status=Status.DECIDED
            ).select_related("proposal__body", "proposal__contract")
        )
        by_ref = {each.ref: each for each in self.decisions}
        self.decision = by_ref.get(self.newest.decision_ref) if self.newest else None
        self.evidence = of_contract(self.decision.proposal.contract) if self.decision else []
        subjects = [deployment.subject, *(row.subject for row in self.rows)]
        self.acts = list(
            LedgerEntry.objects.filter(subject__in=subjects).order_by("index")[:ACTS_SHOWN]
        )

    def report(self) -> Report:
        """Put the parts in their order."""
        deployment = self.deployment
        return Report(
            about="deployment",
            name=deployment.slug,
            title=self._title(),
            lede=deployment.purpose,
            state=self._state(),
            body=deployment.endpoint.operator.name,
            address=f"{settings.PUBLIC_URL}{deployment.get_absolute_url()}",
            language="en",
            as_of=stamp(max(self._moments())),
            summary=self._summary(),
            sections=(
                *(self._deployment(), self._authorisations(), self._decisions()),
                *(self._evidence(), self._course(), self._verify()),
            ),
        )

    def _moments(self) -> Iterable[datetime]:
        yield self.deployment.registered_at
        for row in self.rows:
            yield from (row.starts_at, row.state_changed_at)
            if row.ends_at and row.ends_at <= self.now:
                yield row.ends_at
        yield from (each.decided_at for each in self.decisions)

    def _title(self) -> str:
        if self.standing:
            return f"{self.standing.version} may serve {self.deployment}."
        return f"No model may serve {self.deployment}."

    def _state(self) -> Cell:
        if self.standing:
            return Cell("In service", tone="good")
        return Cell("Not allowed now" if self.rows else "Nothing authorised", tone="bad")

    def _summary(self) -> tuple[Answer, ...]:
        deployment = self.deployment
        whom = f"For {deployment.audience}, run by {deployment.endpoint.operator}."
        return (
            Answer("What is it for?", f"{sentence(deployment.purpose.rstrip('.'))} {whom}"),
            Answer("What may serve it?", self._serving_words()),
            Answer("Who decided that?", self._decided_words()),
            Answer("What did the evaluations show?", evidence_words(self.evidence)),
            Answer("How can I check this?", proofs.CHECK_WORDS),
        )

    def _serving_words(self) -> str:
        if self.answer is None:
            return "Nothing: no model was ever authorised for it."
        return f"{self._title()} The gate's reason: {self.answer.reason}"

    def _decided_words(self) -> str:
        if self.decision is None:
            return "Nobody: no decision about it has been carried."
        at = in_words(self.decision.decided_at, ZONE)
        body = self.decision.proposal.body
        return f"{body}, by decision {self.decision.ref}, {at}: {self.decision.result_words}."

    def _deployment(self) -> Section:
        deployment, answer = self.deployment, self.answer
        rows = [
            Fact("Deployment", Cell(deployment.name, href=deployment.get_absolute_url())),
            Fact("Purpose", Cell(deployment.purpose)),
            Fact("Audience", Cell(deployment.audience)),
            Fact("Operator", Cell(deployment.endpoint.operator.name)),
            Fact("Endpoint", Cell(str(deployment.endpoint))),
            Fact("Registered", Cell(in_words(deployment.registered_at, ZONE))),
            *([Fact("The gate", Cell(answer.reason))] if answer else []),
            *self._allowed(),
        ]
        return Section("deployment", "The deployment", "What it is, and what may serve it.",
                       (Facts(tuple(rows)),))  # fmt: skip

    def _allowed(self) -> list[Fact]:
        row = self.newest
        if row is None:
            return []
        return [
            Fact("Version", Cell(str(row.version), href=row.version.get_absolute_url())),
            Fact("Weights", Cell(row.version.digest, is_code=True)),
            Fact("From", Cell(in_words(row.starts_at, ZONE))),
            Fact("Until", Cell(in_words(row.ends_at, ZONE) if row.ends_at else "no end")),
            *(Fact(label, Cell(said)) for label, said in condition_words.words(row.conditions)),
        ]

    def _authorisations(self) -> Section:
        columns = (*map(Column, ("Version", "State", "From", "Until", "Decision")),)
        rows = tuple(self._authorisation(row) for row in self.rows)
        table: Block = Table("Authorisations, newest first", columns, rows)
        none = Paragraph("Nothing was ever authorised for this use.")
        how = "At most one stands at a time; it ends by the clock, without anyone's doing."
        return Section("authorisations", "What was authorised, and when", how,
                       (table if rows else none,))  # fmt: skip

    def _authorisation(self, row: Authorisation) -> tuple[Cell, ...]:
        in_force = row.is_in_force(self.now)
        ended = row.ends_at is not None and row.ends_at <= self.now
        state = "In force" if in_force else "Expired" if ended else str(row.get_state_display())
        return (
            Cell(str(row.version), note=row.version.digest, href=row.version.get_absolute_url()),
            Cell(state, tone="good" if in_force else ""),
            Cell(in_words(row.starts_at, ZONE)),
            Cell(in_words(row.ends_at, ZONE) if row.ends_at else "no end"),
            Cell(row.decision_ref, href=f"/decisions/{row.decision_ref}/"),
        )

    def _decisions(self) -> Section:
        columns = (*map(Column, ("Decision", "By", "Outcome", "Decided")),)
        rows = tuple(
            (
                Cell(each.ref, note=each.proposal.text.title, href=each.get_absolute_url()),
                Cell(each.proposal.body.name, href=reverse("body", args=[each.proposal.body.slug])),
                Cell(str(each.get_outcome_display()), note=each.result_words),
                Cell(in_words(each.decided_at, ZONE)),
            )
            for each in self.decisions
        )
        table: Block = Table("Decisions, newest first", columns, rows)
        none = Paragraph("No vote about this use has ended.")
        how = f"{sentence(counted(len(rows), 'vote has', 'votes have') + ' ended')}"
        return Section("decisions", "What was decided", how, (table if rows else none,))

    def _evidence(self) -> Section:
        how = (
            "The criteria of the decision above, and what was found. Intervals are at "
            "95\N{NO-BREAK SPACE}%."
        )
        return Section("evidence", "The evidence", how, evidence_blocks(self.evidence, ZONE))

    def _course(self) -> Section:
        rows = tuple(
            (
                Cell(words(act.type), note=act.subject, href=f"/record/{act.index}/"),
                Cell(in_words(datetime.fromisoformat(act.content["at"]), ZONE)),
                Cell(f"{act.index:,}"),
            )
            for act in self.acts
        )
        columns = (Column("Act"), Column("When"), Column("Number", is_numeric=True))
        how = "The acts on the record about this deployment and its authorisations, oldest first."
        return Section("course", "How it came about", how, (Table("Acts", columns, rows),))

    def _verify(self) -> Section:
        leaves = [("The registration", self.deployment.leaf_id, "")]
        leaves += [(f"Authorisation by {row.decision_ref}", row.leaf_id, "") for row in self.rows]
        blocks = proofs.of(
            leaves,
            receipt_of=self.newest.leaf_id if self.newest else self.deployment.leaf_id,
            bundle=f"{self.deployment.get_absolute_url()}bundle.zip",
        )
        return Section("verify", "How to verify this", proofs.HOW_TO_READ, blocks)
