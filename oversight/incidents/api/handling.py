"""What a body's clerks do about incidents, and who may read a report."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.permissions import own
from oversight.incidents import policy
from oversight.incidents.api.public import IncidentOutput, LinkOutput, MessageOutput, followed
from oversight.incidents.choices import Category, Harm, Relation, Severity, Status
from oversight.incidents.downloads import file_answer
from oversight.incidents.files import MEDIA_TYPES
from oversight.incidents.models import Incident, IncidentFile, IncidentLink
from oversight.incidents.naming import named
from oversight.incidents.reviews import KINDS
from oversight.incidents.services import consequences, handling
from oversight.incidents.services import links as linking
from oversight.incidents.shown import as_record
from oversight.registry.models import Authorisation, Deployment
from oversight.web.inputs import checked, named_row
from oversight.web.refusals import NotAllowed
from oversight.web.written_inputs import language_input
from proposals.choices import ProposalType
from proposals.services import emergency


class ReportFileOutput(serializers.Serializer[Any]):
    """One file of a report."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()


class ReportOutput(serializers.Serializer[Any]):
    """The private part of an incident."""

    ref = serializers.CharField()
    text = serializers.CharField()
    email = serializers.CharField()
    relation = serializers.ChoiceField(Relation.choices, allow_blank=True)
    deployment = serializers.CharField(allow_null=True)
    erased = serializers.BooleanField()
    files = ReportFileOutput(many=True)
    messages = MessageOutput(many=True)


class JudgementInput(serializers.Serializer[Any]):
    """How grave it is and what went wrong."""

    severity = serializers.ChoiceField(Severity.choices)
    category = serializers.ChoiceField(Category.choices)
    harm = serializers.ChoiceField(Harm.choices)


class TextInput(serializers.Serializer[Any]):
    """The public text."""

    title = serializers.CharField(max_length=handling.MAX_TITLE)
    text = serializers.CharField(max_length=handling.MAX_TEXT)
    language = language_input("Of the text; the body's where none is named.")


class TriageInput(JudgementInput, TextInput):
    """A judgement, the public text, and the uses it is about."""

    deployments = serializers.ListField(
        child=serializers.SlugField(max_length=60), max_length=10, required=False, default=list
    )


class StateInput(serializers.Serializer[Any]):
    """Where it goes."""

    to = serializers.ChoiceField(Status.choices)
    reason = serializers.CharField(
        max_length=handling.MAX_REASON,
        required=False,
        default="",
        allow_blank=True,
        help_text="Public; needed to close or reject.",
    )


class NoteInput(serializers.Serializer[Any]):
    """A note for the public timeline, or words for the reporter."""

    text = serializers.CharField(max_length=handling.MAX_NOTE)


class LinkInput(serializers.Serializer[Any]):
    """What it is about."""

    to = serializers.CharField(
        max_length=160, help_text="A use's address name, a version's digest, or run-…."
    )


class HidingInput(serializers.Serializer[Any]):
    """To hide the public text, or to show it again."""

    act = serializers.ChoiceField(["hide", "restore"])
    reason = serializers.CharField(max_length=handling.MAX_HIDING, help_text="Public.")


class IncidentSuspensionInput(serializers.Serializer[Any]):
    """Which decision's authorisation is suspended at once, and why."""

    decision = serializers.CharField(max_length=30)
    reason = serializers.CharField(max_length=emergency.MAX_REASON, help_text="Public.")


class IncidentSuspensionOutput(serializers.Serializer[Any]):
    """What asks the body to ratify it, and when it lapses otherwise."""

    ratification = serializers.CharField()
    suspended_until = serializers.DateTimeField()


FITTING = "fitting"
REVIEW_TYPES = [
    (FITTING, "whichever fits: to suspend what serves, to end what is suspended, else a motion"),
    *((each.value, each.label) for each in KINDS),
]


class ReviewInput(serializers.Serializer[Any]):
    """Which proposal."""

    type = serializers.ChoiceField(REVIEW_TYPES)


class ReviewOutput(serializers.Serializer[Any]):
    """The draft."""

    proposal = serializers.CharField()
    type = serializers.CharField()


class IncidentView(APIView):
    """Base of addresses below one incident that take the scope, for reading, too."""

    permission_classes = [own(Scope.INCIDENTS_WRITE)]
    # Reports are private: no answer of a write about one is kept.
    answers_once = True

    def incident(self, ref: str) -> Incident:
        """Return the incident, else 404."""
        rows = Incident.objects.with_parts().select_related("report__deployment")
        return get_object_or_404(rows, ref=ref)

    def readable(self, request: Request, ref: str) -> Incident:
        """Return the incident to those who may read its report."""
        incident = self.incident(ref)
        if not policy.can_read_report(request.user, incident):
            raise NotAllowed("Only clerks of the body that handles it, and auditors, read this.")
        return incident

    def answer(self, ref: str, status: int = 200) -> Response:
        """Return the incident as it stands now."""
        return Response(as_record(self.incident(ref)), status=status)


class Report(IncidentView):
    """What the reporter wrote."""

    @extend_schema(operation_id="incidents_report", responses={200: ReportOutput})
    def get(self, request: Request, ref: str) -> Response:
        """Return the private part, to clerks of the body and auditors."""
        incident = self.readable(request, ref)
        report = incident.report
        files = incident.files.defer("content")
        return Response(
            {
                "ref": incident.ref,
                "text": report.text,
                "email": report.email,
                "relation": report.relation,
                "deployment": report.deployment.slug if report.deployment else None,
                "erased": report.erased_at is not None,
                "files": ReportFileOutput(files, many=True).data,
                "messages": followed(incident)["messages"],
            }
        )


class ReportFile(IncidentView):
    """One file of a report."""

    @extend_schema(responses={(200, kind): OpenApiTypes.BINARY for kind in MEDIA_TYPES})
    def get(self, request: Request, ref: str, pk: int) -> HttpResponse:
        """Return the file, to clerks of the body and auditors."""
        incident = self.readable(request, ref)
        return file_answer(get_object_or_404(IncidentFile, incident=incident, pk=pk))


class Triage(IncidentView):
    """`POST`: judge a report and write its public text."""

    @extend_schema(request=TriageInput, responses={200: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Triage it."""
        incident, data = self.incident(ref), checked(TriageInput, request)
        uses = [named_row(Deployment, "deployments", slug=slug) for slug in data.pop("deployments")]
        handling.triage(by=request.user, incident=incident, deployments=uses, **data)  # type: ignore[arg-type]
        return self.answer(ref)


class Judgement(IncidentView):
    """`POST`: judge it anew."""

    @extend_schema(request=JudgementInput, responses={200: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Change how grave it is and what went wrong."""
        incident, data = self.incident(ref), checked(JudgementInput, request)
        handling.assess(by=request.user, incident=incident, **data)  # type: ignore[arg-type]
        return self.answer(ref)


class State(IncidentView):
    """`POST`: move it on."""

    @extend_schema(request=StateInput, responses={200: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Bring it into another state."""
        incident, data = self.incident(ref), checked(StateInput, request)
        handling.move_incident(
            by=request.user,  # type: ignore[arg-type]
            incident=incident,
            to=Status(data["to"]),
            reason=data["reason"],
        )
        return self.answer(ref)


class Text(IncidentView):
    """`POST`: write the public text anew."""

    @extend_schema(request=TextInput, responses={200: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Replace the public text; that it changed stands on the timeline."""
        incident, data = self.incident(ref), checked(TextInput, request)
        handling.publish_text(by=request.user, incident=incident, **data)  # type: ignore[arg-type]
        return self.answer(ref)


class Notes(IncidentView):
    """`POST`: a note on the public timeline."""

    @extend_schema(request=NoteInput, responses={201: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Say in public what was found or done."""
        incident, data = self.incident(ref), checked(NoteInput, request)
        handling.add_note(by=request.user, incident=incident, text=data["text"])  # type: ignore[arg-type]
        return self.answer(ref, 201)


class Answers(IncidentView):
    """`POST`: write to the reporter."""

    @extend_schema(request=NoteInput, responses={201: ReportOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Write what only the reporter reads, under the secret link."""
        incident, data = self.incident(ref), checked(NoteInput, request)
        handling.answer_reporter(by=request.user, incident=incident, text=data["text"])  # type: ignore[arg-type]
        answer = Report().get(request, ref)
        answer.status_code = 201
        return answer


class Links(IncidentView):
    """`POST`: link it to what it is about."""

    @extend_schema(request=LinkInput, responses={201: LinkOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Link it to a use, a model version or an evaluation."""
        incident, data = self.incident(ref), checked(LinkInput, request)
        link = linking.link(
            by=request.user,  # type: ignore[arg-type]
            incident=incident,
            to=named("to", data["to"]),
        )
        answer = {"id": link.pk, "kind": link.kind, "to": link.target.subject}
        return Response(LinkOutput(answer).data, status=201)


class Link(IncidentView):
    """`DELETE`: take a link back."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, ref: str, pk: int) -> Response:
        """Take it back; that it was there stays on the timeline."""
        rows = IncidentLink.objects.select_related("incident")
        link = get_object_or_404(rows, incident=self.incident(ref), pk=pk)
        linking.unlink(by=request.user, link=link)  # type: ignore[arg-type]
        return Response(status=204)


class Moderation(IncidentView):
    """`POST`: hide the public text, or show it again."""

    @extend_schema(request=HidingInput, responses={200: IncidentOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Hide it or show it, with a public reason."""
        incident, data = self.incident(ref), checked(HidingInput, request)
        acts: dict[str, Callable[..., Incident]] = {
            "hide": handling.hide_text,
            "restore": handling.restore_text,
        }
        acts[data["act"]](by=request.user, incident=incident, reason=data["reason"])
        return self.answer(ref)


class Suspension(IncidentView):
    """`POST`: suspend at once what an incident is about."""

    @extend_schema(request=IncidentSuspensionInput, responses={201: IncidentSuspensionOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Suspend it; the body is asked to ratify that, or it lapses."""
        incident, data = self.incident(ref), checked(IncidentSuspensionInput, request)
        authorisation = named_row(Authorisation, "decision", decision_ref=data["decision"])
        proposal = consequences.suspend_at_once(
            by=request.user,  # type: ignore[arg-type]
            incident=incident,
            authorisation=authorisation,
            reason=data["reason"],
        )
        authorisation.refresh_from_db()
        answer = {"ratification": proposal.ref, "suspended_until": authorisation.suspended_until}
        return Response(IncidentSuspensionOutput(answer).data, status=201)


class Review(IncidentView):
    """`POST`: draft the proposal that an incident asks for."""

    @extend_schema(request=ReviewInput, responses={201: ReviewOutput})
    def post(self, request: Request, ref: str) -> Response:
        """Draft it, filled in and linked; whoever may propose to the body may."""
        incident, data = self.incident(ref), checked(ReviewInput, request)
        wanted = None if data["type"] == FITTING else ProposalType(data["type"])
        proposal = consequences.propose_review(by=request.user, incident=incident, type=wanted)  # type: ignore[arg-type]
        answer = {"proposal": proposal.ref, "type": proposal.type}
        return Response(ReviewOutput(answer).data, status=201)
