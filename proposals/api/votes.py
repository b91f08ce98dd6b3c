"""The roll, ballots and casting votes in the network API."""

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.models import Body, Membership, Person
from oversight.accounts.permissions import own, reader, writes
from oversight.ledger import services as ledger
from oversight.web.inputs import checked, named_row
from proposals.api.decisions import DecisionOutput
from proposals.api.proposals import ProposalView
from proposals.awaiting import awaiting, cast_in
from proposals.models import Proposal
from proposals.papers import MAX_OPTION_CHARACTERS, MAX_OPTIONS, MAX_REASON_CHARACTERS
from proposals.services import casting, closing, roll


class BallotInput(serializers.Serializer[Any]):
    """A ballot to cast: the one field that the method of the vote asks for."""

    choice = serializers.CharField(
        max_length=20, required=False, help_text="yes, no, abstain; or consent, abstain, object."
    )
    reason = serializers.CharField(
        max_length=MAX_REASON_CHARACTERS, required=False, help_text="Of an objection."
    )
    ranking = serializers.ListField(
        child=serializers.JSONField(),
        max_length=MAX_OPTIONS,
        required=False,
        help_text="Options, best first; a list inside it is a shared rank. For approval and "
        "plurality the options that are named. Empty for a blank ballot.",
    )
    scores = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Points by option."
    )


class CastingVoteInput(serializers.Serializer[Any]):
    """The chair's word on a tied vote."""

    names = serializers.ListField(
        child=serializers.CharField(max_length=MAX_OPTION_CHARACTERS),
        max_length=MAX_OPTIONS,
        help_text="`yes` or `no`; for an election all options, the preferred first.",
    )


class ConflictInput(serializers.Serializer[Any]):
    """A conflict of interest to declare."""

    reason = serializers.CharField(max_length=1000, help_text="For everybody to read.")


class DelegationInput(serializers.Serializer[Any]):
    """To whom a vote is delegated."""

    to = serializers.RegexField(
        r"\A(member:)?[0-9a-f]{16}\Z", help_text="The member as the record names them."
    )


class LeafOutput(serializers.Serializer[Any]):
    """An act that was put on the record."""

    leaf = serializers.UUIDField()


class BallotOutput(serializers.Serializer[Any]):
    """A ballot on the record; the receipt once a signed checkpoint covers it."""

    number = serializers.IntegerField(help_text="Counts up when a ballot is replaced.")
    cast_at = serializers.DateTimeField()
    leaf = serializers.UUIDField()
    receipt = serializers.CharField(allow_null=True)
    receipt_at = serializers.URLField(help_text="Where the receipt is or will be.")


class AwaitedOutput(serializers.Serializer[Any]):
    """One open vote with the caller on its roll, or one tie that waits for their casting vote."""

    ref = serializers.CharField(source="proposal.ref")
    body = serializers.CharField(source="proposal.body.slug")
    title = serializers.CharField()
    closes_at = serializers.DateTimeField()
    has_voted = serializers.BooleanField(
        help_text="Whether a ballot of the caller's own is cast; until the close another may be."
    )
    is_casting_vote = serializers.BooleanField(help_text="A tie that waits for the chair.")
    weight = serializers.IntegerField()
    delegate = serializers.CharField(help_text="To whom the vote is delegated; may be empty.")
    voted_for_them = serializers.CharField(
        help_text="Whose ballot counts for the caller unless they vote themselves; may be empty."
    )
    delegators = serializers.IntegerField(help_text="How many delegated to the caller directly.")


class AwaitedVotes(APIView):
    """`GET`: what waits for one's vote, and where one may still vote anew."""

    permission_classes = [own(Scope.NOTICES)]

    @extend_schema(responses=AwaitedOutput(many=True))
    def get(self, request: Request) -> Response:
        """List ties, up to 50 open votes without one's ballot, then up to 50 with it.

        Each by the soonest close first. Never how one voted: a ballot is shown to its voter alone,
        by hand.
        """
        person: Person = request.user  # type: ignore[assignment]
        rows = [*awaiting(person), *cast_in(person)]
        return Response(AwaitedOutput(rows, many=True).data)


class Ballots(ProposalView):
    """`POST`: cast or change one's ballot."""

    answers_once = True
    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=BallotInput, responses={201: BallotOutput, 202: BallotOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Cast a ballot: 201 with the receipt, 202 while the log has not covered it yet."""
        data = checked(BallotInput, request)
        ballot = casting.cast_ballot(
            by=request.user,  # type: ignore[arg-type]
            proposal=casting.find_vote(ref) or self._without_vote(request, ref),
            choice=data,
        )
        found = ledger.wait_for_receipt(ballot.leaf_id, settings.RECEIPT_WAIT_SECONDS)
        answer = {
            "number": ballot.number,
            "cast_at": ballot.cast_at,
            "leaf": str(ballot.leaf_id),
            "receipt": found.text if found else None,
            "receipt_at": f"{settings.PUBLIC_URL}/receipts/{ballot.leaf_id}/",
        }
        return Response(answer, status=201 if found else 202)

    def _without_vote(self, request: Request, ref: str) -> Proposal:
        """Return a proposal that no vote was opened on, if the caller may see it, else 404."""
        visible = Proposal.objects.visible_to(reader(request, Scope.VOTES_CAST))
        return get_object_or_404(visible, ref=ref)


class Conflicts(ProposalView):
    """`POST`: declare a conflict of interest before the vote."""

    @extend_schema(request=ConflictInput, responses={201: LeafOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Declare it; the answer names its leaf."""
        proposal, data = self.proposal(ref), checked(ConflictInput, request)
        declared = roll.declare_conflict(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            reason=data["reason"],
        )
        return Response({"leaf": str(declared.leaf_id)}, status=201)


class Delegations(APIView):
    """`POST`: delegate one's vote in a body; `DELETE`: take it back."""

    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=DelegationInput, responses={201: LeafOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Delegate to another member; an earlier delegation is replaced."""
        body, data = get_object_or_404(Body, slug=slug), checked(DelegationInput, request)
        to = named_row(Membership, "to", public_id=data["to"].removeprefix("member:"), body=body)
        given = roll.give_delegation(by=request.user, body=body, to=to)  # type: ignore[arg-type]
        return Response({"leaf": str(given.leaf_id)}, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Take it back, in open votes too."""
        body = get_object_or_404(Body, slug=slug)
        roll.revoke_delegation(by=request.user, body=body)  # type: ignore[arg-type]
        return Response(status=204)


class CastingVotes(ProposalView):
    """`POST`: break a tie that falls to the chair."""

    permission_classes = [writes(Scope.VOTES_CAST)]

    @extend_schema(request=CastingVoteInput, responses={201: DecisionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Give the casting vote; the answer is the decision."""
        proposal, data = self.proposal(ref), checked(CastingVoteInput, request)
        decision = closing.give_casting_vote(
            by=request.user,  # type: ignore[arg-type]
            proposal=proposal,
            names=data["names"],
        )
        return Response(DecisionOutput(decision).data, status=201)
