"""The record in the network API: its acts, their receipts, and the check of a receipt."""

from typing import Any
from uuid import UUID

import django_filters
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.dashboards.views.record import MAX_RECEIPT
from oversight.ledger import queries
from oversight.ledger.choices import Outcome
from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.ledger.queries import MAX_SEARCH_CHARACTERS
from oversight.ledger.services import check_receipt
from oversight.web.inputs import checked


class ActOutput(serializers.ModelSerializer[LedgerEntry]):
    """One act on the record; its exact bytes are at `leaf`."""

    content = serializers.DictField(help_text="The leaf as read from its bytes.", read_only=True)
    leaf = serializers.SerializerMethodField(help_text="Address of the bytes.")

    class Meta:
        model = LedgerEntry
        fields = [
            "index",
            "type",
            "actor",
            "subject",
            "leaf_id",
            "leaf_hash",
            "sequenced_at",
            "leaf",
            "content",
        ]

    def get_leaf(self, row: LedgerEntry) -> str:
        """Return where the bytes are."""
        return reverse("record-leaf", args=[row.index])


class ActDetailOutput(ActOutput):
    """One act with its receipt."""

    receipt = serializers.SerializerMethodField(help_text="null until a checkpoint covers it.")

    class Meta(ActOutput.Meta):
        fields = [*ActOutput.Meta.fields, "receipt"]

    def get_receipt(self, row: LedgerEntry) -> str | None:
        """Return the whole receipt (a tlog-proof) under the newest checkpoint."""
        found = queries.receipt_at(row.index)
        return found.text if found else None


class ActFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`?subject=`, `?actor=`, `?q=`."""

    subject = django_filters.CharFilter(label="Exactly this, such as proposal:2026-001.")
    actor = django_filters.CharFilter(label="Exactly this, such as member:0f1e2d3c4b5a6978.")
    q = django_filters.CharFilter(
        method="search",
        max_length=MAX_SEARCH_CHARACTERS,
        label="An index, leaf hash or leaf id, or the beginning of a subject or an actor.",
    )

    class Meta:
        model = LedgerEntry
        fields = ["subject", "actor"]

    def search(self, rows: Any, _name: str, words: str) -> Any:
        """Keep what the words point at."""
        return rows & queries.find(words)


class Acts(generics.ListAPIView[LedgerEntry]):
    """All acts on the record, newest first."""

    permission_classes = [Public]
    serializer_class = ActOutput
    filterset_class = ActFilter
    queryset = LedgerEntry.objects.newest_first()


class Act(APIView):
    """One act, with its receipt."""

    permission_classes = [Public]

    @extend_schema(responses=ActDetailOutput)
    def get(self, request: Request, index: int) -> Response:  # noqa: ARG002
        """Return one act by its place in the log."""
        if index >= 1 << 63:
            raise Http404
        return Response(ActDetailOutput(get_object_or_404(LedgerEntry, index=index)).data)


class WaitingOutput(serializers.Serializer[Any]):
    """That an act is committed and waits for its place."""

    leaf_id = serializers.UUIDField()
    waits = serializers.BooleanField()


class ReceiptOfLeaf(APIView):
    """The act of a leaf, by the name that each write answers with."""

    permission_classes = [Public]

    @extend_schema(
        operation_id="receipts_retrieve", responses={200: ActDetailOutput, 202: WaitingOutput}
    )
    def get(self, request: Request, leaf_id: UUID) -> Response:  # noqa: ARG002
        """Return the act with its receipt; 202 while it waits for its place in the log."""
        found = LedgerEntry.objects.filter(leaf_id=leaf_id).first()
        if found is not None:
            return Response(ActDetailOutput(found).data)
        get_object_or_404(PendingLeaf, pk=leaf_id)
        answer = {"leaf_id": leaf_id, "waits": True}
        return Response(WaitingOutput(answer).data, status=202, headers={"Retry-After": "1"})


class ReceiptInput(serializers.Serializer[Any]):
    """A receipt to check."""

    receipt = serializers.CharField(max_length=MAX_RECEIPT, trim_whitespace=False)


class CheckStepOutput(serializers.Serializer[Any]):
    """One step of the check and what it shows."""

    name = serializers.CharField()
    title = serializers.CharField()
    outcome = serializers.ChoiceField(Outcome.choices)
    explanation = serializers.CharField()


class ReceiptCheckOutput(serializers.Serializer[Any]):
    """What a receipt proves here, step by step."""

    ok = serializers.BooleanField()
    index = serializers.IntegerField(allow_null=True, source="entry.index", default=None)
    tree_size = serializers.IntegerField(allow_null=True)
    steps = CheckStepOutput(many=True)


class ReceiptChecks(APIView):
    """`POST`: check a receipt."""

    permission_classes = [Public]

    @extend_schema(request=ReceiptInput, responses=ReceiptCheckOutput)
    def post(self, request: Request) -> Response:
        """Check a receipt against this log, in steps; nothing of it is kept.

        To trust nobody, check it by oneself: the page of the API has a program.
        """
        text = checked(ReceiptInput, request)["receipt"]
        return Response(ReceiptCheckOutput(check_receipt(text)).data)
