"""Roles, scopes and the leaf types of the accounts floor. Leaf types are never renamed."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class BodyRole(TextChoices):
    """What a person may be in a body."""

    MEMBER = "member", _("member")
    CHAIR = "chair", _("chair")
    CLERK = "clerk", _("clerk")

    @property
    def word(self) -> str:
        """The role in one word, in the language that is spoken."""
        return str(self.label)


VOTING_ROLES = frozenset({BodyRole.MEMBER, BodyRole.CHAIR})


class OrganisationRole(TextChoices):
    """What a person may do for an organisation."""

    EVALUATOR = "evaluator", _("evaluator")
    OPERATOR = "operator", _("operator")


class Scope(TextChoices):
    """What an API key may do beyond reading what is public."""

    RUNS_WRITE = "runs:write", _("start and cancel evaluation runs")
    SUITES_WRITE = "suites:write", _("publish suites")
    REGISTRY_WRITE = "registry:write", _("register models, endpoints and deployments")
    PROPOSALS_WRITE = "proposals:write", _("propose, comment and move stages")
    VOTES_CAST = "votes:cast", _("cast ballots")
    INCIDENTS_WRITE = (
        "incidents:write",
        _("read reports of incidents that you handle, and handle them"),
    )
    WEBHOOKS = "webhooks:own", _("subscribe addresses to what is new on the record")
    ACCOUNTS_WRITE = (
        "accounts:write",
        _("found bodies, admit organisations and appoint people, as an administrator"),
    )
    NOTICES = "notices:own", _("read your notices and open votes, and say how you are told")


class NoticeKind(TextChoices):
    """What a notice is about: people choose by it what reaches them at once."""

    VOTE_CLOSING = "vote_closing", _("a vote closes within 24 hours and waits for you")
    VOTE_OPENED = "vote_opened", _("a vote opens with you on the roll")
    TIE = "tie", _("a tie waits for your casting vote")
    DECISION = "decision", _("a vote has ended")
    QUESTION = "question", _("somebody asks you")
    ANSWER = "answer", _("somebody answers you")
    MENTION = "mention", _("somebody mentions you")
    COMMENT = "comment", _("a comment on what you proposed")
    AMENDMENT = "amendment", _("an amendment to what you proposed")
    STAGE = "stage", _("a proposal moves on")
    DELEGATION = "delegation", _("somebody delegates their vote to you")
    REMINDER = "reminder", _("a time runs out: a sunset, a review")
    INCIDENT = "incident", _("an incident that your body handles")
    ALARM = "alarm", _("an endpoint that you run, use or have checked answers otherwise")
    OTHER = "other", _("anything else")


ASKING = frozenset({NoticeKind.VOTE_CLOSING, NoticeKind.VOTE_OPENED, NoticeKind.TIE})
"""Ask for a vote: nothing to say any more once it is over."""

URGENT = frozenset({NoticeKind.VOTE_CLOSING})
"""Sent at once to everybody who gets mail: tomorrow's digest would come too late."""


class Leaf(TextChoices):
    """What this floor puts on the record."""

    ORGANISATION_ADMITTED = "accounts.organisation.admitted"
    BODY_FOUNDED = "accounts.body.founded"
    MEMBER_APPOINTED = "accounts.member.appointed"
    MEMBERSHIP_ENDED = "accounts.membership.ended"
    AFFILIATION_GRANTED = "accounts.affiliation.granted"
    AFFILIATION_ENDED = "accounts.affiliation.ended"
    EVALUATOR_ADMITTED = "accounts.evaluator.admitted"
    EVALUATOR_ENDED = "accounts.evaluator.ended"
