"""States and leaf types of the registry floor. Leaf types are never renamed."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AuthorisationState(TextChoices):
    """What became of an authorisation; expiry is not a state, it follows from the clock."""

    GRANTED = "granted", _("granted")
    SUSPENDED = "suspended", _("suspended")
    REVOKED = "revoked", _("revoked")
    SUPERSEDED = "superseded", _("superseded")


TRANSITIONS: dict[AuthorisationState, frozenset[AuthorisationState]] = {
    AuthorisationState.GRANTED: frozenset(
        {AuthorisationState.SUSPENDED, AuthorisationState.REVOKED, AuthorisationState.SUPERSEDED}
    ),
    AuthorisationState.SUSPENDED: frozenset(
        {AuthorisationState.GRANTED, AuthorisationState.REVOKED, AuthorisationState.SUPERSEDED}
    ),
    # Ways back for annulments alone: what was decided in its place counts as never decided.
    AuthorisationState.REVOKED: frozenset(
        {AuthorisationState.GRANTED, AuthorisationState.SUSPENDED}
    ),
    AuthorisationState.SUPERSEDED: frozenset(
        {AuthorisationState.GRANTED, AuthorisationState.SUSPENDED, AuthorisationState.REVOKED}
    ),
}


class GateCode(TextChoices):
    """Why the gate answers as it does; the words are what it says to people."""

    AUTHORISED = "authorised", _("a decision in force authorises this version for this deployment")
    UNKNOWN_VERSION = "unknown-version", _("no registered version has this digest")
    UNKNOWN_DEPLOYMENT = "unknown-deployment", _("no deployment has this name")
    NEVER_DECIDED = "never-decided", _("no decision authorises this version for this deployment")
    NOT_YET = "not-yet", _("the authorisation has not begun")
    EXPIRED = "expired", _("the authorisation has expired")
    SUSPENDED = "suspended", _("the authorisation is suspended")
    REVOKED = "revoked", _("the authorisation was revoked")
    SUPERSEDED = "superseded", _("a later decision authorised another version instead")
    NOT_ON_RECORD = (
        "not-on-record",
        _("the decision is made and waits for its place on the public record"),
    )
    CLOCK_IN_DOUBT = (
        "clock-in-doubt",
        _("the clocks of the database and of this host disagree about whether it is in force"),
    )


class DescentKind(TextChoices):
    """How a version was made from another one."""

    BASE = "base", _("made from")
    POST_TRAINING = "post_training", _("post-trained from")
    ADAPTER = "adapter", _("an adapter for")
    MERGE = "merge", _("merged from")
    QUANTISATION = "quantisation", _("quantised from")
    CONVERSION = "conversion", _("converted from")

    @property
    def is_trained(self) -> bool:
        """Whether data went into it."""
        return self in {DescentKind.POST_TRAINING, DescentKind.ADAPTER}


class Leaf(TextChoices):
    """What this floor puts on the record."""

    MODEL_REGISTERED = "registry.model.registered"
    VERSION_REGISTERED = "registry.version.registered"
    ENDPOINT_REGISTERED = "registry.endpoint.registered"
    DEPLOYMENT_REGISTERED = "registry.deployment.registered"
    DESCENT_STATED = "registry.descent.stated"
    DESCRIPTION_WRITTEN = "registry.description.written"
    AUTHORISATION_GRANTED = "registry.authorisation.granted"
    AUTHORISATION_SUPERSEDED = "registry.authorisation.superseded"
    AUTHORISATION_SUSPENDED = "registry.authorisation.suspended"
    AUTHORISATION_REVOKED = "registry.authorisation.revoked"
    AUTHORISATION_RESTORED = "registry.authorisation.restored"
    GATE_KEY_ADOPTED = "registry.gate_key.adopted"
    GATE_KEY_RETIRED = "registry.gate_key.retired"
