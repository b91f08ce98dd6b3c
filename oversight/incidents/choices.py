"""States, kinds and leaf types of incidents. Leaf types are never renamed.

Severity and harm follow the OECD's terms ("Defining AI incidents and related terms", 2024), so that
an incident can be exported in them; `docs/reference/incidents.md` has the table.
"""

from django.db.models import TextChoices


class Status(TextChoices):
    """Where an incident stands."""

    RECEIVED = "received", "Received"
    TRIAGED = "triaged", "Triaged"
    INVESTIGATING = "investigating", "In investigation"
    MITIGATED = "mitigated", "Mitigated"
    CLOSED = "closed", "Closed"
    REJECTED = "rejected", "Rejected"


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

    HAZARD = "hazard", "Hazard: no harm known"
    SERIOUS_HAZARD = "serious_hazard", "Serious hazard: grave harm was near"
    INCIDENT = "incident", "Incident: somebody was harmed"
    SERIOUS_INCIDENT = "serious_incident", "Serious incident: grave harm was done"
    DISASTER = "disaster", "Disaster: a community cannot cope with it"


class Category(TextChoices):
    """What went wrong, in the reporter's words first, and in the clerk's afterwards."""

    WRONG_ANSWER = "wrong_answer", "A wrong or misleading answer"
    DISCRIMINATION = "discrimination", "People treated unequally"
    PRIVACY = "privacy", "Personal data given out"
    HARMFUL_CONTENT = "harmful_content", "Harmful or insulting content"
    SECURITY = "security", "Misuse, or a way around safeguards"
    NOT_AVAILABLE = "not_available", "A service that did not answer"
    NOT_AUTHORISED = "not_authorised", "A model in service that nobody authorised"
    OTHER = "other", "Something else"


class Harm(TextChoices):
    """The kind of harm, done or possible."""

    NONE = "none", "None known"
    PHYSICAL = "physical", "Physical"
    PSYCHOLOGICAL = "psychological", "Psychological"
    REPUTATIONAL = "reputational", "To a reputation"
    ECONOMIC = "economic", "Economic, or to property"
    ENVIRONMENTAL = "environmental", "To the environment"
    PUBLIC = "public_interest", "To the public interest or critical infrastructure"
    RIGHTS = "rights", "To human or fundamental rights"


class Relation(TextChoices):
    """Who reports, as they say themselves."""

    USER = "user", "I used it"
    AFFECTED = "affected", "I am affected by what it did"
    STAFF = "staff", "I work with or on it"
    RESEARCHER = "researcher", "I study or test such systems"
    OTHER = "other", "None of these"


class Linked(TextChoices):
    """What an incident is linked to."""

    DEPLOYMENT = "deployment", "use"
    VERSION = "version", "model version"
    RUN = "run", "evaluation"
    SUSPENSION = "suspension", "emergency suspension"
    REVIEW = "review", "proposal to review"


class Event(TextChoices):
    """What the public timeline tells."""

    REPORTED = "reported", "Reported"
    MOVED = "moved", "Moved on"
    ASSESSED = "assessed", "Assessed anew"
    PUBLISHED = "published", "Public text written"
    NOTED = "noted", "Note"
    LINKED = "linked", "Linked"
    UNLINKED = "unlinked", "Link removed"
    ADDED = "added", "The reporter added something"
    ANSWERED = "answered", "The body wrote to the reporter"
    HIDDEN = "hidden", "Public text hidden"
    RESTORED = "restored", "Public text shown again"
    ERASED = "erased", "Private part erased"


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
