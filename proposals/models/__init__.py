"""Tables of the deciding floor: what is proposed, said, voted and decided."""

from proposals.models.amendments import Amendment, AmendmentVersion, Support
from proposals.models.attachments import Attachment
from proposals.models.charters import Charter
from proposals.models.decisions import Decision
from proposals.models.minutes import Minutes
from proposals.models.talk import Comment
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
    "Attachment",
    "Ballot",
    "CastingVote",
    "Charter",
    "Comment",
    "Contract",
    "Decision",
    "Delegation",
    "Minutes",
    "Proposal",
    "Recusal",
    "Revision",
    "RollEntry",
    "Support",
    "text_document",
]
