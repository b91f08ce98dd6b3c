"""Descriptions in the network API: what versions, uses and endpoints say of themselves."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import writes
from oversight.registry import services
from oversight.registry.models import Deployment, Description, Endpoint, ModelVersion
from oversight.web.inputs import checked


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
        versions = ModelVersion.objects.select_related("model")
        return get_object_or_404(versions, digest=self.kwargs["digest"])


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
