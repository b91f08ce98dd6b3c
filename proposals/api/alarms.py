"""What a body is asked because of an alarm, in the network API."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import writes
from oversight.registry.models import Authorisation, Endpoint
from oversight.web.inputs import checked, named_row
from proposals.choices import ProposalType
from proposals.services.alarms import propose_because_of_alarm


class AlarmReviewInput(serializers.Serializer[Any]):
    """What the alarm concerns."""

    decision = serializers.CharField(
        max_length=30, help_text="Whose authorisation the endpoint serves."
    )


class AlarmReviewOutput(serializers.Serializer[Any]):
    """The draft."""

    proposal = serializers.CharField()
    type = serializers.ChoiceField([ProposalType.SUSPEND, ProposalType.RETIRE])


class AlarmReview(APIView):
    """`POST`: draft the proposal that the alarm about an endpoint asks for."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]

    @extend_schema(request=AlarmReviewInput, responses={201: AlarmReviewOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Draft it, filled in; 409 where no alarm stands. Whoever may propose to the body may.

        To suspend at once instead, `POST` to the decision's `suspension`.
        """
        endpoint, data = get_object_or_404(Endpoint, slug=slug), checked(AlarmReviewInput, request)
        proposal = propose_because_of_alarm(
            by=request.user,  # type: ignore[arg-type]
            endpoint=endpoint,
            authorisation=named_row(Authorisation, "decision", decision_ref=data["decision"]),
        )
        answer = {"proposal": proposal.ref, "type": proposal.type}
        return Response(AlarmReviewOutput(answer).data, status=201)
