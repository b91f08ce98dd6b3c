"""What the report of a decision says."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

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
from oversight.dashboards.words import full_stop, lowered, members_in_words, standing_words
from oversight.registry import condition_words
from oversight.registry.models import Authorisation
from oversight.web.clock import in_words, stamp
from oversight.web.figures import MISSING, grouped, percent
from oversight.web.written import Told, Written
from proposals.charter_words import SECRECIES
from proposals.choices import DecisionOutcome, ProposalType, StatementKind
from proposals.decision_words import IMPOSSIBLE, did
from proposals.models import Charter, Contract, Decision, Revision

OUTCOMES = {
    DecisionOutcome.CARRIED: gettext_lazy("%(body)s carried it, %(at)s: %(result)s."),
    DecisionOutcome.NOT_CARRIED: gettext_lazy("%(body)s did not carry it, %(at)s: %(result)s."),
    DecisionOutcome.TIED: gettext_lazy(
        "%(body)s was tied, so things stay as they are, %(at)s: %(result)s."
    ),
    DecisionOutcome.NO_QUORUM: gettext_lazy(
        "%(body)s had no quorum, so nothing was decided, %(at)s: %(result)s."
    ),
    DecisionOutcome.ELECTED: gettext_lazy("%(body)s chose among the options, %(at)s: %(result)s."),
    DecisionOutcome.NO_VOTES: gettext_lazy(
        "%(body)s cast no valid vote, so nothing was decided, %(at)s: %(result)s."
    ),
}
SAID = {
    StatementKind.REASONS: gettext_lazy("Reasons of the body, stated by %(author)s, %(at)s"),
    StatementKind.EXPLANATION: gettext_lazy("Explanation of vote by %(author)s, %(at)s"),
    StatementKind.DISSENT: gettext_lazy("Dissent by %(author)s, %(at)s"),
}
TONES = {DecisionOutcome.CARRIED: "good", DecisionOutcome.ELECTED: "good"}


def report_of(decision: Decision) -> Report:
    """Return the report of a decision in the language that is spoken.

    With its proposal, contract and body fetched.
    """
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
            title=self._own(self.text.title),
            lede=self._own(self.text.summary),
            state=_state(decision),
            body=self.body.name,
            address=f"{settings.PUBLIC_URL}{decision.get_absolute_url()}",
            language=get_language() or settings.LANGUAGE_CODE,
            as_of=stamp(max(self._moments())),
            summary=self._summary(),
            sections=sections,
        )

    def _at(self, moment: datetime | None) -> str:
        return in_words(moment, self.body.time_zone) if moment else MISSING

    def _own(self, words: str) -> Written:
        """Return words of the proposal, which are in its language."""
        return Written(words, self.proposal.written_in)

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
            Answer(
                _("What was it about?"),
                self._own(f"{full_stop(self.text.title)} {self.text.summary}"),
            ),
            Answer(_("What was decided?"), self._decided_words()),
            Answer(_("What does that do?"), self._effect_words()),
            Answer(_("What did the evaluations show?"), found),
            *([Answer(_("Does it still stand?"), self._annulled_words())] if annulled else []),
            Answer(_("How can I check this?"), str(proofs.CHECK_WORDS)),
        )

    def _decided_words(self) -> str:
        words = OUTCOMES[DecisionOutcome(self.decision.outcome)] % {
            "body": self.body.name,
            "at": self._at(self.decision.decided_at),
            "result": lowered(self.result["headline"]),
        }
        needed = self.result.get("needed")
        return f"{words} {_('Needed: %(needed)s.') % {'needed': needed}}" if needed else str(words)

    def _effect_words(self) -> str:
        words = " ".join(self.effect) or _("Nothing takes effect.")
        row = self.authorisation
        if row is None or row.ends_at is None:
            return words
        span = _("From %(start)s until %(end)s.")
        ends = {"start": self._at(row.starts_at), "end": self._at(row.ends_at)}
        return f"{words} {span % ends}"

    def _annulled_words(self) -> str:
        words = _("No: it was annulled, %(at)s.") % {"at": self._at(self.decision.annulled_at)}
        reason = Written(full_stop(self.decision.annulment_reason), self.body.language)
        return Told("%(words)s %(reason)s", words=words, reason=reason)

    # -- The parts ---------------------------------------------------------------------------

    def _outcome(self) -> Section:
        rows = [
            Fact(_("Decision"), Cell(self.decision.ref, href=self.decision.get_absolute_url())),
            Fact(_("Type"), Cell(str(self.proposal.get_type_display()))),
            Fact(pgettext("a body", "Decided by"), Cell(self.body.name, href=self._body_page())),
            Fact(_("Proposed by"), Cell(str(self.proposal.proposer))),
            Fact(_("Outcome"), _state(self.decision)),
            Fact(_("Result"), Cell(self.result["headline"])),
            Fact(pgettext("at a time", "Decided"), Cell(self._at(self.decision.decided_at))),
            *self._authorised(),
        ]
        blocks: list[Block] = [*self._notices(), Facts(tuple(rows)), Items(tuple(self.effect))]
        how = _("What was decided and what it does.")
        return Section("decision", _("The decision"), how, tuple(blocks))

    def _body_page(self) -> str:
        return reverse("body", args=[self.body.slug])

    def _authorised(self) -> list[Fact]:
        row = self.authorisation
        if row is None:
            return []
        allows = _("%(version)s to serve %(deployment)s") % {
            "version": row.version,
            "deployment": row.deployment,
        }
        return [
            Fact(_("Allows"), Cell(allows, href=row.deployment.get_absolute_url())),
            Fact(_("From"), Cell(self._at(row.starts_at))),
            Fact(_("Until"), Cell(self._at(row.ends_at))),
            Fact(_("State"), Cell(standing_words(row, timezone.now()))),
            Fact(_("Weights"), Cell(row.version.digest, is_code=True)),
            *(Fact(label, Cell(said)) for label, said in condition_words.words(row.conditions)),
        ]

    def _notices(self) -> list[Block]:
        decision, found = self.decision, []
        if decision.is_annulled:
            by = _("%(at)s, by %(who)s.") % {
                "at": self._at(decision.annulled_at),
                "who": decision.annulled_by,
            }
            reason = Written(full_stop(decision.annulment_reason), self.body.language)
            words = Told("%(reason)s %(by)s", reason=reason, by=by)
            found.append(Notice("bad", _("Annulled: it counts as never made."), words))
        if decision.impossible:
            why = str(IMPOSSIBLE.get(decision.impossible, decision.impossible))
            title = _("Carried, but it could not take effect any more.")
            found.append(Notice("wait", title, why))
        if decision.is_override:
            why = self._own(self.frozen.get("terms", {}).get("override_reason", ""))
            title = _("Carried over a criterion that was not shown to be met.")
            found.append(Notice("bad", title, why))
        return list(found)

    def _text(self) -> Section:
        blocks: list[Block] = [Prose(self._own(self.text.body_markdown))]
        options = self.frozen["options"]
        if self.text.options:
            blocks.append(Items(tuple(self._own(str(option)) for option in options)))
        files = self.frozen.get("attachments", [])
        if files:
            rows = tuple((Cell(f["digest"], is_code=True), Cell(grouped(f["size"]))) for f in files)
            columns = (Column("SHA-256"), Column(_("Bytes"), is_numeric=True))
            blocks.append(Table(_("Files that belong to the text"), columns, rows))
        how = _("The text as it was put to the vote: revision %(number)s, frozen by digest.")
        return Section("text", _("The text"), how % {"number": self.text.number}, tuple(blocks))

    def _evidence(self) -> Section:
        how = _(
            "Each criterion was on the record before its run was requested. The line is the "
            "criterion; it is met where the whole interval lies on the asked side. Intervals are "
            "at %(share)s."
        )
        blocks = evidence_blocks(self.evidence, self.body.time_zone)
        return Section("evidence", _("The evidence"), how % {"share": percent(0.95)}, blocks)

    def _vote(self) -> Section:
        kind = ProposalType(self.proposal.type)
        rules = Items(
            tuple(self.charter.rules_for(kind).words(kind)),
            _("What the charter asks of such a vote"),
        )
        number = self.charter.number
        at = reverse("charter", args=[self.body.slug, number])
        recused = self.frozen.get("recusals", [])
        charter = _("number %(number)s of %(body)s") % {"number": number, "body": self.body.name}
        held = (
            Fact(_("Open"), Cell(self._span_of_the_vote())),
            Fact(_("Charter"), Cell(charter, href=at)),
            Fact(_("Secrecy"), Cell(str(SECRECIES[self.frozen["secrecy"]]))),
            Fact(_("On the roll"), Cell(_roll_words(self.frozen["roll"]))),
            *([Fact(_("Recused"), Cell(grouped(len(recused))))] if recused else []),
        )
        how = _(
            "Held under a contract that was frozen when the vote opened. Every number is exact."
        )
        blocks = (*ballots.counted(self.result), Facts(held), *ballots.cast(self.result), rules)
        return Section("vote", _("The vote"), how, blocks)

    def _span_of_the_vote(self) -> str:
        """Return from when to when the vote was open: to its close, or ended before it and why."""
        opens, closes = (self._at(t) for t in (self.contract.opens_at, self.contract.closes_at))
        words = (
            _(
                "%(start)s to %(end)s, early because every member had voted; its close was "
                "%(closes)s"
            )
            if self.decision.is_early
            else _("%(start)s to %(closes)s")
        )
        ended = self._at(self.decision.voting_ended_at)
        return words % {"start": opens, "end": ended, "closes": closes}

    def _course(self) -> Section:
        rows = tuple(
            (
                Cell(event["title"], href=event["href"]),
                Cell(self._at(datetime.fromisoformat(event["at"]))),
                Cell(grouped(event["act"])),
            )
            for event in self.events
        )
        how = _(
            "The acts about this proposal with their numbers on the record; ballots and comments "
            "are left out."
        )
        return Section("course", _("How it came about"), how, (proofs.acts(rows),))

    def _said(self) -> Section:
        blocks: list[Block] = []
        for each in self.statements:
            words = SAID[StatementKind(each.kind)]
            named = {"author": each.author, "at": self._at(each.made_at)}
            blocks += [Paragraph(words % named), Prose(Written(each.text, each.written_in))]
        how = _("What was put on the record about the decision after it was made, each by name.")
        return Section("statements", _("Reasons and dissents"), how, tuple(blocks))

    def _verify(self) -> Section:
        leaves = [
            (_("The decision"), self.decision.leaf_id, self.decision.digest),
            (_("The contract of the vote"), self.contract.leaf_id, self.contract.digest),
            (_("The text"), self.text.leaf_id, self.text.digest),
            (_("The charter"), self.charter.leaf_id, self.charter.digest),
        ]
        if self.authorisation:
            leaves.append((_("The authorisation"), self.authorisation.leaf_id, ""))
        if self.decision.annulment_leaf_id:
            leaves.append((_("The annulment"), self.decision.annulment_leaf_id, ""))
        blocks = proofs.of(
            leaves,
            receipt_of=self.decision.leaf_id,
            bundle=f"{self.decision.get_absolute_url()}bundle.zip",
        )
        return Section("verify", _("How to verify this"), str(proofs.HOW_TO_READ), blocks)


def _state(decision: Decision) -> Cell:
    if decision.is_annulled:
        words = _("%(outcome)s, annulled since") % {"outcome": decision.get_outcome_display()}
        return Cell(words, tone="bad")
    outcome = DecisionOutcome(decision.outcome)
    return Cell(str(outcome.label), tone=TONES.get(outcome, "wait"))


def _roll_words(roll: list[dict[str, Any]]) -> str:
    weight = sum(entry["weight"] for entry in roll)
    words = members_in_words(len(roll))
    if weight == len(roll):
        return words
    votes = ngettext("%(number)s vote", "%(number)s votes", weight) % {"number": grouped(weight)}
    return _("%(members)s with %(votes)s") % {"members": words, "votes": votes}


def _with_link(line: Any) -> str:
    return f"{line.text} {line.link}." if line.href else line.text
