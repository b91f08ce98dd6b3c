"""Budgets of compute that bodies have voted, in the network API."""

from typing import Any

from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from evals.budgets import standings
from evals.models import ComputeBudget
from oversight.accounts.permissions import Public


class BudgetOutput(serializers.Serializer[Any]):
    """One budget with what is left of it."""

    body = serializers.CharField()
    decision = serializers.CharField()
    state = serializers.ChoiceField(["open", "spent", "over", "ended"])
    hours = serializers.IntegerField()
    used_hours = serializers.DecimalField(max_digits=14, decimal_places=4)
    left_hours = serializers.DecimalField(max_digits=14, decimal_places=4)
    runs = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField(allow_null=True)


class Budgets(generics.ListAPIView[ComputeBudget]):
    """All budgets of compute, the newest first."""

    permission_classes = [Public]
    serializer_class = BudgetOutput
    queryset = ComputeBudget.objects.select_related("body")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        """Return each with what it has paid for."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([each.as_record() for each in standings(rows or [])])
