"""What the report of a deployment says."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

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
from oversight.dashboards.words import sentence, standing_words, worded
from oversight.ledger.models import LedgerEntry
from oversight.registry import condition_words, gate
from oversight.registry.models import Authorisation, Deployment
from oversight.web.clock import in_words, stamp
from oversight.web.figures import grouped, percent
from proposals.choices import Status
from proposals.models import Decision

ACTS_SHOWN = 200
ZONE = "UTC"
"""A deployment belongs to no body and so to no place."""


def report_of(deployment: Deployment, now: datetime) -> Report:
    """Return the report of a deployment as of a moment, in the language that is spoken.

    With its endpoint and operator fetched.
    """
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
            language=get_language() or settings.LANGUAGE_CODE,
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
            named = {"version": self.standing.version, "deployment": self.deployment}
            return _("%(version)s may serve %(deployment)s.") % named
        return _("No model may serve %(deployment)s.") % {"deployment": self.deployment}

    def _state(self) -> Cell:
        if self.standing:
            return Cell(_("In service"), tone="good")
        return Cell(_("Not allowed now") if self.rows else _("Nothing authorised"), tone="bad")

    def _summary(self) -> tuple[Answer, ...]:
        deployment = self.deployment
        whom = _("For %(audience)s, run by %(operator)s.") % {
            "audience": deployment.audience,
            "operator": deployment.endpoint.operator,
        }
        return (
            Answer(_("What is it for?"), f"{sentence(deployment.purpose.rstrip('.'))} {whom}"),
            Answer(_("What may serve it?"), self._serving_words()),
            Answer(_("Who decided that?"), self._decided_words()),
            Answer(_("What did the evaluations show?"), evidence_words(self.evidence)),
            Answer(_("How can I check this?"), str(proofs.CHECK_WORDS)),
        )

    def _serving_words(self) -> str:
        if self.answer is None:
            return _("Nothing: no model was ever authorised for it.")
        reason = _("The gate's reason: %(reason)s") % {"reason": self.answer.words}
        return f"{self._title()} {reason}"

    def _decided_words(self) -> str:
        if self.decision is None:
            return _("Nobody: no decision about it has been carried.")
        return _("%(body)s, by decision %(ref)s, %(at)s: %(result)s.") % {
            "body": self.decision.proposal.body,
            "ref": self.decision.ref,
            "at": in_words(self.decision.decided_at, ZONE),
            "result": self.decision.result_words,
        }

    def _deployment(self) -> Section:
        deployment, answer = self.deployment, self.answer
        rows = [
            Fact(_("Deployment"), Cell(deployment.name, href=deployment.get_absolute_url())),
            Fact(_("Purpose"), Cell(deployment.purpose)),
            Fact(_("Audience"), Cell(deployment.audience)),
            Fact(_("Operator"), Cell(deployment.endpoint.operator.name)),
            Fact(_("Endpoint"), Cell(str(deployment.endpoint))),
            Fact(_("Registered"), Cell(in_words(deployment.registered_at, ZONE))),
            *([Fact(_("The gate"), Cell(answer.words))] if answer else []),
            *self._allowed(),
        ]
        how = _("What it is, and what may serve it.")
        return Section("deployment", _("The deployment"), how, (Facts(tuple(rows)),))

    def _allowed(self) -> list[Fact]:
        row = self.newest
        if row is None:
            return []
        return [
            Fact(_("Version"), Cell(str(row.version), href=row.version.get_absolute_url())),
            Fact(_("Weights"), Cell(row.version.digest, is_code=True)),
            Fact(_("From"), Cell(in_words(row.starts_at, ZONE))),
            Fact(_("Until"), Cell(_end(row))),
            *(Fact(label, Cell(said)) for label, said in condition_words.words(row.conditions)),
        ]

    def _authorisations(self) -> Section:
        heads = (_("Version"), _("State"), _("From"), _("Until"), _("Decision"))
        rows = tuple(self._authorisation(row) for row in self.rows)
        table: Block = Table(_("Authorisations, newest first"), (*map(Column, heads),), rows)
        none = Paragraph(_("Nothing was ever authorised for this use."))
        how = _("At most one stands at a time; it ends by the clock, without anyone's doing.")
        title = _("What was authorised, and when")
        return Section("authorisations", title, how, (table if rows else none,))

    def _authorisation(self, row: Authorisation) -> tuple[Cell, ...]:
        in_force = row.is_in_force(self.now)
        return (
            Cell(str(row.version), note=row.version.digest, href=row.version.get_absolute_url()),
            Cell(standing_words(row, self.now), tone="good" if in_force else ""),
            Cell(in_words(row.starts_at, ZONE)),
            Cell(_end(row)),
            Cell(row.decision_ref, href=f"/decisions/{row.decision_ref}/"),
        )

    def _decisions(self) -> Section:
        heads = (_("Decision"), _("By"), _("Outcome"), pgettext("at a time", "Decided"))
        rows = tuple(
            (
                Cell(each.ref, note=each.proposal.title, href=each.get_absolute_url()),
                Cell(each.proposal.body.name, href=reverse("body", args=[each.proposal.body.slug])),
                Cell(str(each.get_outcome_display()), note=each.result_words),
                Cell(in_words(each.decided_at, ZONE)),
            )
            for each in self.decisions
        )
        table: Block = Table(_("Decisions, newest first"), (*map(Column, heads),), rows)
        none = Paragraph(_("No vote about this use has ended."))
        ended = ngettext("%(number)s vote has ended", "%(number)s votes have ended", len(rows))
        how = sentence(worded(ended, len(rows), none=_("no votes have ended")))
        return Section("decisions", _("What was decided"), how, (table if rows else none,))

    def _evidence(self) -> Section:
        how = _(
            "The criteria of the decision above, and what was found. Intervals are at %(share)s."
        )
        blocks = evidence_blocks(self.evidence, ZONE)
        return Section("evidence", _("The evidence"), how % {"share": percent(0.95)}, blocks)

    def _course(self) -> Section:
        rows = tuple(
            (
                Cell(words(act.type), note=act.subject, href=f"/record/{act.index}/"),
                Cell(in_words(datetime.fromisoformat(act.content["at"]), ZONE)),
                Cell(grouped(act.index)),
            )
            for act in self.acts
        )
        how = _(
            "The acts on the record about this deployment and its authorisations, oldest first."
        )
        return Section("course", _("How it came about"), how, (proofs.acts(rows),))

    def _verify(self) -> Section:
        leaves = [(_("The registration"), self.deployment.leaf_id, "")]
        by = _("Authorisation by %(ref)s")
        leaves += [(by % {"ref": row.decision_ref}, row.leaf_id, "") for row in self.rows]
        blocks = proofs.of(
            leaves,
            receipt_of=self.newest.leaf_id if self.newest else self.deployment.leaf_id,
            bundle=f"{self.deployment.get_absolute_url()}bundle.zip",
        )
        return Section("verify", _("How to verify this"), str(proofs.HOW_TO_READ), blocks)


def _end(row: Authorisation) -> str:
    return in_words(row.ends_at, ZONE) if row.ends_at else _("no end")
