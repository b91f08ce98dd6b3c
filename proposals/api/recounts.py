"""Counting any election in public, in the network API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.web.inputs import checked
from proposals.recounts import MAX_BYTES, NAMES, SEED_CHARACTERS, recount
from proposals.tally.election import MAX_SEATS


class RecountInput(serializers.Serializer[Any]):
    """A file of ballots to count."""

    method = serializers.ChoiceField(list(NAMES))
    blt = serializers.CharField(
        max_length=MAX_BYTES, trim_whitespace=False, help_text="The whole file."
    )
    seats = serializers.IntegerField(
        min_value=1, max_value=MAX_SEATS, required=False, help_text="Instead of the file's."
    )
    lot_seed = serializers.CharField(
        max_length=SEED_CHARACTERS, required=False, help_text="What ties fall to."
    )


class SheetOutput(serializers.Serializer[Any]):
    """A tally sheet: the whole count, votes as exact decimal texts."""

    method = serializers.CharField()
    title = serializers.CharField()
    seats = serializers.IntegerField()
    valid = serializers.CharField()
    void = serializers.CharField()
    quota = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField()
    elected = serializers.ListField(child=serializers.CharField())
    stages = serializers.ListField(child=serializers.DictField())
    ties = serializers.ListField(child=serializers.DictField())
    lot_seed = serializers.CharField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


class Recounts(APIView):
    """`POST`: count a BLT file."""

    permission_classes = [Public]

    @extend_schema(operation_id="count_create", request=RecountInput, responses=SheetOutput)
    def post(self, request: Request) -> Response:
        """Count a BLT file; the answer is its tally sheet, and nothing of it is kept."""
        data = checked(RecountInput, request)
        found = recount(
            data["method"],
            data["blt"],
            field="blt",
            seats=data.get("seats"),
            lot_seed=data.get("lot_seed", ""),
        )
        return Response(found.sheet)
