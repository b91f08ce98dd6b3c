"""Charters in the network API."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from oversight.accounts.choices import Scope
from oversight.accounts.models import Body
from oversight.accounts.permissions import writes
from oversight.web.inputs import checked
from proposals.charter_chapters import chapters
from proposals.models import Charter
from proposals.services.charters import adopt_charter


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


class CharterInput(serializers.Serializer[Any]):
    """A first charter."""

    document = serializers.DictField(help_text="Rules by type of decision, as a charter has them.")


class Charters(generics.ListAPIView[Charter]):
    """All charters of a body, the one in force first; an administrator enters the first by POST."""

    permission_classes = [writes(Scope.ACCOUNTS_WRITE)]
    serializer_class = CharterOutput
    queryset = Charter.objects.none()

    def get_queryset(self) -> QuerySet[Charter]:
        """Return those of the body that the address names."""
        body = get_object_or_404(Body, slug=self.kwargs["slug"])
        return Charter.objects.filter(body=body).order_by("-number")

    @extend_schema(request=CharterInput, responses={201: CharterOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Adopt a body's first charter; every later one is the body's own to decide."""
        body, data = get_object_or_404(Body, slug=slug), checked(CharterInput, request)
        charter = adopt_charter(by=request.user, body=body, **data)  # type: ignore[arg-type]
        return Response(CharterOutput(charter).data, status=201)
