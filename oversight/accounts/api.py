"""A person's own notices in the network API."""

from typing import Any

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts import notices as services
from oversight.accounts.choices import NoticeKind, Scope
from oversight.accounts.models import DIGEST_HOUR, Body, Notice, Person
from oversight.accounts.permissions import own
from oversight.web.inputs import checked, named_row


class NoticeOutput(serializers.ModelSerializer[Notice]):
    """One thing a person was told."""

    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Notice
        fields = [
            "id",
            "kind",
            "body",
            "about",
            "subject",
            "text",
            "path",
            "created_at",
            "read_at",
            "mail_at",
            "sent_at",
        ]


class NoticeFilter(django_filters.FilterSet):  # type: ignore[misc]
    """`?unread=true`, `?kind=`, `?body=`."""

    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")
    kind = django_filters.ChoiceFilter(choices=NoticeKind.choices)
    body = django_filters.CharFilter(field_name="body__slug")

    class Meta:
        model = Notice
        fields = ["unread", "kind", "body"]


class NoticeList(generics.ListAPIView[Notice]):
    """What one was told, newest first. Notices are kept for 180 days."""

    permission_classes = [own(Scope.NOTICES)]
    serializer_class = NoticeOutput
    filterset_class = NoticeFilter
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        """Return the caller's own."""
        person: Person = self.request.user  # type: ignore[assignment]
        return Notice.objects.filter(person=person).newest_first().select_related("body")


class ReadInput(serializers.Serializer[Any]):
    """Which notices were read."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        max_length=1000,
        allow_null=True,
        help_text="null for all of them.",
    )


class ReadOutput(serializers.Serializer[Any]):
    """How many are newly read."""

    read = serializers.IntegerField()


class NoticesRead(APIView):
    """`POST`: mark one's own notices as read."""

    permission_classes = [own(Scope.NOTICES)]

    @extend_schema(request=ReadInput, responses=ReadOutput)
    def post(self, request: Request) -> Response:
        """Mark notices as read; ids of others, or read before, change nothing."""
        data = checked(ReadInput, request)
        person: Person = request.user  # type: ignore[assignment]
        return Response({"read": services.mark_read(person=person, ids=data["ids"])})


class AtOnce(serializers.Serializer[Any]):
    """A kind of notice that does not wait for the daily mail."""

    kind = serializers.ChoiceField(NoticeKind.choices)
    body = serializers.SlugField(
        allow_null=True, default=None, help_text="One body's slug; null for every body."
    )


class NoticeSettingsShape(serializers.Serializer[Any]):
    """How a person is told. A vote that closes within 24 hours is always told at once."""

    gets_mail = serializers.BooleanField()
    digest_hour = serializers.IntegerField(min_value=0, max_value=23)
    time_zone = serializers.CharField(
        max_length=60,
        allow_blank=True,
        default="",
        help_text="Such as Europe/Zurich; empty for that of the body in which the person sits.",
    )
    language = serializers.CharField(
        max_length=12, default="en", help_text="Of notices and mails: en, fr or de."
    )
    at_once = serializers.ListField(child=AtOnce(), max_length=500, default=list)


class NoticeChoices(APIView):
    """`GET` and `PUT`: how one is told."""

    permission_classes = [own(Scope.NOTICES)]

    @extend_schema(responses=NoticeSettingsShape)
    def get(self, request: Request) -> Response:
        """Return what was chosen, or the defaults."""
        return Response(_chosen(request.user))  # type: ignore[arg-type]

    @extend_schema(request=NoticeSettingsShape, responses=NoticeSettingsShape)
    def put(self, request: Request) -> Response:
        """Choose anew; what is left out is as if never chosen."""
        data = checked(NoticeSettingsShape, request)
        person: Person = request.user  # type: ignore[assignment]
        pairs = [
            (NoticeKind(row["kind"]), named_row(Body, "body", slug=row["body"]))
            if row["body"]
            else (NoticeKind(row["kind"]), None)
            for row in data.pop("at_once")
        ]
        services.choose_notices(person=person, at_once=pairs, **data)
        return Response(_chosen(Person.objects.get(pk=person.pk)))


def _chosen(person: Person) -> dict[str, Any]:
    row = getattr(person, "notice_settings", None)
    wishes = person.immediate_kinds.order_by("kind", "id")
    return {
        "gets_mail": row.gets_mail if row else True,
        "digest_hour": row.digest_hour if row else DIGEST_HOUR,
        "time_zone": row.time_zone if row else "",
        "language": row.language if row else settings.LANGUAGE_CODE,
        "at_once": [
            {"kind": kind, "body": body} for kind, body in wishes.values_list("kind", "body__slug")
        ],
    }
