"""Proposals in the network API: lists, drafting, criteria, stages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import django_filters
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.choices import Comparison
from evals.criteria import as_contract_rows
from evals.models import SuiteVersion
from oversight.accounts.choices import Scope
from oversight.accounts.models import Body
from oversight.accounts.permissions import Public, reader, writes
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.inputs import checked, named_row
from oversight.web.refusals import Invalid
from oversight.web.written_inputs import OF_TEXT, language_input
from proposals.choices import ProposalType, Status
from proposals.evaluating import start_evaluations
from proposals.models import Decision, Proposal
from proposals.papers import MAX_OPTION_CHARACTERS, MAX_OPTIONS
from proposals.readiness import judgements_of, standing_supports
from proposals.services import closing, drafting, scheduling, stages, voting
from proposals.tally.quorum import QuorumBase
from proposals.titles import titled
from proposals.turnout import turnout


class QuorumSoFarOutput(serializers.Serializer[Any]):
    """What the quorum asks and what is there of it; every number is a text, as in a tally sheet."""

    fraction = serializers.CharField(help_text="Of the base, that must have taken part.")
    base = serializers.ChoiceField([each.value for each in QuorumBase])
    whole = serializers.CharField(help_text="What the base comes to.")
    needed = serializers.CharField()
    present = serializers.CharField()
    met = serializers.BooleanField()


class TurnoutOutput(serializers.Serializer[Any]):
    """How many have taken part in a vote so far; never how they voted."""

    roll = serializers.IntegerField(help_text="Members who could; the recused are not among them.")
    voted = serializers.IntegerField(help_text="Of these, by a ballot of their own.")
    carried = serializers.IntegerField(help_text="Of these, by a delegate's ballot alone.")
    quorum = QuorumSoFarOutput(source="quorum.as_json")


class ProposalOutput(serializers.ModelSerializer[Proposal]):
    """One proposal in a list."""

    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True)
    title = serializers.SerializerMethodField()
    language = serializers.CharField(source="written_in", read_only=True, help_text=OF_TEXT)
    deployment = serializers.SlugRelatedField[Deployment](
        slug_field="slug", read_only=True, allow_null=True
    )
    version = serializers.SlugRelatedField[ModelVersion](
        slug_field="digest", read_only=True, allow_null=True
    )
    closes_at = serializers.DateTimeField(
        source="contract.closes_at", default=None, read_only=True, allow_null=True
    )
    casting_until = serializers.DateTimeField(
        source="contract.casting_until",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="Until when a tie waits, or waited, for the chair; no ballots meanwhile.",
    )
    outcome = serializers.CharField(
        source="decision.outcome", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = Proposal
        fields = [
            "ref",
            "body",
            "type",
            "status",
            "title",
            "language",
            "deployment",
            "version",
            "target_ref",
            "origin",
            "drafted_at",
            "vote_opens_at",
            "closes_at",
            "casting_until",
            "outcome",
        ]

    def get_title(self, row: Proposal) -> str:
        """Return the newest revision's title, fetched with the rows of a list."""
        return getattr(row, "shown_title", None) or row.title


class ProposalDetailOutput(ProposalOutput):
    """One proposal with text, criteria and, once opened, the decision contract."""

    text = serializers.SerializerMethodField()
    criteria = serializers.SerializerMethodField()
    contract = serializers.SerializerMethodField()
    turnout = serializers.SerializerMethodField()
    attachments = serializers.SerializerMethodField()
    support = serializers.SerializerMethodField()

    class Meta(ProposalOutput.Meta):
        fields = [
            *ProposalOutput.Meta.fields,
            *("text", "criteria", "contract", "turnout", "attachments", "support"),
        ]

    def get_text(self, row: Proposal) -> dict[str, Any]:
        """Return the newest revision."""
        text = row.text
        return {
            "revision": text.number,
            "title": text.title,
            "summary": text.summary,
            "markdown": text.body_markdown,
            "digest": text.digest,
            "options": text.options,
            "seats": text.seats,
            "terms": text.terms,
        }

    def get_criteria(self, row: Proposal) -> list[dict[str, Any]]:
        """Return each criterion with its outcome so far."""
        return as_contract_rows(judgements_of(row))

    def get_attachments(self, row: Proposal) -> list[dict[str, Any]]:
        """Return the files that stand beside the text, without their contents."""
        files = row.attachments.filter(removed_at=None).select_related("artefact")
        return [
            {"id": each.pk, "name": each.name, "size": each.artefact.size, "digest": each.digest}
            for each in files
        ]

    def get_support(self, row: Proposal) -> list[str]:
        """Return the members who stand behind the proposal now."""
        return [
            each.membership.actor for each in standing_supports(row).select_related("membership")
        ]

    def get_contract(self, row: Proposal) -> dict[str, Any] | None:
        """Return the frozen contract with its digest."""
        contract = getattr(row, "contract", None)
        return {"digest": contract.digest, **contract.content} if contract else None

    @extend_schema_field(TurnoutOutput(allow_null=True))
    def get_turnout(self, row: Proposal) -> dict[str, Any] | None:
        """Return how many have taken part, as the page of a vote shows it."""
        contract = getattr(row, "contract", None)
        return dict(TurnoutOutput(turnout(contract)).data) if contract else None


class ProposalInput(serializers.Serializer[Any]):
    """A proposal to draft."""

    body = serializers.SlugField()
    type = serializers.ChoiceField(ProposalType.choices)
    title = serializers.CharField(max_length=160)
    summary = serializers.CharField(max_length=400)
    text = serializers.CharField(max_length=100_000)
    options = serializers.ListField(
        child=serializers.CharField(max_length=MAX_OPTION_CHARACTERS),
        max_length=MAX_OPTIONS,
        required=False,
        help_text="For an election: what can be chosen.",
    )
    seats = serializers.IntegerField(required=False, min_value=1, max_value=MAX_OPTIONS)
    deployment = serializers.SlugField(required=False)
    version = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z", required=False)
    terms = serializers.DictField(
        required=False, help_text="What it would do as data: conditions, a charter, criteria."
    )
    target = serializers.RegexField(
        r"\A[0-9]{4}-[0-9]{1,6}\Z",
        required=False,
        help_text="The earlier decision that it renews, suspends, ends or annuls.",
    )
    language = language_input("Of the text; the body's where none is named.")


class CriterionInput(serializers.Serializer[Any]):
    """A criterion to put on the record."""

    suite = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z", help_text="Suite version's digest.")
    task = serializers.CharField(max_length=80)
    metric = serializers.CharField(max_length=60)
    comparison = serializers.ChoiceField(Comparison.choices)
    threshold = serializers.DecimalField(
        max_digits=12, decimal_places=6, help_text="Of `not_worse`: the margin, 0 or more."
    )
    beside = serializers.RegexField(
        r"\Asha256:[0-9a-f]{64}\Z",
        required=False,
        help_text="Of `not_worse`: digest of the version that it must not be worse than.",
    )
    must_pass = serializers.BooleanField(default=True)


class EvaluationsOutput(serializers.Serializer[Any]):
    """The runs that were queued."""

    runs = serializers.ListField(child=serializers.CharField())


class StageInput(serializers.Serializer[Any]):
    """The next step of a proposal."""

    act = serializers.ChoiceField(
        [
            "deliberate",
            "fix-text",
            "reopen",
            "open-vote",
            "schedule-vote",
            "close",
            "withdraw",
            "annul",
        ]
    )
    opens_at = serializers.DateTimeField(
        required=False, help_text="For schedule-vote: when the clock opens it."
    )
    closes_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=1000, required=False, default="")


class CriterionOutput(serializers.Serializer[Any]):
    """A criterion on the record: what it asks, and its leaf."""

    asked = serializers.CharField()
    leaf = serializers.UUIDField()


class ProposalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`?status=`, `?body=`, `?type=`."""

    body = django_filters.CharFilter(field_name="body__slug")
    status = django_filters.ChoiceFilter(choices=Status.choices)
    type = django_filters.ChoiceFilter(choices=ProposalType.choices)

    class Meta:
        model = Proposal
        fields = ["status", "body", "type"]


class ProposalList(generics.ListAPIView[Proposal]):
    """Proposals the caller may see, newest first; members draft one with POST."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]
    serializer_class = ProposalOutput
    filterset_class = ProposalFilter
    queryset = Proposal.objects.none()

    def get_queryset(self) -> Any:
        """Return what the caller may see."""
        user = reader(self.request, Scope.PROPOSALS_WRITE)
        seen = Proposal.objects.visible_to(user).with_parts()
        return titled(seen).newest_first()

    @extend_schema(request=ProposalInput, responses={201: ProposalDetailOutput})
    def post(self, request: Request) -> Response:
        """Draft a proposal."""
        data = checked(ProposalInput, request)
        data["body"] = named_row(Body, "body", slug=data["body"])
        data["type"] = ProposalType(data["type"])
        if "deployment" in data:
            data["deployment"] = named_row(Deployment, "deployment", slug=data["deployment"])
        if "version" in data:
            data["version"] = named_row(ModelVersion, "version", digest=data["version"])
        if "target" in data:
            data["target"] = named_row(Decision, "target", proposal__ref=data["target"])
        proposal = drafting.draft_proposal(by=request.user, **data)  # type: ignore[arg-type]
        return Response(ProposalDetailOutput(proposal).data, status=status.HTTP_201_CREATED)


class ProposalView(APIView):
    """Base of addresses below one proposal."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]

    def proposal(self, ref: str) -> Proposal:
        """Return the proposal if the caller may see it, else 404."""
        user = reader(self.request, Scope.PROPOSALS_WRITE)
        visible = Proposal.objects.visible_to(user).with_parts()
        return get_object_or_404(visible, ref=ref)


class ProposalDetail(ProposalView):
    """One proposal."""

    permission_classes = [Public]

    @extend_schema(responses=ProposalDetailOutput)
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return text, criteria with outcomes, and the contract."""
        return Response(ProposalDetailOutput(self.proposal(ref)).data)


class Criteria(ProposalView):
    """`POST`: put a criterion on the record."""

    @extend_schema(request=CriterionInput, responses={201: CriterionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Attach a criterion before the final text."""
        proposal, data = self.proposal(ref), checked(CriterionInput, request)
        criterion = drafting.attach_criterion(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            suite_version=named_row(SuiteVersion, "suite", digest=data["suite"]),
            task_name=data["task"],
            metric=data["metric"],
            comparison=Comparison(data["comparison"]),
            threshold=data["threshold"],
            beside=(
                named_row(ModelVersion, "beside", digest=data["beside"])
                if "beside" in data
                else None
            ),
            must_pass=data["must_pass"],
        )
        return Response({"asked": criterion.asked, "leaf": str(criterion.leaf_id)}, status=201)


class Evaluations(ProposalView):
    """`POST`: start the evaluations that the criteria ask for."""

    @extend_schema(request=None, responses={201: EvaluationsOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Queue a run for every suite; 409 where the budget of the body is spent."""
        started = start_evaluations(by=request.user, proposal=self.proposal(ref))  # type: ignore[arg-type]
        answer = {"runs": [run.ref for run in started]}
        return Response(EvaluationsOutput(answer).data, status=status.HTTP_201_CREATED)


class Stage(ProposalView):
    """`POST`: move the proposal to its next stage."""

    @extend_schema(request=StageInput, responses={200: ProposalDetailOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Move a stage, open, close or annul the vote, or withdraw."""
        proposal, data = self.proposal(ref), checked(StageInput, request)
        who: dict[str, Any] = {"by": request.user, "proposal": proposal}
        acts: dict[str, Callable[[], object]] = {
            "deliberate": lambda: stages.open_deliberation(**who),
            "fix-text": lambda: stages.fix_text(**who),
            "reopen": lambda: stages.reopen_deliberation(**who),
            "open-vote": lambda: voting.open_vote(**who, closes_at=data.get("closes_at")),
            "schedule-vote": lambda: scheduling.schedule_vote(
                **who, opens_at=_opens_at(data), closes_at=data.get("closes_at")
            ),
            "close": lambda: closing.close_vote(**who),
            "withdraw": lambda: stages.withdraw(**who, reason=data["reason"]),
            "annul": lambda: stages.annul_vote(**who, reason=data["reason"]),
        }
        acts[data["act"]]()
        return Response(ProposalDetailOutput(self.proposal(ref)).data)


def _opens_at(data: dict[str, Any]) -> datetime:
    """Return when the vote is to open; raises Invalid where that is not said."""
    if "opens_at" not in data:
        raise Invalid("Say when the vote opens.", fields={"opens_at": "Missing."})
    found: datetime = data["opens_at"]
    return found
