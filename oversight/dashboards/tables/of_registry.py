"""Tables of what is registered and what is authorised."""

from django.db.models import Count, Func, IntegerField
from django.utils.translation import gettext_noop as _

from oversight.accounts.models import Organisation
from oversight.dashboards.tables.columns import Table, from_query
from oversight.dashboards.tables.shorthand import LEAF, acts, integer, moment, text
from oversight.registry.models import (
    Authorisation,
    Deployment,
    Endpoint,
    ModelVersion,
    RegisteredModel,
)

_ORGANISATIONS = (
    text("organisation", _("Its address name."), at="slug"),
    text("name", _("As people call it.")),
    text("website", _("Its own pages."), null=_("It gave none.")),
    moment("admitted_at", _("When it was admitted.")),
    LEAF,
)
ORGANISATIONS = Table(
    "organisations",
    _("Organisations"),
    _("Who may evaluate, operate endpoints or own workers."),
    acts("accounts.organisation.admitted"),
    _ORGANISATIONS,
    ("organisation",),
    from_query(lambda: Organisation.objects.order_by("slug"), _ORGANISATIONS),
)

_MODELS = (
    text("model", _("Its address name."), at="slug"),
    text("name", _("As people call it.")),
    text("developer", _("Who made it."), null=_("Not said.")),
    text("summary", _("What it is, in a sentence or two."), null=_("Not said.")),
    integer("versions", _("How many versions are registered."), at="version_count"),
    moment("registered_at", _("When it was registered.")),
    LEAF,
)
MODELS = Table(
    "models",
    _("Models"),
    _("Families of weights under one name. What is evaluated and authorised is a version."),
    acts("registry.model.registered"),
    _MODELS,
    ("model",),
    from_query(
        lambda: RegisteredModel.objects.annotate(version_count=Count("versions")).order_by("slug"),
        _MODELS,
    ),
)

_VERSIONS = (
    text(
        "version", _("Digest of the list of its files: name, size and sha256 of each."), at="digest"
    ),
    text("model", _("The model it is of."), at="model__slug"),
    text("label", _("As its developer names it.")),
    text("licence", _("Its licence, as SPDX names it."), null=_("Not said.")),
    integer("bytes", _("Size of its files together."), unit="bytes", at="total_bytes"),
    integer("files", _("How many files it has."), at="file_count"),
    moment("registered_at", _("When it was registered.")),
    LEAF,
)
VERSIONS = Table(
    "versions",
    _("Model versions"),
    _("Exact weights. A version never changes: other files have another digest."),
    acts("registry.version.registered"),
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
    text("endpoint", _("Its address name."), at="slug"),
    text("name", _("As people call it.")),
    text("operator", _("The organisation that runs it."), at="operator__slug"),
    text("base_url", _("Where it answers."), null=_("It is not on the public network.")),
    text(
        "claimed_version",
        _("The version that it says it serves."),
        at="claimed_version__digest",
        null=_("It says nothing."),
    ),
    moment("registered_at", _("When it was registered.")),
    LEAF,
)
ENDPOINTS = Table(
    "endpoints",
    _("Endpoints"),
    _("Where models answer."),
    acts("registry.endpoint.registered"),
    _ENDPOINTS,
    ("endpoint",),
    from_query(lambda: Endpoint.objects.order_by("slug"), _ENDPOINTS),
)

_DEPLOYMENTS = (
    text("deployment", _("Its address name."), at="slug"),
    text("name", _("As people call it.")),
    text("endpoint", _("Where it is served from."), at="endpoint__slug"),
    text("operator", _("The organisation that runs it."), at="endpoint__operator__slug"),
    text("purpose", _("What it is for.")),
    text("audience", _("Who uses it.")),
    moment("registered_at", _("When it was registered.")),
    LEAF,
)
DEPLOYMENTS = Table(
    "deployments",
    _("Uses"),
    _("An endpoint for a purpose and an audience: what authorisations are for."),
    acts("registry.deployment.registered"),
    _DEPLOYMENTS,
    ("deployment",),
    from_query(lambda: Deployment.objects.order_by("slug"), _DEPLOYMENTS),
)

_AUTHORISATIONS = (
    text("decision", _("The decision that granted it."), at="decision_ref"),
    text("deployment", _("The use."), at="deployment__slug"),
    text("version", _("The weights, by their digest."), at="version__digest"),
    text("model", _("The model they are of."), at="version__model__slug"),
    text(
        "state",
        _("in_force, suspended, revoked, expired or superseded; the gate has the last word."),
    ),
    moment("starts_at", _("From when it holds.")),
    moment("ends_at", _("Until when it holds: its sunset."), null=_("Until it is ended.")),
    moment("state_changed_at", _("Since when it is in this state.")),
    text("changed_by", _("The decision that changed its state."), null=_("None did.")),
    moment(
        "suspended_until",
        _("When a suspension lapses unless the body ratifies it."),
        null=_("It is not suspended, or the body has ratified that."),
    ),
    LEAF,
)
AUTHORISATIONS = Table(
    "authorisations",
    _("Authorisations"),
    _("Which weights may serve which use, by which decision."),
    acts("registry.authorisation.*"),
    _AUTHORISATIONS,
    ("decision",),
    from_query(lambda: Authorisation.objects.order_by("starts_at", "pk"), _AUTHORISATIONS),
)
