"""Decisions in the network API, and what is done about them."""

from typing import Any

import django_filters
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, writes
from oversight.registry.models import Authorisation
from oversight.web.inputs import checked
from oversight.web.written_inputs import OF_TEXT, language_input
from proposals.ballot_files import ballots_as_blt, has_blt
from proposals.choices import DecisionOutcome, ProposalType, StatementKind
from proposals.models import Decision, Statement
from proposals.services import annulment, emergency, statements
from proposals.titles import titled


class StatementOutput(serializers.ModelSerializer[Statement]):
    """Reasons, an explanation of a vote, or a dissent."""

    author = serializers.CharField(source="author.display_name", read_only=True)
    member = serializers.CharField(
        source="membership.actor", default=None, read_only=True, allow_null=True
    )

    language = serializers.CharField(source="written_in", read_only=True, help_text=OF_TEXT)

    class Meta:
        model = Statement
        fields = ["kind", "author", "member", "made_at", "text", "language", "leaf_id"]


class AnnulmentOutput(serializers.Serializer[Any]):
    """That a decision counts as never made."""

    at = serializers.DateTimeField(source="annulled_at")
    by = serializers.CharField(
        source="annulled_by", help_text="A decision of the body, or the authority that ruled."
    )
    reason = serializers.CharField(source="annulment_reason")
    leaf = serializers.UUIDField(source="annulment_leaf_id")


class DecisionOutput(serializers.ModelSerializer[Decision]):
    """One decision with its whole public record."""

    record = serializers.JSONField(source="content", read_only=True)
    body = serializers.CharField(source="proposal.body.slug", read_only=True)
    title = serializers.SerializerMethodField()
    language = serializers.CharField(
        source="proposal.written_in", read_only=True, help_text=OF_TEXT
    )
    type = serializers.CharField(source="proposal.type", read_only=True)
    statements = StatementOutput(many=True, read_only=True)
    annulled = serializers.SerializerMethodField()

    class Meta:
        model = Decision
        fields = [
            "ref",
            "body",
            "title",
            "language",
            "type",
            "outcome",
            "decided_at",
            "in_force_until",
            "review_at",
            "is_override",
            "impossible",
            "annulled",
            "statements",
            "digest",
            "record",
        ]

    def get_title(self, row: Decision) -> str:
        """Return the title of its text, fetched with the rows of a list."""
        return getattr(row, "shown_title", None) or row.proposal.title

    def get_annulled(self, row: Decision) -> dict[str, Any] | None:
        """Return who annulled it and why; nothing where it stands."""
        return dict(AnnulmentOutput(row).data) if row.is_annulled else None


class DecisionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`?body=`, `?type=`, `?outcome=`, and `?since=` with `?until=`, both as moments."""

    body = django_filters.CharFilter(field_name="proposal__body__slug")
    type = django_filters.ChoiceFilter(field_name="proposal__type", choices=ProposalType.choices)
    outcome = django_filters.ChoiceFilter(choices=DecisionOutcome.choices)
    since = django_filters.IsoDateTimeFilter(field_name="decided_at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="decided_at", lookup_expr="lt")

    class Meta:
        model = Decision
        fields = ["body", "type", "outcome", "since", "until"]


class DecisionList(generics.ListAPIView[Decision]):
    """Decisions, newest first."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    filterset_class = DecisionFilter
    queryset = titled(Decision.objects.select_related("proposal__body"), "proposal_id")
    queryset = queryset.prefetch_related("statements__author", "statements__membership")


class DecisionDetail(generics.RetrieveAPIView[Decision]):
    """One decision."""

    permission_classes = [Public]
    serializer_class = DecisionOutput
    lookup_field = "proposal__ref"
    lookup_url_kwarg = "ref"
    queryset = DecisionList.queryset


class DecisionBallots(APIView):
    """A decided election's ballots as BLT."""

    permission_classes = [Public]

    @extend_schema(operation_id="decisions_ballots_blt", responses={(200, "text/plain"): str})
    def get(self, request: Request, ref: str) -> HttpResponse:  # noqa: ARG002
        """Send the ballots that were counted; 404 where BLT cannot say them (yes or no, points)."""
        rows = Decision.objects.select_related("proposal__contract")
        found = get_object_or_404(rows, proposal__ref=ref)
        if not has_blt(found):
            raise Http404("BLT holds orders of preference; this vote had none.")
        return HttpResponse(ballots_as_blt(found), content_type="text/plain; charset=utf-8")


class SuspensionInput(serializers.Serializer[Any]):
    """Why an authorisation is suspended at once."""

    reason = serializers.CharField(max_length=emergency.MAX_REASON, help_text="Public.")


class SuspensionOutput(serializers.Serializer[Any]):
    """What asks the body to ratify the suspension, and when it lapses otherwise."""

    ratification = serializers.CharField(help_text="The proposal's reference.")
    suspended_until = serializers.DateTimeField()


class RulingInput(serializers.Serializer[Any]):
    """The ruling that has annulled a decision."""

    authority = serializers.CharField(max_length=annulment.MAX_AUTHORITY)
    reason = serializers.CharField(max_length=annulment.MAX_REASON, help_text="Public.")


class StatementInput(serializers.Serializer[Any]):
    """What is to be said about a decision."""

    kind = serializers.ChoiceField(StatementKind.choices)
    text = serializers.CharField(max_length=statements.MAX_TEXT, help_text="Markdown, public.")
    language = language_input("Of the text; the proposal's where none is named.")


class DecisionView(APIView):
    """Base of addresses below one decision."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]

    def decision(self, ref: str) -> Decision:
        """Return the decision, else 404."""
        rows = Decision.objects.select_related("proposal__body", "proposal__contract")
        return get_object_or_404(rows, proposal__ref=ref)


class Suspension(DecisionView):
    """`POST`: suspend at once what the decision authorised, until the body ratifies it."""

    @extend_schema(request=SuspensionInput, responses={201: SuspensionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Suspend it; the answer names the proposal that asks the body to ratify."""
        authorisation = get_object_or_404(Authorisation.objects.with_parts(), decision_ref=ref)
        data = checked(SuspensionInput, request)
        proposal = emergency.suspend_at_once(
            by=request.user,  # type: ignore[arg-type]
            authorisation=authorisation,
            reason=data["reason"],
        )
        authorisation.refresh_from_db()
        answer = {
            "ratification": proposal.ref,
            "suspended_until": authorisation.suspended_until,
        }
        return Response(SuspensionOutput(answer).data, status=201)


class Annulment(DecisionView):
    """`POST`: record that an authority has annulled the decision."""

    @extend_schema(request=RulingInput, responses={201: DecisionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Record the ruling; what the decision did is taken back as far as it still stands."""
        decision, data = self.decision(ref), checked(RulingInput, request)
        found = annulment.record_ruling(by=request.user, decision=decision, **data)  # type: ignore[arg-type]
        return Response(DecisionOutput(found).data, status=201)


class Statements(DecisionView):
    """`POST`: put reasons, an explanation of one's vote or a dissent on the record."""

    @extend_schema(request=StatementInput, responses={201: StatementOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Make the statement; it cannot be taken back."""
        decision, data = self.decision(ref), checked(StatementInput, request)
        made = statements.make_statement(
            by=request.user,  # type: ignore[arg-type]
            decision=decision,
            kind=StatementKind(data["kind"]),
            text=data["text"],
            language=data.get("language", ""),
        )
        return Response(StatementOutput(made).data, status=201)
