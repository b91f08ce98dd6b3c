"""Minutes in the network API."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.models import Body
from oversight.accounts.permissions import reader, writes
from oversight.web.inputs import checked
from proposals.minutes import members_in
from proposals.models import Minutes
from proposals.services import minutes as services


class MinutesOutput(serializers.ModelSerializer[Minutes]):
    """One version of minutes."""

    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True)
    leaf = serializers.UUIDField(source="leaf_id", allow_null=True, read_only=True)

    class Meta:
        model = Minutes
        fields = [
            "body",
            "number",
            "version",
            "status",
            "starts_on",
            "ends_on",
            "language",
            "adopted_at",
            "digest",
            "leaf",
        ]


class MinutesDetailOutput(MinutesOutput):
    """One version with its text, and the names of the members whom it names by public id."""

    members = serializers.SerializerMethodField()

    class Meta(MinutesOutput.Meta):
        fields = [*MinutesOutput.Meta.fields, "text", "members"]

    def get_members(self, row: Minutes) -> dict[str, str]:
        """Return the names by public id."""
        return members_in(row.text)


class PeriodInput(serializers.Serializer[Any]):
    """The days that new minutes are about."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day; today at the latest.")
    language = serializers.ChoiceField(
        choices=[code for code, _name in settings.LANGUAGES],
        default=settings.LANGUAGE_CODE,
        help_text="That the draft is written in.",
    )


class MinutesInput(serializers.Serializer[Any]):
    """The whole text of minutes that are not adopted."""

    text = serializers.CharField(max_length=services.MAX_TEXT)


class MinutesActInput(serializers.Serializer[Any]):
    """What to do with minutes."""

    act = serializers.ChoiceField(["adopt", "discard", "correct"])


class MinutesList(generics.ListAPIView[Minutes]):
    """A body's minutes that the caller may see, newest first, every version."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]
    serializer_class = MinutesOutput
    queryset = Minutes.objects.none()

    def get_queryset(self) -> QuerySet[Minutes]:
        """Return what the caller may see."""
        body = get_object_or_404(Body, slug=self.kwargs["slug"])
        user = reader(self.request, Scope.PROPOSALS_WRITE)
        return Minutes.objects.filter(body=body).visible_to(user).select_related("body")

    @extend_schema(request=PeriodInput, responses={201: MinutesDetailOutput})
    def post(self, request: Request, slug: str) -> Response:
        """Draft the minutes of a period from the record: a clerk of the body."""
        body, data = get_object_or_404(Body, slug=slug), checked(PeriodInput, request)
        drafted = services.draft_minutes(by=request.user, body=body, **data)  # type: ignore[arg-type]
        return Response(MinutesDetailOutput(drafted).data, status=201)


class MinutesView(APIView):
    """Base of addresses of one version."""

    permission_classes = [writes(Scope.PROPOSALS_WRITE)]

    def minutes(self) -> Minutes:
        """Return the version if the caller may see it, else 404."""
        user = reader(self.request, Scope.PROPOSALS_WRITE)
        rows = Minutes.objects.visible_to(user).select_related("body")
        slug, number, version = (self.kwargs[name] for name in ("slug", "number", "version"))
        return get_object_or_404(rows, body__slug=slug, number=number, version=version)


class MinutesDetail(MinutesView):
    """One version of minutes."""

    @extend_schema(responses=MinutesDetailOutput)
    def get(self, request: Request, slug: str, number: int, version: int) -> Response:  # noqa: ARG002
        """Return it with its text."""
        return Response(MinutesDetailOutput(self.minutes()).data)

    @extend_schema(request=MinutesInput, responses=MinutesDetailOutput)
    def put(self, request: Request, slug: str, number: int, version: int) -> Response:  # noqa: ARG002
        """Replace the text of a draft."""
        found, data = self.minutes(), checked(MinutesInput, request)
        edited = services.edit_minutes(by=request.user, minutes=found, text=data["text"])  # type: ignore[arg-type]
        return Response(MinutesDetailOutput(edited).data)


class MinutesActs(MinutesView):
    """`POST`: adopt, discard or begin to correct minutes."""

    @extend_schema(request=MinutesActInput, responses=MinutesDetailOutput)
    def post(self, request: Request, slug: str, number: int, version: int) -> Response:  # noqa: ARG002
        """Do it; the answer is the version as it is then, of a correction its draft."""
        found, data = self.minutes(), checked(MinutesActInput, request)
        acts = {
            "adopt": services.adopt_minutes,
            "discard": services.discard_minutes,
            "correct": services.correct_minutes,
        }
        after = acts[data["act"]](by=request.user, minutes=found)  # type: ignore[arg-type]
        return Response(MinutesDetailOutput(after).data)
