"""The discussion in the network API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.web.inputs import checked, named_row
from proposals.api.proposals import ProposalView
from proposals.models import Comment
from proposals.services import discussion


class CommentInput(serializers.Serializer[Any]):
    """A comment to make."""

    text = serializers.CharField(max_length=5000)
    parent = serializers.IntegerField(  # type: ignore[assignment]
        required=False, min_value=1, max_value=2**63 - 1
    )
    is_question = serializers.BooleanField(
        default=False, help_text="Asked of the proposer, who answers before the text is final."
    )


class CommentOutput(serializers.Serializer[Any]):
    """A comment that was made, and its leaf."""

    id = serializers.IntegerField()
    leaf = serializers.UUIDField()


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
