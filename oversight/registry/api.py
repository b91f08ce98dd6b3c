"""The registry in the network API: models, versions, deployments, the gate."""

from typing import Any

from django_filters import CharFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.choices import Scope
from oversight.accounts.models import Organisation
from oversight.accounts.permissions import Public, writes
from oversight.registry import services
from oversight.registry.model_signing import MOST_BYTES
from oversight.registry.models import (
    Authorisation,
    Deployment,
    Description,
    Endpoint,
    ModelVersion,
    RegisteredModel,
    VersionSignature,
)
from oversight.registry.queries import ModelQuerySet
from oversight.web.inputs import checked, named_row
from oversight.web.refusals import Invalid


class SignatureOutput(serializers.ModelSerializer[VersionSignature]):
    """A signature by `model-signing`, with all it takes to verify it again."""

    class Meta:
        model = VersionSignature
        fields = ["digest", "key", "signer", "bundle", "trusted"]


class VersionOutput(serializers.ModelSerializer[ModelVersion]):
    """One version: its digest and files; where workers find it stays private."""

    model = serializers.SlugRelatedField[RegisteredModel](slug_field="slug", read_only=True)
    signature = serializers.SerializerMethodField()
    card = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "model",
            "label",
            "digest",
            "total_bytes",
            "licence",
            "card",
            "registered_at",
            "signature",
            "manifest",
        ]

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_card(self, row: ModelVersion) -> dict[str, Any]:
        """Return the newest description, beside the origin of converted weights."""
        newest = Description.objects.about(row.subject).first()
        return dict(row.card) | (newest.document if newest else {})

    @extend_schema_field(SignatureOutput(allow_null=True))
    def get_signature(self, row: ModelVersion) -> dict[str, str] | None:
        """Return the verified signature; null where the files are not signed."""
        found = getattr(row, "signature", None)
        return dict(SignatureOutput(found).data) if found else None


class ModelOutput(serializers.ModelSerializer[RegisteredModel]):
    """One model with its versions' labels and digests."""

    versions = serializers.SerializerMethodField()

    class Meta:
        model = RegisteredModel
        fields = ["slug", "name", "developer", "summary", "registered_at", "versions"]

    def get_versions(self, row: RegisteredModel) -> list[dict[str, str]]:
        """Return label and digest of each version, oldest first."""
        return [{"label": v.label, "digest": v.digest} for v in row.versions.all()]


class AuthorisationOutput(serializers.ModelSerializer[Authorisation]):
    """One authorisation and the decision it rests on."""

    decision = serializers.CharField(source="decision_ref", read_only=True)
    version = serializers.CharField(source="version.digest", read_only=True)
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = Authorisation
        fields = ["decision", "version", "state", "in_force", "starts_at", "ends_at", "conditions"]

    def get_in_force(self, row: Authorisation) -> bool:
        """Say whether it allows service now."""
        return row.is_in_force()


class DeploymentOutput(serializers.ModelSerializer[Deployment]):
    """One deployment with all that was ever decided about it."""

    endpoint = serializers.SlugRelatedField[Endpoint](slug_field="slug", read_only=True)
    operator = serializers.CharField(source="endpoint.operator.slug", read_only=True)
    description = serializers.SerializerMethodField()
    authorisations = AuthorisationOutput(many=True, read_only=True)

    class Meta:
        model = Deployment
        fields = [
            "slug",
            "name",
            "purpose",
            "audience",
            "endpoint",
            "operator",
            "description",
            "authorisations",
        ]

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_description(self, row: Deployment) -> dict[str, Any]:
        """Return what the use says of itself."""
        return _document(self, row.subject)


class EndpointOutput(serializers.ModelSerializer[Endpoint]):
    """One endpoint with what it says it serves."""

    operator = serializers.CharField(source="operator.slug", read_only=True)
    description = serializers.SerializerMethodField()

    class Meta:
        model = Endpoint
        fields = ["slug", "name", "operator", "base_url", "registered_at", "description"]

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_description(self, row: Endpoint) -> dict[str, Any]:
        """Return what the endpoint says of itself."""
        return _document(self, row.subject)


def _document(serializer: serializers.BaseSerializer[Any], subject: str) -> dict[str, Any]:
    """Return the newest description of a row; those of a whole page are read at once."""
    root: Any = serializer.root
    if not hasattr(root, "described"):
        rows: Any = root.instance
        rows = rows if isinstance(root, serializers.ListSerializer) else [rows]
        root.described = Description.objects.newest(row.subject for row in rows)
    found = root.described.get(subject)
    return dict(found.document) if found else {}


class SignatureInput(serializers.Serializer[Any]):
    """A signature by `model-signing`; it is verified before anything is registered."""

    bundle = serializers.CharField(
        max_length=MOST_BYTES, trim_whitespace=False, help_text="The signature file's text."
    )
    trusted = serializers.CharField(
        max_length=100_000,
        trim_whitespace=False,
        help_text="The signer's public key, or root certificates, in PEM.",
    )
    name = serializers.CharField(
        max_length=500, required=False, default="", help_text="Its name, if it is in the manifest."
    )


class ServedInput(serializers.Serializer[Any]):
    """What an endpoint serves, where nobody shows the weights."""

    endpoint = serializers.SlugField(max_length=60)
    served_as = serializers.CharField(max_length=200, help_text="What callers write as `model`.")
    claimed = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="What else the operator says of it, such as a date of release.",
    )


class VersionInput(serializers.Serializer[Any]):
    """A version to register by the manifest of its files."""

    model = serializers.SlugField(max_length=60)
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]
    manifest = serializers.ListField(
        child=serializers.DictField(),
        max_length=20_000,
        required=False,
        help_text="The files; either these or `served`.",
    )
    served = ServedInput(required=False)
    model_name = serializers.CharField(max_length=120, required=False, default="")
    developer = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    summary = serializers.CharField(max_length=600, required=False, default="", allow_blank=True)
    licence = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="An SPDX identifier or expression.",
    )
    card = serializers.DictField(required=False)
    source = serializers.DictField(required=False)  # type: ignore[assignment]
    signature = SignatureInput(required=False)


class EndpointInput(serializers.Serializer[Any]):
    """An endpoint to register."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    operator = serializers.SlugField(max_length=60)
    base_url = serializers.URLField(required=False, default="", allow_blank=True)


class DeploymentInput(serializers.Serializer[Any]):
    """A deployment to register."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    endpoint = serializers.SlugField(max_length=60)
    purpose = serializers.CharField(max_length=300)
    audience = serializers.CharField(max_length=120)


class ModelFilter(FilterSet):  # type: ignore[misc]
    """What the list of models can be narrowed to."""

    q = CharFilter(method="search", max_length=200, label="Words in names, developer, labels.")

    def search(self, rows: ModelQuerySet, _name: str, words: str) -> ModelQuerySet:
        """Keep the models that match."""
        return rows.matching(words)


class ModelList(generics.ListAPIView[RegisteredModel]):
    """All registered models; POST registers a version (and its model, if new)."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]
    serializer_class = ModelOutput
    queryset = RegisteredModel.objects.with_versions()
    filterset_class = ModelFilter

    @extend_schema(request=VersionInput, responses={201: VersionOutput})
    def post(self, request: Request) -> Response:
        """Register a version."""
        version = _register(request.user, checked(VersionInput, request))
        return Response(VersionOutput(version).data, status=status.HTTP_201_CREATED)


def _register(by: Any, data: dict[str, Any]) -> ModelVersion:
    """Register a version by its files, or as what an endpoint serves."""
    served, signature = data.pop("served", None), data.pop("signature", None)
    if (served is None) == ("manifest" not in data):
        raise Invalid("Give either manifest or served.", fields={"manifest": "Either, not both."})
    words = {"by": by, "model_slug": data.pop("model"), **data}
    if served is None:
        return services.register_version(signature=_signature_file(signature), **words)
    if signature is not None or data.get("source"):
        raise Invalid("served goes with neither signature nor source.", fields={"served": "Alone."})
    words.pop("source", None)
    endpoint = named_row(Endpoint, "endpoint", slug=served.pop("endpoint"))
    return services.register_served_version(endpoint=endpoint, **served, **words)


def _signature_file(given: dict[str, str] | None) -> services.SignatureFile | None:
    if given is None:
        return None
    return services.SignatureFile(
        given["bundle"].encode(errors="replace"),
        given["trusted"].encode(errors="replace"),
        given["name"],
    )


class ModelDetail(generics.RetrieveAPIView[RegisteredModel]):
    """One model."""

    permission_classes = [Public]
    serializer_class = ModelOutput
    lookup_field = "slug"
    queryset = RegisteredModel.objects.with_versions()


class VersionDetail(generics.RetrieveAPIView[ModelVersion]):
    """One version by its digest, with the manifest of its files."""

    permission_classes = [Public]
    serializer_class = VersionOutput
    lookup_field = "digest"
    queryset = ModelVersion.objects.select_related("model", "signature")


class EndpointList(generics.ListAPIView[Endpoint]):
    """All endpoints; POST registers one."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]
    serializer_class = EndpointOutput
    queryset = Endpoint.objects.select_related("operator").order_by("name", "pk")

    @extend_schema(request=EndpointInput, responses={201: EndpointInput})
    def post(self, request: Request) -> Response:
        """Register an endpoint of an organisation one operates for."""
        data = checked(EndpointInput, request)
        operator = named_row(Organisation, "operator", slug=data.pop("operator"))
        services.register_endpoint(by=request.user, operator=operator, **data)  # type: ignore[arg-type]
        return Response(EndpointInput({**data, "operator": operator.slug}).data, status=201)


class EndpointDetail(generics.RetrieveAPIView[Endpoint]):
    """One endpoint."""

    permission_classes = [Public]
    serializer_class = EndpointOutput
    lookup_field = "slug"
    queryset = EndpointList.queryset


class DeploymentList(generics.ListAPIView[Deployment]):
    """All deployments; POST registers one."""

    permission_classes = [writes(Scope.REGISTRY_WRITE)]
    serializer_class = DeploymentOutput
    queryset = Deployment.objects.select_related("endpoint__operator").prefetch_related(
        "authorisations__version"
    )

    @extend_schema(request=DeploymentInput, responses={201: DeploymentOutput})
    def post(self, request: Request) -> Response:
        """Register a deployment behind an endpoint one operates."""
        data = checked(DeploymentInput, request)
        endpoint = named_row(Endpoint, "endpoint", slug=data.pop("endpoint"))
        deployment = services.register_deployment(
            by=request.user,  # type: ignore[arg-type]
            endpoint=endpoint,
            **data,
        )
        return Response(DeploymentOutput(deployment).data, status=status.HTTP_201_CREATED)


class DeploymentDetail(generics.RetrieveAPIView[Deployment]):
    """One deployment."""

    permission_classes = [Public]
    serializer_class = DeploymentOutput
    lookup_field = "slug"
    queryset = DeploymentList.queryset
