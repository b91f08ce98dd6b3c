"""The steps of the worked example, from weights on disk to a decision in force."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from django.urls import reverse

from evals.choices import Comparison, Outcome, RunState
from evals.models import Criterion, Run, SuiteVersion
from evals.services.runs import request_run
from evals.services.suites import publish_suite
from evals.suites.library import load_library
from evals.waiting import SAY_SECONDS, wait_for
from oversight.ledger.services import wait_for_receipt
from oversight.registry import gate
from oversight.registry.manifest import manifest_of
from oversight.registry.models import Deployment, Description, Endpoint, ModelVersion
from oversight.registry.origin import card_of
from oversight.registry.services import (
    describe,
    register_deployment,
    register_endpoint,
    register_version,
)
from proposals.choices import Answer, ProposalType, Side, StatementKind, Status
from proposals.example import descriptions, texts
from proposals.example.people import Cast
from proposals.models import Ballot, Decision, Minutes, Proposal
from proposals.services import (
    arguments,
    casting,
    closing,
    discussion,
    drafting,
    minutes,
    opinions,
    stages,
    statements,
    voting,
)

ENDPOINT, DEPLOYMENT = "town-endpoint", "town-helpdesk"
MODEL, LABEL = "smollm2-135m-instruct", "q4-1"
Say = Callable[[str, str], None]


class WalkFailed(RuntimeError):  # noqa: N818 - says what did not happen
    """A step did not end as it must; the message says which and why."""


@dataclass
class Walk:
    """One pass over the steps; `say(what, path)` is told each one as it completes."""

    cast: Cast
    say: Say

    def take(self, model_directory: Path) -> Decision:
        """Take every step that is still to be taken and return the decision.

        Raises:
            WalkFailed: an evaluation failed, or the decision was not carried.
        """
        version = self._register(model_directory)
        deployment = self._deploy()
        self._describe(version, deployment)
        suite = self._publish()
        proposal = self._propose(version, deployment)
        self._ask(proposal, suite)
        self._evaluate(proposal, suite, version)
        self._deliberate(proposal)
        self._vote(proposal)
        decision = self._decide(proposal)
        self._check_gate(decision, version, deployment)
        return decision

    def _register(self, directory: Path) -> ModelVersion:
        manifest = manifest_of(directory)
        version = ModelVersion.objects.filter(digest=manifest.digest).first()
        if version is None:
            version = register_version(
                by=self.cast.operator,
                model_slug=MODEL,
                label=LABEL,
                manifest=manifest.as_json(),
                model_name="SmolLM2 135M Instruct",
                developer="Hugging Face",
                summary=texts.MODEL_SUMMARY,
                licence="Apache-2.0",
                card=card_of(directory),
                source={"kind": "directory", "path": str(directory)},
            )
        self.say(f"Registered {version}, {version.digest[:23]}…", version.model.get_absolute_url())
        return version

    def _deploy(self) -> Deployment:
        by = self.cast.operator
        endpoint = Endpoint.objects.filter(slug=ENDPOINT).first() or register_endpoint(
            by=by,
            slug=ENDPOINT,
            name="Town endpoint",
            operator=self.cast.computing_centre,
            base_url="https://llm.example.org/v1",
        )
        deployment = Deployment.objects.filter(slug=DEPLOYMENT).first() or register_deployment(
            by=by,
            slug=DEPLOYMENT,
            name="Town helpdesk",
            endpoint=endpoint,
            purpose="Answers simple questions about opening hours, forms and fees.",
            audience="Everyone in town",
        )
        self.say("Registered the deployment it is meant for", deployment.get_absolute_url())
        return deployment

    def _describe(self, version: ModelVersion, deployment: Deployment) -> None:
        """Say of model, use and endpoint what registers ask for, where nothing is said yet."""
        served = descriptions.ENDPOINT | {"version": version.digest}
        for what, document in (
            (version, descriptions.MODEL),
            (deployment, descriptions.USE),
            (deployment.endpoint, served),
        ):
            if not Description.objects.about(what.subject).exists():
                describe(by=self.cast.operator, what=what, document=document)
        self.say(
            "Described all three in the fields of public registers",
            reverse("deployment-registers", args=[deployment.slug]),
        )

    def _publish(self) -> SuiteVersion:
        library = load_library("public-service")
        version, _ = publish_suite(
            by=self.cast.evaluator, document=dict(library.document), files=library.files
        )
        items = sum(task["data"]["rows"] for task in version.tasks)
        self.say(
            f"Published the suite “{version.suite.title}”, {items} items in "
            f"{len(version.tasks)} tasks",
            version.get_absolute_url(),
        )
        return version

    def _propose(self, version: ModelVersion, deployment: Deployment) -> Proposal:
        proposal = Proposal.objects.filter(
            body=self.cast.body, version=version, deployment=deployment
        ).first()
        if proposal is None:
            proposal = drafting.draft_proposal(
                by=self.cast.chair,
                body=self.cast.body,
                type=ProposalType.AUTHORISE,
                title=texts.TITLE,
                summary=texts.SUMMARY,
                text=texts.TEXT,
                deployment=deployment,
                version=version,
            )
        if proposal.status == Status.DRAFT:
            proposal = stages.open_deliberation(by=self.cast.chair, proposal=proposal)
        self.say(f"Proposed {proposal.ref}: {proposal.title}", proposal.get_absolute_url())
        return proposal

    def _ask(self, proposal: Proposal, suite: SuiteVersion) -> None:
        recorded = Criterion.objects.about(proposal.subject).count()
        if not recorded and proposal.status == Status.DELIBERATION:
            for task, comparison, threshold, must_pass in texts.CRITERIA:
                drafting.attach_criterion(
                    by=self.cast.chair,
                    proposal=proposal,
                    suite_version=suite,
                    task_name=task,
                    metric=suite.task(task)["metric"],
                    comparison=Comparison(comparison),
                    threshold=threshold,
                    must_pass=must_pass,
                )
        number = Criterion.objects.about(proposal.subject).count()
        self.say(
            f"Put {number} criteria on the record, before any evaluation",
            f"{proposal.get_absolute_url()}#evidence",
        )

    def _evaluate(self, proposal: Proposal, suite: SuiteVersion, version: ModelVersion) -> None:
        runs = Run.objects.filter(purpose=proposal.subject, suite_version=suite).newest_first()
        run = runs.exclude(state__in=[RunState.FAILED, RunState.CANCELLED]).first()
        if run is None:
            run = request_run(
                by=self.cast.evaluator,
                suite_version=suite,
                model_version=version,
                purpose=proposal.subject,
                body=proposal.body,
            )
        if run.is_active:
            self.say("Queued the evaluation; it takes minutes, watch it", run.get_absolute_url())
            run = wait_for(run, say=self._tell_tasks())
        if run.state != RunState.SUCCEEDED:
            raise WalkFailed(f"The evaluation {run.ref} {run.get_state_display()}: {run.reason}")
        self.say("Evaluated by a worker, signed, recomputed and accepted", run.get_absolute_url())

    def _tell_tasks(self) -> Callable[[str], None]:
        """Return what tells when a task is finished, and what was counted if that takes long."""
        told, told_at = "", time.monotonic()

        def tell(line: str) -> None:
            nonlocal told, told_at
            progress = line.partition(": ")[2]
            finished, now = progress.partition(";")[0], time.monotonic()
            if finished != told or now - told_at >= SAY_SECONDS:
                self.say(f"… {progress if finished == told else finished}", "")
                told, told_at = finished, now

        return tell

    def _deliberate(self, proposal: Proposal) -> None:
        if not proposal.comments.exists() and proposal.status == Status.DELIBERATION:
            first = discussion.make_comment(
                by=self.cast.members[4], proposal=proposal, text=texts.QUESTION
            )
            discussion.make_comment(
                by=self.cast.chair, proposal=proposal, text=texts.ANSWER, parent=first
            )
        self._argue(proposal)
        proposal.refresh_from_db()
        if proposal.status == Status.DELIBERATION:
            stages.fix_text(by=self.cast.clerk, proposal=proposal)
        self.say("Deliberated; the text is final", f"{proposal.get_absolute_url()}#discussion")

    def _argue(self, proposal: Proposal) -> None:
        """Put arguments and statements beside the text, each with who stands behind it."""
        if proposal.arguments.exists() or proposal.status != Status.DELIBERATION:
            return
        members = self.cast.members
        for side, text, author, supporters in texts.REASONS:
            made = arguments.make_argument(
                by=members[author], proposal=proposal, side=Side(side), text=text
            )
            for place in supporters:
                arguments.support_argument(by=members[place], argument=made)
        for text, author, answers in texts.STATEMENTS:
            stated = opinions.make_statement(by=members[author], proposal=proposal, text=text)
            for member, answer in zip(members, answers, strict=True):
                opinions.give_opinion(by=member, statement=stated, answer=Answer(answer))

    def _vote(self, proposal: Proposal) -> None:
        proposal.refresh_from_db()
        if proposal.status == Status.FINAL_TEXT:
            voting.open_vote(by=self.cast.clerk, proposal=proposal)
        proposal.refresh_from_db()
        if proposal.status == Status.VOTING:
            ballots = [
                casting.cast_ballot(by=member, proposal=proposal, choice=choice)
                for member, choice in zip(self.cast.members, texts.VOTES, strict=True)
            ]
            self._require_receipts(ballots)
        self.say(
            f"Voted: {len(texts.VOTES)} ballots, each with its receipt",
            reverse("decision-contract", args=[proposal.ref]),
        )

    def _require_receipts(self, ballots: list[Ballot]) -> None:
        for ballot in ballots:
            if wait_for_receipt(ballot.leaf_id, timeout_seconds=15) is None:
                raise WalkFailed("A ballot got no receipt: the log's sequencer does not answer.")

    def _decide(self, proposal: Proposal) -> Decision:
        proposal = Proposal.objects.get(pk=proposal.pk)
        if proposal.status == Status.VOTING:
            closing.close_vote(by=self.cast.clerk, proposal=proposal)
            proposal = Proposal.objects.get(pk=proposal.pk)
        decision = proposal.decision
        self.say(f"Decided: {decision.get_outcome_display().lower()}", decision.get_absolute_url())
        if decision.outcome != "carried":
            raise WalkFailed(f"The example's vote ended {decision.get_outcome_display().lower()}.")
        self._minute(decision)
        return decision

    def _minute(self, decision: Decision) -> None:
        """State the body's reasons, and adopt the minutes of the day."""
        clerk, body = self.cast.clerk, self.cast.body
        if not decision.statements.exists():
            statements.make_statement(
                by=clerk, decision=decision, kind=StatementKind.REASONS, text=_why(decision)
            )
        kept = Minutes.objects.filter(body=body).first()
        if kept is None:
            day = decision.decided_at.astimezone(ZoneInfo(body.time_zone)).date()
            drafted = minutes.draft_minutes(by=clerk, body=body, starts_on=day, ends_on=day)
            kept = minutes.adopt_minutes(by=clerk, minutes=drafted)
        self.say("Minuted, with the reasons of the council", kept.get_absolute_url())

    def _check_gate(
        self, decision: Decision, version: ModelVersion, deployment: Deployment
    ) -> None:
        answer = gate.answer(subject=version.digest, deployment_slug=deployment.slug)
        if not answer.allowed:
            raise WalkFailed(f"The gate refuses what was decided: {answer.reason}")
        query = f"?subject={version.digest}&deployment={deployment.slug}"
        self.say("The gate allows exactly these weights there", reverse("api-gate") + query)
        found = wait_for_receipt(decision.leaf_id, timeout_seconds=15)
        if found is None:
            raise WalkFailed("The decision got no receipt: the log's sequencer does not answer.")
        self.say(
            f"Published: act {found.index} of {found.tree_size} on the record",
            reverse("record-entry", args=[found.index]),
        )


def _why(decision: Decision) -> str:
    """Return the council's reasons, which name what was asked for and not shown."""
    criteria = decision.proposal.contract.content["criteria"]
    suites = SuiteVersion.objects.in_bulk({row["suite"] for row in criteria}, field_name="digest")
    titles = [
        suites[row["suite"]].task(row["task"])["title"].lower()
        for row in criteria
        if row["outcome"] != Outcome.MET
    ]
    return texts.WHY + (texts.NOT_SHOWN.format(titles=", ".join(titles)) if titles else "")
