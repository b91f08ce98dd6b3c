"""Proposals and decisions in the network API, over the same services as the pages."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from evals.choices import Comparison
from evals.criteria import as_contract_rows
from evals.models import SuiteVersion
from oversight.accounts.choices import Scope
from oversight.accounts.models import Body, Membership
from oversight.accounts.permissions import Public, reader, writes
from oversight.ledger import services as ledger
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.inputs import checked, named_row
from proposals.choices import ProposalType, Status
from proposals.models import Comment, Decision, Proposal
from proposals.papers import MAX_OPTION_CHARACTERS, MAX_OPTIONS, MAX_REASON_CHARACTERS
from proposals.readiness import judgements_of
from proposals.services import closing, discussion, drafting, roll, stages, voting


class ProposalOutput(serializers.ModelSerializer[Proposal]):
    """One proposal in a list."""

    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True)
    title = serializers.CharField(read_only=True)
    deployment = serializers.SlugRelatedField[Deployment](
        slug_field="slug", read_only=True, allow_null=True
    )
    version = serializers.SlugRelatedField[ModelVersion](
        slug_field="digest", read_only=True, allow_null=True
    )
    closes_at = serializers.DateTimeField(
        source="contract.closes_at", default=None, read_only=True, allow_null=True
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
            "deployment",
            "version",
            "drafted_at",
            "closes_at",
            "outcome",
        ]


class ProposalDetailOutput(ProposalOutput):
    """One proposal with text, criteria and, once opened, the decision contract."""

    text = serializers.SerializerMethodField()
    criteria = serializers.SerializerMethodField()
    contract = serializers.SerializerMethodField()

    class Meta(ProposalOutput.Meta):
        fields = [*ProposalOutput.Meta.fields, "text", "criteria", "contract"]

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
        }

    def get_criteria(self, row: Proposal) -> list[dict[str, Any]]:
        """Return each criterion with its outcome so far."""
        return as_contract_rows(judgements_of(row))

    def get_contract(self, row: Proposal) -> dict[str, Any] | None:
        """Return the frozen contract with its digest."""
        contract = getattr(row, "contract", None)
        return {"digest": contract.digest, **contract.content} if contract else None


class DecisionOutput(serializers.ModelSerializer[Decision]):
    """One decision with its whole public record."""

    record = serializers.JSONField(source="content", read_only=True)
    body = serializers.CharField(source="proposal.body.slug", read_only=True)
    title = serializers.CharField(source="proposal.title", read_only=True)

    class Meta:
        model = Decision
        fields = [
            "ref",
            "body",
            "title",
            "outcome",
            "decided_at",
            "in_force_until",
            "is_override",
            "digest",
            "record",
        ]


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


class CriterionInput(serializers.Serializer[Any]):
    """A criterion to put on the record."""

    suite = serializers.RegexField(r"\Asha256:[0-9a-f]{64}\Z", help_text="Suite version's digest.")
    task = serializers.CharField(max_length=80)
    metric = serializers.CharField(max_length=60)
    comparison = serializers.ChoiceField(Comparison.choices)
    threshold = serializers.DecimalField(max_digits=12, decimal_places=6)
    must_pass = serializers.BooleanField(default=True)


class CommentInput(serializers.Serializer[Any]):
    """A comment to make."""

    text = serializers.CharField(max_length=5000)
    parent = serializers.IntegerField(  # type: ignore[assignment]
        required=False, min_value=1, max_value=2**63 - 1
    )
    is_question = serializers.BooleanField(
        default=False, help_text="Asked of the proposer, who answers before the text is final."
    )


class StageInput(serializers.Serializer[Any]):
    """The next step of a proposal."""

    act = serializers.ChoiceField(
        ["deliberate", "fix-text", "reopen", "open-vote", "close", "withdraw", "annul"]
    )
    closes_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=1000, required=False, default="")


class BallotInput(serializers.Serializer[Any]):
    """A ballot to cast: the one field that the method of the vote asks for."""

    choice = serializers.CharField(
        max_length=20, required=False, help_text="yes, no, abstain; or consent, abstain, object."
    )
    reason = serializers.CharField(
        max_length=MAX_REASON_CHARACTERS, required=False, help_text="Of an objection."
    )
    ranking = serializers.ListField(
        child=serializers.JSONField(),
        max_length=MAX_OPTIONS,
        required=False,
        help_text="Options, best first; a list inside it is a shared rank. For approval and "
        "plurality the options that are named. Empty for a blank ballot.",
    )
    scores = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Points by option."
    )


class CastingVoteInput(serializers.Serializer[Any]):
    """The chair's word on a tied vote."""

    names = serializers.ListField(
        child=serializers.CharField(max_length=MAX_OPTION_CHARACTERS),
        max_length=MAX_OPTIONS,
        help_text="`yes` or `no`; for an election all options, the preferred first.",
    )


class ConflictInput(serializers.Serializer[Any]):
    """A conflict of interest to declare."""

    reason = serializers.CharField(max_length=1000, help_text="For everybody to read.")


class DelegationInput(serializers.Serializer[Any]):
    """To whom a vote is delegated."""

    to = serializers.RegexField(
        r"\A(member:)?[0-9a-f]{16}\Z", help_text="The member as the record names them."
    )


class LeafOutput(serializers.Serializer[Any]):
    """An act that was put on the record."""

    leaf = serializers.UUIDField()


class CriterionOutput(serializers.Serializer[Any]):
    """A criterion on the record: what it asks, and its leaf."""

    asked = serializers.CharField()
    leaf = serializers.UUIDField()


class CommentOutput(serializers.Serializer[Any]):
    """A comment that was made, and its leaf."""

    id = serializers.IntegerField()
    leaf = serializers.UUIDField()


class BallotOutput(serializers.Serializer[Any]):
    """A ballot on the record; the receipt once a signed checkpoint covers it."""

    number = serializers.IntegerField(help_text="Counts up when a ballot is replaced.")
    cast_at = serializers.DateTimeField()
    leaf = serializers.UUIDField()
    receipt = serializers.CharField(allow_null=True)
    receipt_at = serializers.URLField(help_text="Where the receipt is or will be.")


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
        return Proposal.objects.visible_to(user).with_parts().newest_first()

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
            must_pass=data["must_pass"],
        )
        return Response({"asked": criterion.asked, "leaf": str(criterion.leaf_id)}, status=201)


class Comments(ProposalView):
    """`POST`: take part in the discussion."""

    @extend_schema(request=CommentInput, responses={201: CommentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Make a comment."""
        proposal, data = self.proposal(ref), checked(CommentInput, request)
        parent = None
        if "parent" in data:
            parent = named_row(Comment, "parent", pk=data["parent"], proposal=proposal)
        made = discussion.make_comment(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            text=data["text"],
            parent=parent,
            is_question=data["is_question"],
        )
        return Response({"id": made.pk, "leaf": str(made.leaf_id)}, status=201)


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
            "close": lambda: closing.close_vote(**who),
            "withdraw": lambda: stages.withdraw(**who, reason=data["reason"]),
            "annul": lambda: stages.annul_vote(**who, reason=data["reason"]),
        }
        acts[data["act"]]()
        return Response(ProposalDetailOutput(self.proposal(ref)).data)


class Ballots(ProposalView):
    """`POST`: cast or change one's ballot."""

    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=BallotInput, responses={201: BallotOutput, 202: BallotOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Cast a ballot: 201 with the receipt, 202 while the log has not covered it yet."""
        data = checked(BallotInput, request)
        visible = Proposal.objects.visible_to(reader(request, Scope.VOTES_CAST))
        proposal = get_object_or_404(visible.without_documents(), ref=ref)
        ballot = voting.cast_ballot(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            choice=data,
        )
        found = ledger.wait_for_receipt(ballot.leaf_id, settings.RECEIPT_WAIT_SECONDS)
        answer = {
            "number": ballot.number,
            "cast_at": ballot.cast_at,
            "leaf": str(ballot.leaf_id),
            "receipt": found.text if found else None,
            "receipt_at": f"{settings.PUBLIC_URL}/receipts/{ballot.leaf_id}/",
        }
        return Response(answer, status=201 if found else 202)


class Conflicts(ProposalView):
    """`POST`: declare a conflict of interest before the vote."""

    @extend_schema(request=ConflictInput, responses={201: LeafOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Declare it; the answer names its leaf."""
        proposal, data = self.proposal(ref), checked(ConflictInput, request)
        declared = roll.declare_conflict(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            reason=data["reason"],
        )
        return Response({"leaf": str(declared.leaf_id)}, status=201)


class Delegations(APIView):
    """`POST`: delegate one's vote in a body; `DELETE`: take it back."""

    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=DelegationInput, responses={201: LeafOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Delegate to another member; an earlier delegation is replaced."""
        body, data = get_object_or_404(Body, slug=slug), checked(DelegationInput, request)
        to = named_row(Membership, "to", public_id=data["to"].removeprefix("member:"), body=body)
        given = roll.give_delegation(by=request.user, body=body, to=to)  # type: ignore[arg-type]
        return Response({"leaf": str(given.leaf_id)}, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Take it back, in open votes too."""
        body = get_object_or_404(Body, slug=slug)
        roll.revoke_delegation(by=request.user, body=body)  # type: ignore[arg-type]
        return Response(status=204)


class CastingVotes(ProposalView):
    """`POST`: break a tie that falls to the chair."""

    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=CastingVoteInput, responses={201: DecisionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Give the casting vote; the answer is the decision."""
        proposal, data = self.proposal(ref), checked(CastingVoteInput, request)
        decision = closing.give_casting_vote(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            names=data["names"],
        )
        return Response(DecisionOutput(decision).data, status=201)


class DecisionList(generics.ListAPIView[Decision]):
    """All decisions, newest first."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    queryset = Decision.objects.select_related("proposal__body")


class DecisionDetail(generics.RetrieveAPIView[Decision]):
    """One decision."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    lookup_field = "proposal__ref"
    lookup_url_kwarg = "ref"
    queryset = Decision.objects.select_related("proposal__body")
