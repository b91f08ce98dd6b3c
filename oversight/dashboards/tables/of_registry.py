"""Tables of what is registered and what is authorised."""

from django.db.models import Count, Func, IntegerField
from django.utils.translation import gettext_noop as _

from oversight.accounts.models import Organisation
from oversight.dashboards.tables.columns import Table, from_query
from oversight.dashboards.tables.shorthand import LEAF, integer, moment, text
from oversight.registry.models import (
    Authorisation,
    Deployment,
    Endpoint,
    ModelVersion,
    RegisteredModel,
)

_ORGANISATIONS = (
    text("organisation", "Its address name.", at="slug"),
    text("name", "As people call it."),
    text("website", "Its own pages.", null="It gave none."),
    moment("admitted_at", "When it was admitted."),
    LEAF,
)
ORGANISATIONS = Table(
    "organisations",
    _("Organisations"),
    _("Who may evaluate, operate endpoints or own workers."),
    "the acts accounts.organisation.admitted",
    _ORGANISATIONS,
    ("organisation",),
    from_query(lambda: Organisation.objects.order_by("slug"), _ORGANISATIONS),
)

_MODELS = (
    text("model", "Its address name.", at="slug"),
    text("name", "As people call it."),
    text("developer", "Who made it.", null="Not said."),
    text("summary", "What it is, in a sentence or two.", null="Not said."),
    integer("versions", "How many versions are registered.", at="version_count"),
    moment("registered_at", "When it was registered."),
    LEAF,
)
MODELS = Table(
    "models",
    _("Models"),
    _("Families of weights under one name. What is evaluated and authorised is a version."),
    "the acts registry.model.registered",
    _MODELS,
    ("model",),
    from_query(
        lambda: RegisteredModel.objects.annotate(version_count=Count("versions")).order_by("slug"),
        _MODELS,
    ),
)

_VERSIONS = (
    text("version", "Digest of the list of its files: name, size and sha256 of each.", at="digest"),
    text("model", "The model it is of.", at="model__slug"),
    text("label", "As its developer names it."),
    text("licence", "Its licence, as SPDX names it.", null="Not said."),
    integer("bytes", "Size of its files together.", unit="bytes", at="total_bytes"),
    integer("files", "How many files it has.", at="file_count"),
    moment("registered_at", "When it was registered."),
    LEAF,
)
VERSIONS = Table(
    "versions",
    _("Model versions"),
    _("Exact weights. A version never changes: other files have another digest."),
    "the acts registry.version.registered",
    _VERSIONS,
    ("version",),
    from_query(
        lambda: ModelVersion.objects.annotate(
            file_count=Func("manifest", function="jsonb_array_length", output_field=IntegerField())
        ).order_by("registered_at", "pk"),
        _VERSIONS,
    ),
)

_ENDPOINTS = (
    text("endpoint", "Its address name.", at="slug"),
    text("name", "As people call it."),
    text("operator", "The organisation that runs it.", at="operator__slug"),
    text("base_url", "Where it answers.", null="It is not on the public network."),
    text(
        "claimed_version",
        "The version that it says it serves.",
        at="claimed_version__digest",
        null="It says nothing.",
    ),
    moment("registered_at", "When it was registered."),
    LEAF,
)
ENDPOINTS = Table(
    "endpoints",
    _("Endpoints"),
    _("Where models answer."),
    "the acts registry.endpoint.registered",
    _ENDPOINTS,
    ("endpoint",),
    from_query(lambda: Endpoint.objects.order_by("slug"), _ENDPOINTS),
)

_DEPLOYMENTS = (
    text("deployment", "Its address name.", at="slug"),
    text("name", "As people call it."),
    text("endpoint", "Where it is served from.", at="endpoint__slug"),
    text("operator", "The organisation that runs it.", at="endpoint__operator__slug"),
    text("purpose", "What it is for."),
    text("audience", "Who uses it."),
    moment("registered_at", "When it was registered."),
    LEAF,
)
DEPLOYMENTS = Table(
    "deployments",
    _("Uses"),
    _("An endpoint for a purpose and an audience: what authorisations are for."),
    "the acts registry.deployment.registered",
    _DEPLOYMENTS,
    ("deployment",),
    from_query(lambda: Deployment.objects.order_by("slug"), _DEPLOYMENTS),
)

_AUTHORISATIONS = (
    text("decision", "The decision that granted it.", at="decision_ref"),
    text("deployment", "The use.", at="deployment__slug"),
    text("version", "The weights, by their digest.", at="version__digest"),
    text("model", "The model they are of.", at="version__model__slug"),
    text(
        "state", "in_force, suspended, revoked, expired or superseded; the gate has the last word."
    ),
    moment("starts_at", "From when it holds."),
    moment("ends_at", "Until when it holds: its sunset.", null="Until it is ended."),
    moment("state_changed_at", "Since when it is in this state."),
    text("changed_by", "The decision that changed its state.", null="None did."),
    moment(
        "suspended_until",
        "When a suspension lapses unless the body ratifies it.",
        null="It is not suspended, or the body has ratified that.",
    ),
    LEAF,
)
AUTHORISATIONS = Table(
    "authorisations",
    _("Authorisations"),
    _("Which weights may serve which use, by which decision."),
    "the acts registry.authorisation.*",
    _AUTHORISATIONS,
    ("decision",),
    from_query(lambda: Authorisation.objects.order_by("starts_at", "pk"), _AUTHORISATIONS),
)
