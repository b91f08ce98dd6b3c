"""Descriptions and lineage in the network API: what versions, uses and endpoints say."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import writes
from oversight.registry import services
from oversight.registry.choices import DescentKind
from oversight.registry.lineage import MOST_EDGES, edges_around
from oversight.registry.models import (
    Deployment,
    Descent,
    Description,
    Endpoint,
    ModelVersion,
)
from oversight.web.inputs import checked, named_row


class DescriptionOutput(serializers.ModelSerializer[Description]):
    """One numbered state of a description, with the digest by which it is on the record."""

    class Meta:
        model = Description
        fields = ["subject", "number", "document", "digest", "described_at", "leaf_id"]


class DescriptionInput(serializers.Serializer[Any]):
    """A description to write."""

    document = serializers.DictField(help_text="The fields, as the guide lists them.")
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The number that you have read; 409 if another was written since.",
    )


class _Descriptions(generics.ListAPIView[Description]):
    """All descriptions of one thing, newest first; POST writes the next."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]
    serializer_class = DescriptionOutput
    queryset = Description.objects.none()

    def what(self) -> services.Described:
        """Return what is described."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Description]:
        """Return the descriptions of this thing."""
        return Description.objects.about(self.what().subject)

    def post(self, request: Request, **_named: str) -> Response:
        """Write the next description."""
        data = checked(DescriptionInput, request)
        written = services.describe(
            by=request.user,  # type: ignore[arg-type]
            what=self.what(),
            **data,
        )
        return Response(DescriptionOutput(written).data, status=status.HTTP_201_CREATED)


@extend_schema(methods=["POST"], request=DescriptionInput, responses={201: DescriptionOutput})
class VersionDescriptions(_Descriptions):
    """What a version says of itself, newest first; POST writes the next."""

    def what(self) -> ModelVersion:
        """Return the version."""
        return _version(self.kwargs["digest"])


@extend_schema(methods=["POST"], request=DescriptionInput, responses={201: DescriptionOutput})
class DeploymentDescriptions(_Descriptions):
    """What a use says of itself, newest first; POST writes the next."""

    def what(self) -> Deployment:
        """Return the use."""
        deployments = Deployment.objects.select_related("endpoint__operator")
        return get_object_or_404(deployments, slug=self.kwargs["slug"])


@extend_schema(methods=["POST"], request=DescriptionInput, responses={201: DescriptionOutput})
class EndpointDescriptions(_Descriptions):
    """What an endpoint says of itself, newest first; POST writes the next."""

    def what(self) -> Endpoint:
        """Return the endpoint."""
        endpoints = Endpoint.objects.select_related("operator")
        return get_object_or_404(endpoints, slug=self.kwargs["slug"])


class DescentOutput(serializers.ModelSerializer[Descent]):
    """One statement that a version was made from another."""

    child = serializers.CharField(source="child.digest", read_only=True)
    child_name = serializers.CharField(source="child", read_only=True)
    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.digest", read_only=True
    )
    parent_name = serializers.CharField(source="parent", read_only=True)

    class Meta:
        model = Descent
        fields = [
            "child",
            "child_name",
            "parent",
            "parent_name",
            "kind",
            "data",
            "stated_at",
            "leaf_id",
        ]


class DescentInput(serializers.Serializer[Any]):
    """From what a version was made, and how."""

    parent = serializers.RegexField(  # type: ignore[assignment]
        r"\Asha256:[0-9a-f]{64}\Z", help_text="The digest of the version that it was made from."
    )
    kind = serializers.ChoiceField(DescentKind.choices)
    data = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="What it was trained on; asked for where it was trained."
    )


class LineageOutput(serializers.Serializer[Any]):
    """The graph around a version, near edges first."""

    edges = DescentOutput(many=True)
    is_cut = serializers.BooleanField(help_text="Whether there is more than is shown.")


class Lineage(APIView):
    """What a version was made from, and what was made from it; POST states one more parent."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]

    @extend_schema(responses={200: LineageOutput})
    def get(self, request: Request, digest: str) -> Response:  # noqa: ARG002
        """Return the graph around the version, six generations up and down."""
        edges = edges_around([_version(digest)])
        found = {"edges": edges[:MOST_EDGES], "is_cut": len(edges) > MOST_EDGES}
        return Response(LineageOutput(found).data)

    @extend_schema(request=DescentInput, responses={201: DescentOutput})
    def post(self, request: Request, digest: str) -> Response:
        """State from what the version was made."""
        data = checked(DescentInput, request)
        stated = services.state_descent(
            by=request.user,  # type: ignore[arg-type]
            version=_version(digest),
            parent=named_row(ModelVersion, "parent", digest=data.pop("parent")),
            **data,
        )
        return Response(DescentOutput(stated).data, status=status.HTTP_201_CREATED)


def _version(digest: str) -> ModelVersion:
    return get_object_or_404(ModelVersion.objects.select_related("model"), digest=digest)
