"""The discussion in the network API: comments, arguments, moderation."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.choices import Scope
from oversight.accounts.models import Body
from oversight.accounts.permissions import Public, reader, writes
from oversight.web.inputs import checked, named_row
from oversight.web.written_inputs import OF_TEXT, language_input
from proposals.api.proposals import ProposalView
from proposals.arguments import Standing, ranked
from proposals.choices import Moderated, Side, Spoken
from proposals.models import Argument, Comment, Moderation, OpinionStatement, Proposal
from proposals.models.talk import MAX_ARGUMENT, MAX_CONTEXT, MAX_QUOTE
from proposals.services import arguments, discussion, moderation
from proposals.services.discussion import Quoted

MOST = 2**63 - 1
"""The largest key that the database knows."""
KINDS: dict[str, type[Comment] | type[Argument] | type[OpinionStatement]] = {
    Spoken.COMMENT: Comment,
    Spoken.ARGUMENT: Argument,
    Spoken.STATEMENT: OpinionStatement,
}


class PassageInput(serializers.Serializer[Any]):
    """The passage of a revision that a thread is about."""

    revision = serializers.IntegerField(min_value=1, max_value=1_000_000)
    quote = serializers.CharField(
        max_length=MAX_QUOTE,
        trim_whitespace=False,
        help_text="As it is written in Markdown, or as the page shows it.",
    )
    before = serializers.CharField(
        max_length=MAX_CONTEXT,
        trim_whitespace=False,
        allow_blank=True,
        default="",
        help_text="What stands before it, where the quote alone stands there more than once.",
    )
    after = serializers.CharField(
        max_length=MAX_CONTEXT, trim_whitespace=False, allow_blank=True, default=""
    )


class CommentInput(serializers.Serializer[Any]):
    """A comment to make."""

    text = serializers.CharField(
        max_length=5000, help_text="Markdown. @ and a participant's name tells them, ten at most."
    )
    parent = serializers.IntegerField(required=False, min_value=1, max_value=MOST)  # type: ignore[assignment]
    is_question = serializers.BooleanField(
        default=False, help_text="Asked of the proposer, who answers before the text is final."
    )
    passage = PassageInput(required=False, help_text="For the first comment of a thread.")
    language = language_input("Of the text; the proposal's where none is named.")


class MadeOutput(serializers.Serializer[Any]):
    """What was made, and its leaf."""

    id = serializers.IntegerField()
    leaf = serializers.UUIDField()


class CommentOutput(serializers.ModelSerializer[Comment]):
    """One comment; what is hidden has its public reason instead of its text."""

    author = serializers.CharField(source="author.display_name", read_only=True)
    text = serializers.SerializerMethodField()
    language = serializers.CharField(source="written_in", read_only=True, help_text=OF_TEXT)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True)
    passage = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = [
            "id",
            "parent",
            "author",
            "text",
            "language",
            "made_at",
            "is_question",
            "answer",
            "hidden_at",
            "hidden_reason",
            "passage",
            "leaf",
        ]

    def get_text(self, row: Comment) -> str:
        """Return the text unless it is hidden."""
        return "" if row.hidden_at else row.text

    def get_passage(self, row: Comment) -> dict[str, str | int] | None:
        """Return what a thread is about, where it is about a passage."""
        anchor = getattr(row, "anchor", None)
        return anchor.document if anchor and not row.hidden_at else None


class ArgumentInput(serializers.Serializer[Any]):
    """An argument to make."""

    side = serializers.ChoiceField(Side.choices)
    text = serializers.CharField(max_length=MAX_ARGUMENT)
    language = language_input("Of the text; the proposal's where none is named.")


class ArgumentOutput(serializers.Serializer[Standing]):
    """One argument with its support, in the order of its rank."""

    id = serializers.IntegerField(source="argument.pk")
    side = serializers.CharField(source="argument.side")
    text = serializers.CharField(source="argument.text")
    language = serializers.CharField(source="argument.written_in", help_text=OF_TEXT)
    author = serializers.CharField(source="argument.author.display_name")
    made_at = serializers.DateTimeField(source="argument.made_at")
    supporters = serializers.IntegerField(source="weighed.supporters")
    asked = serializers.IntegerField(
        source="weighed.asked", help_text="Of how many: see the rule of the ranking."
    )
    leaf = serializers.UUIDField(source="argument.leaf_id")


class ArgumentsOutput(serializers.Serializer[Any]):
    """All arguments that are not hidden, both sides in one row by rank."""

    arguments = ArgumentOutput(many=True)


class ModerationInput(serializers.Serializer[Any]):
    """What a clerk hides or restores, and why."""

    kind = serializers.ChoiceField(Spoken.choices)
    id = serializers.IntegerField(min_value=1, max_value=MOST)
    act = serializers.ChoiceField(Moderated.choices)
    reason = serializers.CharField(max_length=moderation.MAX_REASON, help_text="For everybody.")


class ModerationOutput(serializers.ModelSerializer[Moderation]):
    """One act of moderation."""

    proposal = serializers.SlugRelatedField[Proposal](slug_field="ref", read_only=True)
    kind = serializers.CharField(read_only=True)
    id = serializers.IntegerField(source="said.pk", read_only=True)
    clerk = serializers.CharField(source="clerk.display_name", read_only=True)
    leaf = serializers.UUIDField(source="leaf_id", read_only=True)

    class Meta:
        model = Moderation
        fields = ["proposal", "kind", "id", "act", "reason", "clerk", "done_at", "leaf"]


class ProposalList(generics.ListAPIView[Any]):
    """Base of lists below one proposal, page by page."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]

    def proposal(self, ref: str) -> Proposal:
        """Return the proposal if the caller may see it, else 404."""
        user = reader(self.request, Scope.PROPOSALS_WRITE)
        return get_object_or_404(Proposal.objects.visible_to(user).with_parts(), ref=ref)


class Comments(ProposalList):
    """Comments of a proposal in the order they were made; POST takes part in the discussion."""

    serializer_class = CommentOutput
    queryset = Comment.objects.none()

    def get_queryset(self) -> Any:
        """Return the comments, hidden ones without their text."""
        rows = self.proposal(self.kwargs["ref"]).comments.order_by("made_at", "id")
        return rows.select_related("author", "anchor__revision", "proposal__body")

    @extend_schema(request=CommentInput, responses={201: MadeOutput})
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
            passage=Quoted(**data["passage"]) if "passage" in data else None,
            language=data.get("language", ""),
        )
        return Response({"id": made.pk, "leaf": str(made.leaf_id)}, status=201)


class Arguments(ProposalView):
    """Arguments for and against, by rank; POST makes one."""

    @extend_schema(responses=ArgumentsOutput)
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return all arguments that are not hidden, the best supported first."""
        return Response(ArgumentsOutput({"arguments": ranked(self.proposal(ref))}).data)

    @extend_schema(request=ArgumentInput, responses={201: MadeOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Make an argument."""
        proposal, data = self.proposal(ref), checked(ArgumentInput, request)
        made = arguments.make_argument(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            side=Side(data["side"]),
            text=data["text"],
            language=data.get("language", ""),
        )
        return Response({"id": made.pk, "leaf": str(made.leaf_id)}, status=201)


class ArgumentSupport(ProposalView):
    """`POST`: support an argument; `DELETE`: take the support back."""

    @extend_schema(request=None, responses={201: MadeOutput})
    def post(self, request: Request, ref: str, pk: int) -> Response:
        """Support an argument, in public."""
        made = arguments.support_argument(
            by=request.user,  # type: ignore[arg-type]
            argument=self._argument(ref, pk),
        )
        return Response({"id": made.pk, "leaf": str(made.leaf_id)}, status=201)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, ref: str, pk: int) -> Response:
        """Take the support back."""
        arguments.withdraw_support(
            by=request.user,  # type: ignore[arg-type]
            argument=self._argument(ref, pk),
        )
        return Response(status=204)

    def _argument(self, ref: str, pk: int) -> Argument:
        return get_object_or_404(Argument, pk=pk, proposal=self.proposal(ref))


@extend_schema_view(get=extend_schema(operation_id="proposals_moderation_list"))
class Moderations(ProposalList):
    """The log of moderation of a proposal, newest first; a clerk hides or restores with POST."""

    serializer_class = ModerationOutput
    queryset = Moderation.objects.none()

    def get_queryset(self) -> Any:
        """Return the acts."""
        return _acts().filter(proposal=self.proposal(self.kwargs["ref"]))

    @extend_schema(request=ModerationInput, responses={201: ModerationOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Hide or restore, with the public reason."""
        proposal, data = self.proposal(ref), checked(ModerationInput, request)
        said: Any = named_row(KINDS[data["kind"]], "id", pk=data["id"], proposal=proposal)
        act = {Moderated.HIDDEN: moderation.hide, Moderated.RESTORED: moderation.restore}
        act[Moderated(data["act"])](
            by=request.user,  # type: ignore[arg-type]
            said=said,
            reason=data["reason"],
        )
        made = _acts().filter(**{data["kind"]: said}).latest("done_at")
        return Response(ModerationOutput(made).data, status=201)


@extend_schema_view(get=extend_schema(operation_id="bodies_moderation_list"))
class BodyModerations(generics.ListAPIView[Moderation]):
    """What the clerks of a body hid and restored, newest first."""

    permission_classes = [Public]
    serializer_class = ModerationOutput
    queryset = Moderation.objects.none()

    def get_queryset(self) -> Any:
        """Return the acts."""
        body = get_object_or_404(Body, slug=self.kwargs["slug"])
        return _acts().filter(proposal__body=body)


def _acts() -> Any:
    return Moderation.objects.select_related(
        "proposal", "clerk", "comment", "argument", "statement"
    )
