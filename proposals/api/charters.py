"""Charters in the network API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics, serializers

from oversight.accounts.models import Body
from oversight.accounts.permissions import Public
from proposals.charter_chapters import chapters
from proposals.models import Charter


class ChapterOutput(serializers.Serializer[Any]):
    """What a charter says about one type of decision, in plain words."""

    type = serializers.CharField(source="kind")
    also = serializers.ListField(
        child=serializers.CharField(), help_text="Types that follow the same rules."
    )
    words = serializers.ListField(child=serializers.CharField())


class CharterOutput(serializers.ModelSerializer[Charter]):
    """One version of a charter: its document, and the same in plain words."""

    chapters = serializers.SerializerMethodField()
    decision = serializers.CharField(source="decision_ref", help_text="Empty for a first charter.")

    class Meta:
        model = Charter
        fields = ["number", "adopted_at", "decision", "digest", "document", "chapters"]

    def get_chapters(self, row: Charter) -> list[dict[str, Any]]:
        """Return the charter in plain words."""
        return [dict(ChapterOutput(chapter).data) for chapter in chapters(row.document)]


class Charters(generics.ListAPIView[Charter]):
    """All charters of a body, the one in force first."""

    permission_classes = [Public]
    serializer_class = CharterOutput
    queryset = Charter.objects.none()

    def get_queryset(self) -> QuerySet[Charter]:
        """Return those of the body that the address names."""
        body = get_object_or_404(Body, slug=self.kwargs["slug"])
        return Charter.objects.filter(body=body).order_by("-number")
