"""What everybody may do with incidents: read them, report one, follow and add to one's own."""

from typing import Any

import django_filters
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import Public, reader
from oversight.incidents import form_token, statistics
from oversight.incidents.choices import Category, Event, Harm, Linked, Relation, Severity, Status
from oversight.incidents.files import MAX_BYTES
from oversight.incidents.filters import MINE
from oversight.incidents.models import Incident, IncidentEvent
from oversight.incidents.services import reporting
from oversight.incidents.shown import as_oecd, as_record
from oversight.registry.models import Deployment
from oversight.web.inputs import checked, named_row
from oversight.web.throttling import caller_address
from oversight.web.written_inputs import OF_TEXT


class LinkOutput(serializers.Serializer[Any]):
    """What an incident is about, or has led to."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(Linked.choices)
    to = serializers.CharField(help_text="As the record names it: deployment:…, version:…, run:….")


class EventOutput(serializers.ModelSerializer[IncidentEvent]):
    """One line of the public timeline."""

    text = serializers.SerializerMethodField()

    class Meta:
        model = IncidentEvent
        fields = ["kind", "status", "at", "text", "leaf_id"]

    def get_text(self, row: IncidentEvent) -> str:
        """Return what was said in public; nothing of it while it is hidden."""
        is_hidden = row.incident.hidden_at is not None and row.kind not in {
            Event.HIDDEN,
            Event.RESTORED,
        }
        return "" if is_hidden else row.text


class IncidentOutput(serializers.Serializer[Any]):
    """The public part of one incident."""

    ref = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    severity = serializers.ChoiceField(Severity.choices, allow_null=True)
    category = serializers.ChoiceField(Category.choices, allow_null=True)
    harm = serializers.ChoiceField(Harm.choices, allow_null=True)
    body = serializers.CharField(allow_null=True)
    title = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField(help_text=OF_TEXT)
    hidden = serializers.CharField(allow_null=True, help_text="Why a clerk hides the text.")
    occurred_on = serializers.DateField(allow_null=True)
    reported_at = serializers.DateTimeField()
    responded_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    ending_reason = serializers.CharField(allow_null=True)
    links = LinkOutput(many=True)
    leaf = serializers.UUIDField()


class IncidentDetailOutput(IncidentOutput):
    """One incident with its timeline."""

    events = EventOutput(many=True)


class IncidentFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which incidents."""

    status = django_filters.ChoiceFilter(choices=Status.choices)
    severity = django_filters.ChoiceFilter(choices=Severity.choices)
    category = django_filters.ChoiceFilter(choices=Category.choices, method="of_category")
    body = django_filters.CharFilter(field_name="body__slug")
    deployment = django_filters.CharFilter(method="of_deployment")

    handled = django_filters.ChoiceFilter(
        choices=[(MINE, MINE)],
        method="of_caller",
        label="`me`: those of bodies whose clerk the caller is, and those of no body yet.",
    )

    class Meta:
        model = Incident
        fields = ["status", "severity", "category", "body", "deployment", "handled"]

    def of_caller(self, rows: Any, name: str, value: Any) -> Any:  # noqa: ARG002
        """Keep those that the caller handles; none for who handles none."""
        return rows.handled_by(reader(self.request, Scope.INCIDENTS_WRITE))

    def of_category(self, rows: Any, name: str, value: str) -> Any:  # noqa: ARG002
        """Keep those that a clerk has judged so: what a reporter chose is not public."""
        return rows.published().filter(category=value)

    def of_deployment(self, rows: Any, name: str, value: str) -> Any:  # noqa: ARG002
        """Keep those linked to a use."""
        return rows.filter(links__deployment__slug=value, links__removed_at__isnull=True).distinct()


class ReportInput(serializers.Serializer[Any]):
    """A report."""

    form = serializers.CharField(max_length=300, help_text="From `form/`, at least 3 s old.")
    text = serializers.CharField(max_length=reporting.MAX_TEXT, help_text="Private.")
    category = serializers.ChoiceField(Category.choices, required=False, default=Category.OTHER)
    relation = serializers.ChoiceField(Relation.choices, required=False)
    deployment = serializers.SlugField(max_length=60, required=False)
    occurred_on = serializers.DateField(required=False)
    email = serializers.EmailField(
        max_length=reporting.MAX_EMAIL, required=False, default="", allow_blank=True
    )


class ReportedOutput(serializers.Serializer[Any]):
    """That a report was taken."""

    ref = serializers.CharField()
    secret = serializers.CharField(help_text="Shown this once: the only way back to the report.")
    follow = serializers.CharField(help_text="The page for people.")
    leaf = serializers.UUIDField()


class FormOutput(serializers.Serializer[Any]):
    """What a report has to carry."""

    form = serializers.CharField()
    good_after_seconds = serializers.IntegerField()
    good_for_seconds = serializers.IntegerField()


class SecretInput(serializers.Serializer[Any]):
    """The secret of a report."""

    secret = serializers.CharField(max_length=200)


class AdditionInput(SecretInput):
    """What a reporter adds."""

    text = serializers.CharField(max_length=reporting.MAX_TEXT)


class FileInput(AdditionInput):
    """A file that a reporter adds, with a word about it."""

    file = serializers.FileField(max_length=255)


class MessageOutput(serializers.Serializer[Any]):
    """One thing that the reporter or the body wrote to the other."""

    by = serializers.ChoiceField(["reporter", "body"])
    text = serializers.CharField()
    sent_at = serializers.DateTimeField()


class FollowOutput(serializers.Serializer[Any]):
    """A report as its reporter sees it."""

    incident = IncidentOutput()
    erased = serializers.BooleanField()
    messages = MessageOutput(many=True)


class OecdOutput(serializers.Serializer[Any]):
    """An incident in the groups of the OECD's framework; the reference says what each holds."""

    framework = serializers.CharField()
    incident_metadata = serializers.JSONField()
    harm_details = serializers.JSONField()
    people_and_planet = serializers.JSONField()
    economic_context = serializers.JSONField()
    data_and_input = serializers.JSONField()
    ai_model = serializers.JSONField()
    task_and_output = serializers.JSONField()
    other = serializers.JSONField()
    not_held = serializers.ListField(child=serializers.CharField())


class LineOutput(serializers.Serializer[Any]):
    """One group of the statistics."""

    by = serializers.CharField()
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    number = serializers.IntegerField()
    open = serializers.IntegerField()


class StatisticsOutput(serializers.Serializer[Any]):
    """Incidents in numbers."""

    total = serializers.IntegerField()
    open = serializers.IntegerField()
    answered = serializers.IntegerField()
    waiting = serializers.IntegerField()
    median_seconds = serializers.IntegerField(allow_null=True)
    slowest_seconds = serializers.IntegerField(allow_null=True)
    lines = LineOutput(many=True)


class Incidents(generics.ListAPIView[Incident]):
    """All incidents, newest first; POST reports one, without an account."""

    permission_classes = [Public]
    forgets_callers = True
    serializer_class = IncidentOutput
    filterset_class = IncidentFilters
    queryset = Incident.objects.with_parts().newest_first()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Show the public part of each."""
        if kwargs.get("many"):
            return IncidentOutput([as_record(row) for row in args[0]], many=True)
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=ReportInput, responses={201: ReportedOutput})
    def post(self, request: Request) -> Response:
        """Report an incident; the answer holds the secret by which the reporter follows it."""
        data = checked(ReportInput, request)
        if slug := data.pop("deployment", None):
            data["deployment"] = named_row(Deployment, "deployment", slug=slug)
        incident, secret = reporting.report_incident(
            address=caller_address(request), token=data.pop("form"), **data
        )
        answer = {
            "ref": incident.ref,
            "secret": secret,
            "follow": request.build_absolute_uri(f"/incidents/follow/{secret}/"),
            "leaf": incident.leaf_id,
        }
        return Response(ReportedOutput(answer).data, status=201)


class Form(APIView):
    """What a report has to carry, so that floods of programs are told from people."""

    permission_classes = [Public]

    @extend_schema(operation_id="incidents_form", responses={200: FormOutput})
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return a fresh form: good for one report, after a moment and for a day."""
        answer = Response(
            {
                "form": form_token.new_token(),
                "good_after_seconds": form_token.YOUNGEST_SECONDS,
                "good_for_seconds": form_token.OLDEST_SECONDS,
            }
        )
        answer["Cache-Control"] = "no-store"
        return answer


def followed(incident: Incident) -> dict[str, Any]:
    """Return a report as its reporter sees it."""
    return {
        "incident": as_record(incident),
        "erased": incident.report.erased_at is not None,
        "messages": [
            {
                "by": "body" if each.author_id else "reporter",
                "text": each.text,
                "sent_at": each.sent_at,
            }
            for each in incident.messages.all()
        ],
    }


def _own(data: dict[str, Any]) -> Incident:
    incident = reporting.incident_of(data["secret"])
    if incident is None:
        raise Http404
    return incident


class Follow(APIView):
    """`POST`: what became of one's own report; the secret is sent in the body, never an address."""

    permission_classes = [Public]
    forgets_callers = True
    finds_by_body = True

    @extend_schema(request=SecretInput, responses={200: FollowOutput})
    def post(self, request: Request) -> Response:
        """Return the incident and what was written about it."""
        return Response(followed(_own(checked(SecretInput, request))))


class Add(APIView):
    """`POST`: add to one's own report."""

    permission_classes = [Public]
    forgets_callers = True
    finds_by_body = True

    @extend_schema(request=AdditionInput, responses={201: FollowOutput})
    def post(self, request: Request) -> Response:
        """Add words; those who handle the report are told."""
        data = checked(AdditionInput, request)
        incident = _own(data)
        reporting.add_to_report(
            address=caller_address(request), incident=incident, text=data["text"]
        )
        return Response(followed(incident), status=201)


class Files(APIView):
    """`POST`: add a file to one's own report, as a multipart form."""

    permission_classes = [Public]
    forgets_callers = True
    finds_by_body = True
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": FileInput}, responses={201: FollowOutput})
    def post(self, request: Request) -> Response:
        """Add a file: PDF, PNG, JPEG or plain text, told by its contents."""
        data = checked(FileInput, request)
        incident, file = _own(data), data["file"]
        reporting.add_to_report(
            address=caller_address(request),
            incident=incident,
            text=data["text"],
            files=[(file.name, file.read(MAX_BYTES + 1))],
        )
        return Response(followed(incident), status=201)


class Detail(APIView):
    """One incident."""

    permission_classes = [Public]

    @extend_schema(responses={200: IncidentDetailOutput})
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return the public part with its timeline."""
        incident = get_object_or_404(Incident.objects.with_parts(), ref=ref)
        events = incident.events.select_related("incident")
        return Response(as_record(incident) | {"events": EventOutput(events, many=True).data})


class Oecd(APIView):
    """One incident in the terms of the OECD's common reporting framework."""

    permission_classes = [Public]

    @extend_schema(operation_id="incidents_oecd", responses={200: OecdOutput})
    def get(self, request: Request, ref: str) -> Response:  # noqa: ARG002
        """Return the export; 404 until a clerk has published a text."""
        return Response(
            as_oecd(get_object_or_404(Incident.objects.published().with_parts(), ref=ref))
        )


class Statistics(APIView):
    """Incidents in numbers."""

    permission_classes = [Public]

    @extend_schema(operation_id="incidents_statistics", responses={200: StatisticsOutput})
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return how many stand where, how grave, about what, and how soon bodies answer."""
        found = statistics.figures()
        return Response(
            {
                "total": found.total,
                "open": found.open,
                "answered": found.answering.answered,
                "waiting": found.answering.waiting,
                "median_seconds": found.answering.median_seconds,
                "slowest_seconds": found.answering.slowest_seconds,
                "lines": statistics.as_records(found),
            }
        )
