"""Writing a proposal: its text, its criteria, the runs that are its evidence."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evals.choices import Comparison
from evals.models import SuiteVersion
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, NotAllowed, Refusal
from proposals import policy
from proposals.choices import ProposalType
from proposals.evaluating import start_evaluations
from proposals.forms.kinds import TermsForm, terms_form
from proposals.forms.texts import CriterionForm, RevisionForm
from proposals.models import Proposal, Revision
from proposals.readiness import obstacle_to_criteria, obstacle_to_writing
from proposals.services import drafting
from proposals.views.page import require_person, visible
from proposals.views.previews import is_preview, preview_context, show_preview


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the next revision of the text."""
    person, proposal = require_person(request), visible(request, ref)
    if not policy.can_edit_text(person, proposal):
        raise NotAllowed(_("Only the proposer edits the text."))
    if request.method == "GET" and (in_the_way := obstacle_to_writing(proposal)):
        raise Conflict(in_the_way)
    text = proposal.text
    initial = {
        "language": proposal.written_in,
        "title": text.title,
        "summary": text.summary,
        "text": text.body_markdown,
        "base_number": text.number,
        "options": text.options,
        "seats": text.seats,
    }
    if is_preview(request):
        form = RevisionForm(initial=request.POST.dict(), has_options=bool(text.options))
        asked = terms_of(proposal, request.POST, text.terms)
        context = {"form": form, "terms": asked, "proposal": proposal, "text": text}
        context |= preview_context(request, proposal)
        return show_preview(request, "proposals/edit.html", context)
    form = RevisionForm(request.POST or None, initial=initial, has_options=bool(text.options))
    asked = terms_of(proposal, request.POST or None, text.terms)
    status, newer = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid() & asked.is_valid():
            try:
                drafting.revise_text(
                    by=person, proposal=proposal, terms=asked.terms(), **form.cleaned_data
                )
            except Refusal as refusal:
                # What was typed stays on the page, whatever the reason; the next try is based on
                # the revision that is shown beside it.
                status = put_on_form(form if _is_about(form, refusal) else asked, refusal)
                newer = _newer_text(proposal, form)
            else:
                return redirect(proposal)
    context = {"form": form, "terms": asked, "proposal": proposal, "text": text, "newer": newer}
    return render(request, "proposals/edit.html", context, status=status)


def _is_about(form: RevisionForm, refusal: Refusal) -> bool:
    """Say whether a refusal speaks of the text, and not of its terms."""
    return not refusal.fields or any(name in form.fields for name in refusal.fields)


def terms_of(
    proposal: Proposal, data: Mapping[str, Any] | None, terms: Mapping[str, Any]
) -> TermsForm:
    """Return the form for a proposal's terms, filled with those of its newest text."""
    version = SuiteVersion.objects.select_related("suite").filter(digest=terms.get("suite", ""))
    kind = ProposalType(proposal.type)
    return terms_form(kind, proposal.body, data, terms=terms, version=version.first())


def _newer_text(proposal: Proposal, form: RevisionForm) -> Revision | None:
    """Return the revision written meanwhile, if any, and base the form on it."""
    latest = proposal.text
    if latest.number == form.cleaned_data["base_number"]:
        return None
    form.base_on(latest.number)
    return latest


@require_http_methods(["GET", "POST"])
def add_criterion(request: HttpRequest, ref: str) -> HttpResponse:
    """Put a criterion on the record."""
    person, proposal = require_person(request), visible(request, ref)
    if not policy.can_attach_evidence(person, proposal):
        raise NotAllowed(_("Only the proposer, members and clerks of the body set criteria."))
    if request.method == "GET":
        _require_criteria(proposal)
    wanted = request.GET.get("suite", "").strip()[:160]
    form = CriterionForm(request.POST or None, wanted=wanted)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            key, task, metric = form.measured
            try:
                drafting.attach_criterion(
                    by=person,
                    proposal=proposal,
                    suite_version=get_object_or_404(SuiteVersion, pk=key),
                    task_name=task,
                    metric=metric,
                    comparison=Comparison(form.cleaned_data["comparison"]),
                    threshold=form.cleaned_data["threshold"],
                    beside=form.cleaned_data["beside"],
                    must_pass=form.cleaned_data["must_pass"],
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(request, _("The criterion is on the record."))
                return redirect(proposal)
    context = {"form": form, "proposal": proposal, "wanted": wanted}
    return render(request, "proposals/criterion.html", context, status=status)


def _require_criteria(proposal: Proposal) -> None:
    """Refuse the empty form where no criterion can be set; a full one keeps what was typed."""
    if proposal.version_id is None:
        raise Conflict(_("Criteria belong to proposals about a model version."))
    if in_the_way := obstacle_to_criteria(proposal):
        raise Conflict(in_the_way)


@require_POST
def evaluate(request: HttpRequest, ref: str) -> HttpResponse:
    """Start the evaluations that the criteria of this proposal ask for."""
    person, proposal = require_person(request), visible(request, ref)
    for run in start_evaluations(by=person, proposal=proposal):
        version = run.model_version
        of_it = "" if version == proposal.version else f" of {version}"
        messages.success(
            request,
            _("%(suite)s%(of_it)s is queued as %(ref)s.")
            % {
                "suite": run.suite_version.suite,
                "of_it": of_it,
                "ref": run.ref,
            },
        )
    return redirect(proposal)
