"""The text in the network API: its revisions, and amendments to it."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.permissions import Public
from oversight.web.inputs import checked
from oversight.web.written_inputs import language_input
from proposals.amending import amendments_of, fitting, rows_of
from proposals.api.proposals import ProposalView
from proposals.api.talk import ProposalList
from proposals.changes import shown_changes
from proposals.markdown import render_markdown
from proposals.models import Amendment, AmendmentVersion, Proposal, Revision
from proposals.papers import MAX_OPTION_CHARACTERS, MAX_OPTIONS
from proposals.services import amendments, drafting
from proposals.services.amendment_words import MAX_REASON
from proposals.services.amendments import MAX_ANSWER
from proposals.services.drafting import MAX_TEXT


class AmendmentInput(serializers.Serializer[Any]):
    """Another wording: the whole text as it should be."""

    text = serializers.CharField(
        max_length=MAX_TEXT,
        trim_whitespace=False,
        help_text="The whole Markdown of the revision, with the changes in it.",
    )
    reason = serializers.CharField(max_length=MAX_REASON, help_text="For everybody to read.")
    base_number = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="The revision that was changed."
    )


class AmendmentActInput(serializers.Serializer[Any]):
    """What becomes of an amendment."""

    act = serializers.ChoiceField(["accept", "reject", "withdraw", "put"])
    reason = serializers.CharField(
        max_length=MAX_ANSWER, required=False, default="", help_text="Of a rejection; in public."
    )


class EditOutput(serializers.Serializer[Any]):
    """One passage and what would stand there instead."""

    start = serializers.IntegerField(help_text="Offset in characters (code points).")
    end = serializers.IntegerField()
    passage = serializers.CharField()
    text = serializers.CharField()


class AmendmentOutput(serializers.Serializer[Any]):
    """One amendment."""

    number = serializers.IntegerField()
    author = serializers.CharField()
    status = serializers.CharField()
    base = serializers.IntegerField(help_text="The revision that the edits are of.")
    edits = EditOutput(many=True)
    reason = serializers.CharField()
    answer = serializers.CharField(help_text="Why it was rejected, if it was.")
    is_touched = serializers.BooleanField(
        help_text="A newer revision changed the same words: its author has to write it anew."
    )
    conflicts = serializers.ListField(
        child=serializers.IntegerField(), help_text="Other amendments about the same words."
    )
    vote = serializers.CharField(allow_null=True, help_text="The proposal that decides on it.")
    digest = serializers.CharField(help_text="Of its newest version.")
    leaf = serializers.UUIDField()


class RevisionInput(serializers.Serializer[Any]):
    """The next revision of a text."""

    title = serializers.CharField(max_length=160)
    summary = serializers.CharField(max_length=400)
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)
    base_number = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    options = serializers.ListField(
        child=serializers.CharField(max_length=MAX_OPTION_CHARACTERS),
        max_length=MAX_OPTIONS,
        required=False,
    )
    seats = serializers.IntegerField(required=False, min_value=1, max_value=MAX_OPTIONS)
    language = language_input("Of the text; it stays what it was where none is named.")


class RevisionOutput(serializers.Serializer[Any]):
    """One revision."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    summary = serializers.CharField()
    markdown = serializers.CharField()
    digest = serializers.CharField()
    author = serializers.CharField()
    written_at = serializers.DateTimeField()
    amendment = serializers.IntegerField(allow_null=True, help_text="That it took over.")
    leaf = serializers.UUIDField()


class TextPreviewInput(serializers.Serializer[Any]):
    """A text that is being written."""

    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)


class TextChangeOutput(serializers.Serializer[Any]):
    """One stretch of a paragraph."""

    kind = serializers.CharField(help_text="same, new, gone; skip for words left out.")
    text = serializers.CharField()


class TextParagraphOutput(serializers.Serializer[Any]):
    """One paragraph of a comparison."""

    kind = serializers.CharField(
        help_text="kept, new, gone; moved to here, left from here; skip for some left out."
    )
    number = serializers.IntegerField(help_text="Which of the moved ones; 0 for none.")
    changes = TextChangeOutput(many=True)


class TextPreviewOutput(serializers.Serializer[Any]):
    """What it would look like, and what it would change."""

    html = serializers.CharField()
    changes = TextParagraphOutput(many=True)


def _amendments_of(proposal: Proposal) -> QuerySet[Amendment]:
    """Return the amendments of a proposal in the order made, each with its newest digest."""
    versions = AmendmentVersion.objects.filter(amendment=OuterRef("pk")).order_by("-number")
    return amendments_of(proposal).annotate(newest_digest=Subquery(versions.values("digest")[:1]))


def _data(proposal: Proposal, amendments: Iterable[Amendment]) -> list[dict[str, Any]]:
    """Return amendments as the API shows them."""
    text = proposal.text
    rows = rows_of(amendments, text, fitting(proposal, text))
    return [
        {
            "number": row.amendment.number,
            "author": str(row.amendment.author),
            "status": row.amendment.status,
            "base": row.amendment.base.number,
            "edits": row.amendment.edits,
            "reason": row.amendment.reason,
            "answer": row.amendment.answer,
            "is_touched": row.is_touched,
            "conflicts": row.conflicts,
            "vote": row.amendment.vote.ref if row.amendment.vote else None,
            "digest": row.amendment.newest_digest or "",  # type: ignore[attr-defined]
            "leaf": str(row.amendment.leaf_id),
        }
        for row in rows
    ]


def _revision_data(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "title": revision.title,
        "summary": revision.summary,
        "markdown": revision.body_markdown,
        "digest": revision.digest,
        "author": str(revision.author),
        "written_at": revision.written_at,
        "amendment": revision.amendment.number if revision.amendment else None,
        "leaf": str(revision.leaf_id),
    }


class Revisions(ProposalView):
    """`POST`: write the next revision."""

    @extend_schema(request=RevisionInput, responses={201: RevisionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Write the next revision, based on the one the writer saw."""
        proposal, data = self.proposal(ref), checked(RevisionInput, request)
        revision = drafting.revise_text(by=request.user, proposal=proposal, **data)  # type: ignore[arg-type]
        return Response(_revision_data(revision), status=201)


class RevisionDetail(ProposalView):
    """One revision."""

    permission_classes = [Public]

    @extend_schema(responses=RevisionOutput)
    def get(self, request: Request, ref: str, number: int) -> Response:  # noqa: ARG002
        """Return one state of the text."""
        found = self.proposal(ref).revisions.select_related("author", "amendment")
        return Response(_revision_data(get_object_or_404(found, number=number)))


class Preview(ProposalView):
    """`POST`: what a text would look like and change. Nothing is kept."""

    @extend_schema(request=TextPreviewInput, responses={200: TextPreviewOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Set a text, and compare it with the newest revision."""
        proposal, data = self.proposal(ref), checked(TextPreviewInput, request)
        changes = shown_changes(proposal.text.body_markdown, data["text"])
        answer = {"html": render_markdown(data["text"]), "changes": changes}
        return Response(TextPreviewOutput(answer).data)


class AmendmentView(ProposalView):
    """Base of addresses of one amendment."""

    def amendment(self, ref: str, number: int) -> tuple[Proposal, Amendment]:
        """Return the amendment if the caller may see its proposal, else 404."""
        proposal = self.proposal(ref)
        found = proposal.amendments.select_related("author", "base")
        return proposal, get_object_or_404(found, number=number)


class Amendments(ProposalList):
    """Amendments to a proposal in the order made; members ask for one with POST."""

    serializer_class = AmendmentOutput
    queryset = Amendment.objects.none()

    def get_queryset(self) -> Any:
        """Return the amendments, to be made rows of a page at a time."""
        return _amendments_of(self.proposal(self.kwargs["ref"]))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        """Return each with the others that it conflicts with."""
        found = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(_data(found[0].proposal, found) if found else [])

    @extend_schema(request=AmendmentInput, responses={201: AmendmentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Ask for another wording."""
        proposal, data = self.proposal(ref), checked(AmendmentInput, request)
        made = amendments.propose_amendment(by=request.user, proposal=proposal, **data)  # type: ignore[arg-type]
        return Response(_one(proposal, made.number), status=201)


class AmendmentDetail(AmendmentView):
    """One amendment; its author writes it anew with POST."""

    @extend_schema(responses=AmendmentOutput)
    def get(self, request: Request, ref: str, number: int) -> Response:  # noqa: ARG002
        """Return one amendment."""
        proposal, found = self.amendment(ref, number)
        return Response(_one(proposal, found.number))

    @extend_schema(
        operation_id="proposals_amendments_revise",
        request=AmendmentInput,
        responses={200: AmendmentOutput},
    )
    def post(self, request: Request, ref: str, number: int) -> Response:
        """Write an amendment anew, on the newest text."""
        proposal, found = self.amendment(ref, number)
        data = checked(AmendmentInput, request)
        amendments.revise_amendment(by=request.user, amendment=found, **data)  # type: ignore[arg-type]
        return Response(_one(proposal, number))


class AmendmentAct(AmendmentView):
    """`POST`: answer an amendment, or take it back."""

    @extend_schema(request=AmendmentActInput, responses={200: AmendmentOutput})
    def post(self, request: Request, ref: str, number: int) -> Response:
        """Accept, reject, withdraw or put an amendment to a vote."""
        proposal, found = self.amendment(ref, number)
        data = checked(AmendmentActInput, request)
        who: dict[str, Any] = {"by": request.user, "amendment": found}
        if data["act"] == "accept":
            amendments.accept_amendment(**who)
        elif data["act"] == "withdraw":
            amendments.withdraw_amendment(**who)
        elif data["act"] == "put":
            amendments.put_to_vote(**who)
        else:
            amendments.reject_amendment(**who, reason=data["reason"])
        return Response(_one(proposal, number))


def _one(proposal: Proposal, number: int) -> dict[str, Any]:
    (found,) = _data(proposal, _amendments_of(proposal).filter(number=number))
    return found
