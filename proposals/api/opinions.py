"""The opinion map in the network API: statements, answers, the map."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import may_use
from oversight.web.inputs import checked
from oversight.web.written_inputs import OF_TEXT, language_input
from proposals.api.proposals import ProposalView
from proposals.api.talk import MadeOutput, ProposalList
from proposals.choices import Answer
from proposals.crowds import map_of, next_statement
from proposals.models import OpinionMap, OpinionStatement
from proposals.models.opinions import MAX_STATEMENT
from proposals.services import opinions


class OpinionStatementInput(serializers.Serializer[Any]):
    """A statement to add."""

    text = serializers.CharField(max_length=MAX_STATEMENT)
    language = language_input("Of the text; the proposal's where none is named.")


class OpinionStatementOutput(serializers.ModelSerializer[OpinionStatement]):
    """One statement; what is hidden has its public reason instead of its text."""

    author = serializers.CharField(source="author.display_name", read_only=True)
    text = serializers.SerializerMethodField()
    language = serializers.CharField(source="written_in", read_only=True, help_text=OF_TEXT)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = OpinionStatement
        fields = [
            *("id", "author", "text", "language", "made_at", "hidden_at", "hidden_reason", "leaf")
        ]

    def get_text(self, row: OpinionStatement) -> str:
        """Return the text unless it is hidden."""
        return "" if row.hidden_at else row.text


class NextOutput(serializers.Serializer[Any]):
    """The next statement to answer, or null when all are answered."""

    statement = OpinionStatementOutput(allow_null=True)


class AnswerInput(serializers.Serializer[Any]):
    """What somebody thinks of a statement."""

    answer = serializers.ChoiceField(Answer.choices)


class AnswerOutput(serializers.Serializer[Any]):
    """The answer that counts now."""

    statement = serializers.IntegerField(source="statement_id")
    answer = serializers.CharField()
    given_at = serializers.DateTimeField()


class OpinionMapOutput(serializers.ModelSerializer[OpinionMap]):
    """The newest map; its digest is of the document at `map.json`."""

    map = serializers.JSONField(source="drawn", read_only=True)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True, allow_null=True)

    class Meta:
        model = OpinionMap
        fields = ["digest", "input_digest", "drawn_at", "leaf", "map"]


class MapOutput(serializers.Serializer[Any]):
    """The newest map, or null while too few people have answered."""

    opinions = OpinionMapOutput(allow_null=True)


class Statements(ProposalList):
    """Statements of the opinion map in the order they were made; POST adds one."""

    serializer_class = OpinionStatementOutput
    queryset = OpinionStatement.objects.none()

    def get_queryset(self) -> Any:
        """Return the statements, hidden ones without their text."""
        rows = self.proposal(self.kwargs["ref"]).statements.order_by("made_at", "id")
        return rows.select_related("author", "proposal__body")

    @extend_schema(request=OpinionStatementInput, responses={201: MadeOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Add a statement."""
        proposal, data = self.proposal(ref), checked(OpinionStatementInput, request)
        made = opinions.make_statement(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            text=data["text"],
            language=data.get("language", ""),
        )
        return Response({"id": made.pk, "leaf": str(made.leaf_id)}, status=201)


class NextStatement(ProposalView):
    """The next statement that the caller has not answered."""

    @extend_schema(responses=NextOutput)
    def get(self, request: Request, ref: str) -> Response:
        """Return it; null where all are answered, or nobody is signed in."""
        proposal = self.proposal(ref)
        may = may_use(request, Scope.PROPOSALS_WRITE)
        found = next_statement(request.user, proposal) if may else None  # type: ignore[arg-type]
        return Response(NextOutput({"statement": found}).data)


class Answers(ProposalView):
    """`POST`: answer a statement, or change one's answer."""

    answers_once = True

    @extend_schema(request=AnswerInput, responses={200: AnswerOutput})
    def post(self, request: Request, ref: str, pk: int) -> Response:
        """Answer; the last answer counts."""
        proposal, data = self.proposal(ref), checked(AnswerInput, request)
        given = opinions.give_opinion(
            by=request.user,  # type: ignore[arg-type]
            statement=get_object_or_404(OpinionStatement, pk=pk, proposal=proposal),
            answer=Answer(data["answer"]),
        )
        return Response(AnswerOutput(given).data)


class OpinionMaps(ProposalView):
    """The newest opinion map of a proposal."""

    @extend_schema(responses=MapOutput)
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return groups, places, statements with their shares, what unites and what divides."""
        found = map_of(self.proposal(ref))
        is_public = found is not None and bool(found.drawn["groups"])
        return Response(MapOutput({"opinions": found if is_public else None}).data)
