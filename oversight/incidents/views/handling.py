"""The page on which a body's clerks handle an incident, with everything they can do there."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.incidents import policy
from oversight.incidents.choices import TRANSITIONS, Category, Harm, Severity, Status
from oversight.incidents.downloads import file_answer
from oversight.incidents.forms import (
    AnswerForm,
    HidingForm,
    JudgementForm,
    LinkForm,
    MoveForm,
    NoteForm,
    SuspensionForm,
    TextForm,
    TriageForm,
)
from oversight.incidents.models import Incident, IncidentFile, IncidentLink
from oversight.incidents.naming import named
from oversight.incidents.services import consequences, handling
from oversight.incidents.services import links as linking
from oversight.incidents.shown import suspensions_of
from oversight.registry.models import Authorisation
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Data = dict[str, Any]


def _judgement(data: Data) -> Data:
    return {
        "severity": Severity(data["severity"]),
        "category": Category(data["category"]),
        "harm": Harm(data["harm"]),
    }


def _triage(by: Person, incident: Incident, data: Data) -> None:
    deployment = data["deployment"]
    handling.triage(
        by=by,
        incident=incident,
        **_judgement(data),
        title=data["title"],
        text=data["text"],
        language=data["language"],
        deployments=[deployment] if deployment else [],
    )


def _move(by: Person, incident: Incident, data: Data) -> None:
    handling.move_incident(by=by, incident=incident, to=Status(data["to"]), reason=data["reason"])


class Act(NamedTuple):
    """One thing that can be done: the form it takes, what does it, what is said then."""

    form: type[forms.Form]
    do: Callable[[Person, Incident, Data], Any]
    done: "StrOrPromise"


ACTS: dict[str, Act] = {
    "triage": Act(TriageForm, _triage, _("It is triaged, and its text is public.")),
    "assess": Act(
        JudgementForm,
        lambda by, incident, data: handling.assess(by=by, incident=incident, **_judgement(data)),
        _("The judgement is changed."),
    ),
    "move": Act(MoveForm, _move, _("It has moved on.")),
    "publish": Act(
        TextForm,
        lambda by, incident, data: handling.publish_text(by=by, incident=incident, **data),
        _("The public text is written anew."),
    ),
    "note": Act(
        NoteForm,
        lambda by, incident, data: handling.add_note(by=by, incident=incident, **data),
        _("The note stands on the timeline."),
    ),
    "answer": Act(
        AnswerForm,
        lambda by, incident, data: handling.answer_reporter(by=by, incident=incident, **data),
        _("The reporter reads it under their link."),
    ),
    "link": Act(
        LinkForm,
        lambda by, incident, data: linking.link(
            by=by, incident=incident, to=named("to", data["to"])
        ),
        _("It is linked."),
    ),
    "hide": Act(
        HidingForm,
        lambda by, incident, data: handling.hide_text(by=by, incident=incident, **data),
        _("The public text is hidden."),
    ),
    "restore": Act(
        HidingForm,
        lambda by, incident, data: handling.restore_text(by=by, incident=incident, **data),
        _("The public text is shown again."),
    ),
}


@never_cache
@require_safe
def handle(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the private part and everything that can be done, to those who may."""
    return _page(request, _readable(request, ref))


@never_cache
@require_POST
def act(request: HttpRequest, ref: str, act: str) -> HttpResponse:
    """Do one thing about an incident; its name stands in the address."""
    person, incident = _person(request), _readable(request, ref)
    if act not in ACTS:
        raise Http404
    form = _form(act, incident, request.POST)
    if not form.is_valid():
        return _page(request, incident, {act: form}, status=422)
    try:
        ACTS[act].do(person, incident, form.cleaned_data)
    except Refusal as refusal:
        return _page(request, incident, {act: form}, status=put_on_form(form, refusal))
    messages.success(request, ACTS[act].done)
    return redirect("incident-handle", ref)


@never_cache
@require_POST
def unlink(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Take a link back."""
    person, incident = _person(request), _readable(request, ref)
    link = get_object_or_404(
        IncidentLink.objects.select_related("incident"), incident=incident, pk=pk
    )
    linking.unlink(by=person, link=link)
    messages.success(request, _("The link is taken back."))
    return redirect("incident-handle", ref)


@never_cache
@require_POST
def suspend(request: HttpRequest, ref: str, decision: str) -> HttpResponse:
    """Suspend at once what the incident is about, by the emergency path of the charter."""
    person, incident = _person(request), _readable(request, ref)
    authorisation = get_object_or_404(Authorisation.objects.with_parts(), decision_ref=decision)
    form = SuspensionForm(request.POST, prefix=decision)
    if not form.is_valid():
        return _page(request, incident, {decision: form}, status=422)
    try:
        proposal = consequences.suspend_at_once(
            by=person,
            incident=incident,
            authorisation=authorisation,
            reason=form.cleaned_data["reason"],
        )
    except Refusal as refusal:
        return _page(request, incident, {decision: form}, status=put_on_form(form, refusal))
    messages.success(
        request,
        _("It is suspended; %(ref)s asks the body to ratify that.")
        % {
            "ref": proposal.ref,
        },
    )
    return redirect(incident)


@never_cache
@require_POST
def review(request: HttpRequest, ref: str) -> HttpResponse:
    """Draft the proposal that the incident asks for, and lead to its text."""
    person = _person(request)
    incident = get_object_or_404(Incident.objects.with_parts(), ref=ref)
    proposal = consequences.propose_review(by=person, incident=incident)
    messages.success(request, _("The draft is yours: say why, then put it up for deliberation."))
    return redirect("proposal-edit", proposal.ref)


@never_cache
@require_safe
def file(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Send a reporter's file to be kept; nothing in it is ever shown on this site."""
    incident = _readable(request, ref)
    found = get_object_or_404(IncidentFile, incident=incident, pk=pk)
    return file_answer(found)


def _readable(request: HttpRequest, ref: str) -> Incident:
    """Return the incident to those who may read its report."""
    rows = Incident.objects.with_parts().select_related("report__deployment")
    incident = get_object_or_404(rows, ref=ref)
    if not policy.can_read_report(request.user, incident):
        words = _("Only clerks of the body that handles it, and auditors, read a report.")
        raise NotAllowed(str(words))
    return incident


def _person(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    return request.user


def _form(act: str, incident: Incident, data: Any = None) -> forms.Form:
    """Return the form of an act, filled with what stands where nothing was sent."""
    options: Data = {"prefix": act}
    if act == "move":
        options["open_to"] = _open_to(incident)
    if act in {"triage", "assess", "publish"}:
        options["initial"] = _standing(incident)
    return ACTS[act].form(data, **options)


def _open_to(incident: Incident) -> list[Status]:
    """Return where it may go by a move, in the order of the states."""
    targets = TRANSITIONS[Status(incident.status)]
    is_judged = bool(incident.severity)
    return [each for each in Status if each in targets and (is_judged or each != Status.TRIAGED)]


def _standing(incident: Incident) -> Data:
    return {
        "severity": incident.severity,
        "category": incident.category,
        "harm": incident.harm,
        "title": incident.title,
        "text": incident.text,
        "language": incident.written_in,
        "deployment": incident.report.deployment,
    }


def _page(
    request: HttpRequest,
    incident: Incident,
    sent: dict[str, forms.Form] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    sent, may_act = sent or {}, policy.can_handle(request.user, incident)
    suspensions = consequences.suspendable(request.user, incident)
    context = {
        "incident": incident,
        "report": incident.report,
        "files": incident.files.defer("content"),
        "told": incident.messages.select_related("author"),
        "may_act": may_act,
        "needs_triage": Status.TRIAGED in TRANSITIONS[Status(incident.status)]
        and not incident.severity,
        "forms": {act: sent.get(act) or _form(act, incident) for act in ACTS} if may_act else {},
        "suspendable": [
            (row, sent.get(row.decision_ref) or SuspensionForm(prefix=row.decision_ref))
            for row in suspensions
        ],
        "suspensions": suspensions_of([incident]),
        "may_review": consequences.can_review(request.user, incident),
        "nav": "in-service",
    }
    return render(request, "incidents/handle.html", context, status=status)
