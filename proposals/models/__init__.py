"""Tables of the deciding floor: what is proposed, said, voted and decided."""

from proposals.models.amendments import Amendment, AmendmentVersion, Support
from proposals.models.attachments import Attachment
from proposals.models.charters import Charter
from proposals.models.decisions import Decision, Reminder, Statement, SuiteAdoption
from proposals.models.minutes import Minutes
from proposals.models.moderation import Moderation
from proposals.models.opinions import Opinion, OpinionMap, OpinionStatement
from proposals.models.talk import Anchor, Argument, ArgumentSupport, Comment, Mention
from proposals.models.texts import Proposal, Revision, text_document
from proposals.models.votes import (
    Ballot,
    CastingVote,
    Contract,
    Delegation,
    Recusal,
    RollEntry,
)

__all__ = [
    "Amendment",
    "AmendmentVersion",
    "Anchor",
    "Argument",
    "ArgumentSupport",
    "Attachment",
    "Ballot",
    "CastingVote",
    "Charter",
    "Comment",
    "Contract",
    "Decision",
    "Delegation",
    "Mention",
    "Minutes",
    "Moderation",
    "Opinion",
    "OpinionMap",
    "OpinionStatement",
    "Proposal",
    "Recusal",
    "Reminder",
    "Revision",
    "RollEntry",
    "Statement",
    "SuiteAdoption",
    "Support",
    "text_document",
]
