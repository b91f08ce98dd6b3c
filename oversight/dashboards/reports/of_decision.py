"""What the report of a decision says."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from oversight.dashboards.acts import timeline
from oversight.dashboards.evidence import of_contract
from oversight.dashboards.reports import ballots, proofs
from oversight.dashboards.reports.document import (
    Answer,
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Items,
    Notice,
    Paragraph,
    Prose,
    Report,
    Section,
    Table,
)
from oversight.dashboards.reports.findings import evidence_blocks, evidence_words
from oversight.dashboards.results import result_of
from oversight.dashboards.words import counted, full_stop, lowered
from oversight.registry import condition_words
from oversight.registry.models import Authorisation
from oversight.web.clock import in_words, stamp
from proposals.charter_words import SECRECIES
from proposals.choices import DecisionOutcome, ProposalType
from proposals.decision_words import IMPOSSIBLE, did
from proposals.models import Charter, Contract, Decision, Revision

OUTCOMES = {
    DecisionOutcome.CARRIED: "carried it",
    DecisionOutcome.NOT_CARRIED: "did not carry it",
    DecisionOutcome.TIED: "was tied, so things stay as they are",
    DecisionOutcome.NO_QUORUM: "had no quorum, so nothing was decided",
    DecisionOutcome.ELECTED: "chose among the options",
    DecisionOutcome.NO_VOTES: "cast no valid vote, so nothing was decided",
}
TONES = {DecisionOutcome.CARRIED: "good", DecisionOutcome.ELECTED: "good"}


@translation.override("en")
def report_of(decision: Decision) -> Report:
    """Return the report of a decision, with its proposal, contract and body fetched."""
    return _Account(decision).report()


class _Account:
    """Everything that is read once about a decision, and the parts that are written from it."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.proposal = decision.proposal
        self.contract: Contract = decision.proposal.contract
        self.frozen = self.contract.content
        self.body = decision.proposal.body
        self.text = Revision.objects.get(
            proposal=self.proposal, number=self.frozen["text"]["revision"]
        )
        self.charter = Charter.objects.get(body=self.body, number=self.frozen["charter"]["number"])
        self.evidence = of_contract(self.contract)
        self.result = result_of(decision, self.contract)
        self.events = timeline(self.proposal, {e.run_ref for e in self.evidence if e.run_ref})
        self.effect = [_with_link(line) for line in did(decision)]
        self.statements = list(decision.statements.select_related("author"))
        self.authorisation = (
            Authorisation.objects.filter(decision_ref=decision.ref).with_parts().first()
        )

    def report(self) -> Report:
        """Put the parts in their order."""
        decision = self.decision
        sections = (
            self._outcome(),
            self._text(),
            self._evidence(),
            self._vote(),
            self._course(),
            *([self._said()] if self.statements else []),
            self._verify(),
        )
        return Report(
            about="decision",
            name=decision.ref,
            title=self.text.title,
            lede=self.text.summary,
            state=_state(decision),
            body=self.body.name,
            address=f"{settings.PUBLIC_URL}{decision.get_absolute_url()}",
            language="en",
            as_of=stamp(max(self._moments())),
            summary=self._summary(),
            sections=sections,
        )

    def _at(self, moment: datetime | None) -> str:
        return in_words(moment, self.body.time_zone) if moment else "–"

    def _moments(self) -> Iterable[datetime]:
        yield self.decision.decided_at
        yield from (each.made_at for each in self.statements)
        if self.decision.annulled_at:
            yield self.decision.annulled_at

    # -- One page for everyone ---------------------------------------------------------------

    def _summary(self) -> tuple[Answer, ...]:
        annulled = self.decision.annulment_reason
        found = evidence_words(self.evidence, is_override=self.decision.is_override)
        return (
            Answer("What was it about?", f"{full_stop(self.text.title)} {self.text.summary}"),
            Answer("What was decided?", self._decided_words()),
            Answer("What does that do?", self._effect_words()),
            Answer("What did the evaluations show?", found),
            *([Answer("Does it still stand?", self._annulled_words())] if annulled else []),
            Answer("How can I check this?", proofs.CHECK_WORDS),
        )

    def _decided_words(self) -> str:
        at = self._at(self.decision.decided_at)
        found = f"{self.body.name} {OUTCOMES[DecisionOutcome(self.decision.outcome)]}, {at}: "
        needed = self.result.get("needed")
        words = f"{found}{lowered(self.result['headline'])}."
        return f"{words} Needed: {needed}." if needed else words

    def _effect_words(self) -> str:
        words = " ".join(self.effect) or "Nothing takes effect."
        row = self.authorisation
        if row is None or row.ends_at is None:
            return words
        return f"{words} From {self._at(row.starts_at)} until {self._at(row.ends_at)}."

    def _annulled_words(self) -> str:
        at = self._at(self.decision.annulled_at)
        return f"No: it was annulled, {at}. {full_stop(self.decision.annulment_reason)}"

    # -- The parts ---------------------------------------------------------------------------

    def _outcome(self) -> Section:
        rows = [
            Fact("Decision", Cell(self.decision.ref, href=self.decision.get_absolute_url())),
            Fact("Type", Cell(str(self.proposal.get_type_display()))),
            Fact("Decided by", Cell(self.body.name, href=reverse("body", args=[self.body.slug]))),
            Fact("Proposed by", Cell(str(self.proposal.proposer))),
            Fact("Outcome", _state(self.decision)),
            Fact("Result", Cell(self.result["headline"])),
            Fact("Decided", Cell(self._at(self.decision.decided_at))),
            *self._authorised(),
        ]
        blocks: list[Block] = [*self._notices(), Facts(tuple(rows)), Items(tuple(self.effect))]
        return Section("decision", "The decision", "What was decided and what it does.",
                       tuple(blocks))  # fmt: skip

    def _authorised(self) -> list[Fact]:
        row = self.authorisation
        if row is None:
            return []
        weights = Cell(row.version.digest, is_code=True)
        return [
            Fact("Allows", Cell(f"{row.version} to serve {row.deployment}",
                                href=row.deployment.get_absolute_url())),
            Fact("From", Cell(self._at(row.starts_at))),
            Fact("Until", Cell(self._at(row.ends_at))),
            Fact("State", Cell(str(row.get_state_display()))),
            Fact("Weights", weights),
            *(Fact(label, Cell(said)) for label, said in condition_words.words(row.conditions)),
        ]  # fmt: skip

    def _notices(self) -> list[Block]:
        decision, found = self.decision, []
        if decision.is_annulled:
            at = self._at(decision.annulled_at)
            words = f"{full_stop(decision.annulment_reason)} {at}, by {decision.annulled_by}."
            found.append(Notice("bad", "Annulled: it counts as never made.", words))
        if decision.impossible:
            why = str(IMPOSSIBLE.get(decision.impossible, decision.impossible))
            found.append(Notice("wait", "Carried, but it could not take effect any more.", why))
        if decision.is_override:
            why = self.frozen.get("terms", {}).get("override_reason", "")
            title = "Carried over a criterion that was not shown to be met."
            found.append(Notice("bad", title, why))
        return list(found)

    def _text(self) -> Section:
        blocks: list[Block] = [Prose(self.text.body_markdown)]
        options = self.frozen["options"]
        if self.text.options:
            blocks.append(Items(tuple(str(option) for option in options)))
        files = self.frozen.get("attachments", [])
        if files:
            rows = tuple((Cell(f["digest"], is_code=True), Cell(f"{f['size']:,}")) for f in files)
            columns = (Column("SHA-256"), Column("Bytes", is_numeric=True))
            blocks.append(Table("Files that belong to the text", columns, rows))
        how = f"The text as it was put to the vote: revision {self.text.number}, frozen by digest."
        return Section("text", "The text", how, tuple(blocks))

    def _evidence(self) -> Section:
        how = (
            "Each criterion was on the record before its run was requested. The line is the "
            "criterion; it is met where the whole interval lies on the asked side. Intervals are "
            "at 95\N{NO-BREAK SPACE}%."
        )
        blocks = evidence_blocks(self.evidence, self.body.time_zone)
        return Section("evidence", "The evidence", how, blocks)

    def _vote(self) -> Section:
        kind = ProposalType(self.proposal.type)
        rules = Items(
            tuple(self.charter.rules_for(kind).words(kind)), "What the charter asks of such a vote"
        )
        number = self.charter.number
        at = reverse("charter", args=[self.body.slug, number])
        opens, closes = (self._at(t) for t in (self.contract.opens_at, self.contract.closes_at))
        recused = self.frozen.get("recusals", [])
        held = (
            Fact("Open", Cell(f"{opens} to {self._ended(closes)}")),
            Fact("Charter", Cell(f"number {number} of {self.body.name}", href=at)),
            Fact("Secrecy", Cell(str(SECRECIES[self.frozen["secrecy"]]))),
            Fact("On the roll", Cell(_roll_words(self.frozen["roll"]))),
            *([Fact("Recused", Cell(str(len(recused))))] if recused else []),
        )
        how = "Held under a contract that was frozen when the vote opened. Every number is exact."
        blocks = (*ballots.counted(self.result), Facts(held), *ballots.cast(self.result), rules)
        return Section("vote", "The vote", how, blocks)

    def _ended(self, closes: str) -> str:
        """Return when the vote ended: at its close, or before it and why."""
        if not self.decision.is_early:
            return closes
        ended = self._at(self.decision.decided_at)
        return f"{ended}, early because every member had voted; its close was {closes}"

    def _course(self) -> Section:
        rows = tuple(
            (
                Cell(event["title"], href=event["href"]),
                Cell(self._at(datetime.fromisoformat(event["at"]))),
                Cell(f"{event['act']:,}"),
            )
            for event in self.events
        )
        columns = (Column("Act"), Column("When"), Column("Number", is_numeric=True))
        how = (
            "The acts about this proposal with their numbers on the record; ballots and comments "
            "are left out."
        )
        return Section("course", "How it came about", how, (Table("Acts", columns, rows),))

    def _said(self) -> Section:
        blocks: list[Block] = []
        for each in self.statements:
            kind = str(each.get_kind_display()).capitalize()
            who = "of the body, stated by" if each.kind == "reasons" else "by"
            words = f"{kind} {who} {each.author}, {self._at(each.made_at)}"
            blocks += [Paragraph(words), Prose(each.text)]
        how = "What was put on the record about the decision after it was made, each by name."
        return Section("statements", "Reasons and dissents", how, tuple(blocks))

    def _verify(self) -> Section:
        leaves = [
            ("The decision", self.decision.leaf_id, self.decision.digest),
            ("The contract of the vote", self.contract.leaf_id, self.contract.digest),
            ("The text", self.text.leaf_id, self.text.digest),
            ("The charter", self.charter.leaf_id, self.charter.digest),
        ]
        if self.authorisation:
            leaves.append(("The authorisation", self.authorisation.leaf_id, ""))
        if self.decision.annulment_leaf_id:
            leaves.append(("The annulment", self.decision.annulment_leaf_id, ""))
        blocks = proofs.of(
            leaves,
            receipt_of=self.decision.leaf_id,
            bundle=f"{self.decision.get_absolute_url()}bundle.zip",
        )
        return Section("verify", "How to verify this", proofs.HOW_TO_READ, blocks)


def _state(decision: Decision) -> Cell:
    if decision.is_annulled:
        return Cell(f"{decision.get_outcome_display()}, annulled since", tone="bad")
    outcome = DecisionOutcome(decision.outcome)
    return Cell(str(outcome.label), tone=TONES.get(outcome, "wait"))


def _roll_words(roll: list[dict[str, Any]]) -> str:
    weight = sum(entry["weight"] for entry in roll)
    words = counted(len(roll), "member", "members")
    return words if weight == len(roll) else f"{words} with {weight:,} votes"


def _with_link(line: Any) -> str:
    return f"{line.text} {line.link}." if line.href else line.text
