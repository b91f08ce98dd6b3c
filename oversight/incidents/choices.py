"""States, kinds and leaf types of incidents. Leaf types are never renamed.

Severity and harm follow the OECD's terms ("Defining AI incidents and related terms", 2024), so that
an incident can be exported in them; `docs/reference/incidents.md` has the table.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """Where an incident stands."""

    RECEIVED = "received", _("Received")
    TRIAGED = "triaged", _("Triaged")
    INVESTIGATING = "investigating", _("In investigation")
    MITIGATED = "mitigated", _("Mitigated")
    CLOSED = "closed", _("Closed")
    REJECTED = "rejected", _("Rejected")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.TRIAGED, Status.REJECTED}),
    Status.TRIAGED: frozenset(
        {Status.INVESTIGATING, Status.MITIGATED, Status.CLOSED, Status.REJECTED}
    ),
    Status.INVESTIGATING: frozenset({Status.MITIGATED, Status.CLOSED, Status.REJECTED}),
    # Back into investigation where what was done did not help, or something new came to light.
    Status.MITIGATED: frozenset({Status.INVESTIGATING, Status.CLOSED}),
    Status.CLOSED: frozenset({Status.INVESTIGATING}),
    Status.REJECTED: frozenset({Status.TRIAGED}),
}

OPEN = frozenset({Status.RECEIVED, Status.TRIAGED, Status.INVESTIGATING, Status.MITIGATED})
WITH_REASON = frozenset({Status.CLOSED, Status.REJECTED})
"""States that nobody enters without a public reason."""


class Severity(TextChoices):
    """How grave it is, as the body's clerk judges: a hazard could harm, an incident did."""

    HAZARD = "hazard", _("Hazard: no harm known")
    SERIOUS_HAZARD = "serious_hazard", _("Serious hazard: grave harm was near")
    INCIDENT = "incident", _("Incident: somebody was harmed")
    SERIOUS_INCIDENT = "serious_incident", _("Serious incident: grave harm was done")
    DISASTER = "disaster", _("Disaster: a community cannot cope with it")


class Category(TextChoices):
    """What went wrong, in the reporter's words first, and in the clerk's afterwards."""

    WRONG_ANSWER = "wrong_answer", _("A wrong or misleading answer")
    DISCRIMINATION = "discrimination", _("People treated unequally")
    PRIVACY = "privacy", _("Personal data given out")
    HARMFUL_CONTENT = "harmful_content", _("Harmful or insulting content")
    SECURITY = "security", _("Misuse, or a way around safeguards")
    NOT_AVAILABLE = "not_available", _("A service that did not answer")
    NOT_AUTHORISED = "not_authorised", _("A model in service that nobody authorised")
    OTHER = "other", _("Something else")


class Harm(TextChoices):
    """The kind of harm, done or possible."""

    NONE = "none", _("None known")
    PHYSICAL = "physical", _("Physical")
    PSYCHOLOGICAL = "psychological", _("Psychological")
    REPUTATIONAL = "reputational", _("To a reputation")
    ECONOMIC = "economic", _("Economic, or to property")
    ENVIRONMENTAL = "environmental", _("To the environment")
    PUBLIC = "public_interest", _("To the public interest or critical infrastructure")
    RIGHTS = "rights", _("To human or fundamental rights")


class Relation(TextChoices):
    """Who reports, as they say themselves."""

    USER = "user", _("I used it")
    AFFECTED = "affected", _("I am affected by what it did")
    STAFF = "staff", _("I work with or on it")
    RESEARCHER = "researcher", _("I study or test such systems")
    OTHER = "other", _("None of these")


class Linked(TextChoices):
    """What an incident is linked to."""

    DEPLOYMENT = "deployment", _("use")
    VERSION = "version", _("model version")
    RUN = "run", _("evaluation")
    SUSPENSION = "suspension", _("emergency suspension")
    REVIEW = "review", _("proposal to review")


class Event(TextChoices):
    """What the public timeline tells."""

    REPORTED = "reported", _("Reported")
    MOVED = "moved", _("Moved on")
    ASSESSED = "assessed", _("Assessed anew")
    PUBLISHED = "published", _("Public text written")
    NOTED = "noted", _("Note")
    LINKED = "linked", _("Linked")
    UNLINKED = "unlinked", _("Link removed")
    ADDED = "added", _("The reporter added something")
    ANSWERED = "answered", _("The body wrote to the reporter")
    HIDDEN = "hidden", _("Public text hidden")
    RESTORED = "restored", _("Public text shown again")
    ERASED = "erased", _("Private part erased")


class Leaf(TextChoices):
    """What this app puts on the record."""

    REPORTED = "incidents.incident.reported"
    MOVED = "incidents.incident.moved"
    ASSESSED = "incidents.incident.assessed"
    PUBLISHED = "incidents.incident.published"
    NOTED = "incidents.incident.noted"
    LINKED = "incidents.incident.linked"
    UNLINKED = "incidents.incident.unlinked"
    ADDED = "incidents.incident.added"
    ANSWERED = "incidents.incident.answered"
    HIDDEN = "incidents.incident.hidden"
    RESTORED = "incidents.incident.restored"
    ERASED = "incidents.incident.erased"
