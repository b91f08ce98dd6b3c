"""Files beside a text, and support for a proposal, in the network API."""

from typing import Any

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.permissions import Public
from oversight.web.inputs import checked
from proposals.api.proposals import ProposalView
from proposals.file_types import MEDIA_TYPES
from proposals.models import Attachment, Support
from proposals.services import attachments, support
from proposals.uploads import file_answer, read_upload


class AttachmentInput(serializers.Serializer[Any]):
    """A file to put beside the text."""

    file = serializers.FileField(max_length=255)


class AttachmentOutput(serializers.Serializer[Any]):
    """One file beside a text."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    digest = serializers.CharField()
    leaf = serializers.UUIDField()


class SupportInput(serializers.Serializer[Any]):
    """To stand behind a proposal, or to take that back."""

    act = serializers.ChoiceField(["give", "withdraw"])


class SupportOutput(serializers.Serializer[Any]):
    """One member's support."""

    member = serializers.CharField()
    name = serializers.CharField()
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    leaf = serializers.UUIDField()


def attachment_data(row: Attachment) -> dict[str, Any]:
    """Return one file as the API shows it."""
    return {
        "id": row.pk,
        "name": row.name,
        "media_type": row.media_type,
        "size": row.artefact.size,
        "digest": row.digest,
        "leaf": str(row.leaf_id),
    }


def _support_data(row: Support) -> dict[str, Any]:
    return {
        "member": row.membership.actor,
        "name": str(row.membership.person),
        "given_at": row.given_at,
        "withdrawn_at": row.withdrawn_at,
        "leaf": str(row.leaf_id),
    }


class Attachments(ProposalView):
    """Files beside the text; the proposer adds one with POST, as a multipart form."""

    parser_classes = [MultiPartParser]

    @extend_schema(responses=AttachmentOutput(many=True))
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return the files that stand beside the text."""
        rows = self.proposal(ref).attachments.filter(removed_at=None).select_related("artefact")
        return Response([attachment_data(row) for row in rows])

    @extend_schema(
        request={"multipart/form-data": AttachmentInput}, responses={201: AttachmentOutput}
    )
    def post(self, request: Request, ref: str) -> Response:
        """Put a file beside the text."""
        proposal, data = self.proposal(ref), checked(AttachmentInput, request)
        row = attachments.add_attachment(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            name=data["file"].name,
            data=read_upload(data["file"]),
        )
        return Response(attachment_data(row), status=201)


class AttachmentFile(ProposalView):
    """One file beside a text."""

    permission_classes = [Public]

    @extend_schema(responses={(200, kind): OpenApiTypes.BINARY for kind in MEDIA_TYPES})
    def get(self, request: Request, ref: str, pk: int) -> FileResponse:  # noqa: ARG002
        """Return the file."""
        found = self.proposal(ref).attachments.select_related("artefact")
        return file_answer(get_object_or_404(found, pk=pk, removed_at=None))


class AttachmentRemoval(ProposalView):
    """`POST`: take a file off the text."""

    @extend_schema(request=None, responses={200: AttachmentOutput})
    def post(self, request: Request, ref: str, pk: int) -> Response:
        """Take a file off; its digest stays on the record."""
        found = get_object_or_404(self.proposal(ref).attachments, pk=pk)
        row = attachments.remove_attachment(by=request.user, attachment=found)  # type: ignore[arg-type]
        return Response(attachment_data(row))


class Supports(ProposalView):
    """Who stands behind a proposal; a member does, or no longer does, with POST."""

    @extend_schema(responses=SupportOutput(many=True))
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return all support, that which was taken back included."""
        rows = self.proposal(ref).supports.select_related("membership__person")
        return Response([_support_data(row) for row in rows])

    @extend_schema(request=SupportInput, responses={200: SupportOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Stand behind the proposal, or take that back."""
        proposal, data = self.proposal(ref), checked(SupportInput, request)
        acts = {"give": support.give_support, "withdraw": support.withdraw_support}
        row = acts[data["act"]](by=request.user, proposal=proposal)  # type: ignore[arg-type]
        return Response(_support_data(row))
