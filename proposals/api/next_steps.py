"""What proposals wait for from the caller beside their vote, in the network API."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import own
from proposals.choices import NextAct
from proposals.next_steps import NextStep, next_steps


class NextStepOutput(serializers.Serializer[Any]):
    """One thing that a proposal waits for, and where it is done."""

    kind = serializers.ChoiceField([each.value for each in NextAct])
    ref = serializers.CharField(help_text="The proposal that waits.")
    body = serializers.CharField()
    title = serializers.CharField()
    amendment = serializers.IntegerField(
        allow_null=True, help_text="Which amendment waits for its answer."
    )
    questions = serializers.IntegerField(help_text="How many questions wait for theirs.")
    since = serializers.DateTimeField()
    page = serializers.URLField(help_text="Where people do it.")
    address = serializers.URLField(help_text="Where programs do it, with POST.")
    acts = serializers.ListField(
        child=serializers.CharField(),
        help_text="What `act` may be there, one of them; empty where there is no `act`.",
    )


class NextSteps(APIView):
    """`GET`: what proposals wait for from the caller."""

    permission_classes = [own(Scope.NOTICES)]

    @extend_schema(responses=NextStepOutput(many=True))
    def get(self, request: Request) -> Response:
        """List up to 20 steps: answers to amendments and questions, then stages that are due."""
        steps = next_steps(request.user)  # type: ignore[arg-type]
        return Response(NextStepOutput([_step_data(each) for each in steps], many=True).data)


def _step_data(step: NextStep) -> dict[str, Any]:
    ref, number = step.proposal.ref, step.amendment.number if step.amendment else None
    way: tuple[str, list[object], list[str]]
    match step.act:
        case NextAct.ANSWER_AMENDMENT:
            way = ("api-amendment-act", [ref, number], ["accept", "reject"])
        case NextAct.ANSWER_QUESTIONS:
            way = ("api-comments", [ref], [])
        case NextAct.FIX_TEXT | NextAct.OPEN_VOTE:
            way = ("api-stage", [ref], [step.act.value])
    name, gaps, acts = way
    return {
        "kind": step.act.value,
        "ref": ref,
        "body": step.proposal.body.slug,
        "title": step.proposal.shown_title,  # type: ignore[attr-defined]  # by `titled`
        "amendment": number,
        "questions": step.questions,
        "since": step.since,
        "page": f"{settings.PUBLIC_URL}{step.path}",
        "address": f"{settings.PUBLIC_URL}{reverse(name, args=gaps)}",
        "acts": acts,
    }
