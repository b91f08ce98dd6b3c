"""Pages with which evaluators start and cancel runs."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evals import policy
from evals.choices import RunState
from evals.forms.runs import RunForm
from evals.models import Run, Suite
from evals.services.runs import cancel_run, request_run
from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal


@require_http_methods(["GET", "POST"])
def start_run(request: HttpRequest, slug: str) -> HttpResponse:
    """Start an evaluation by the newest version of a suite."""
    person = person_of(request)
    suite = get_object_or_404(Suite, slug=slug)
    if not policy.can_start_run(person):
        raise NotAllowed(_("Starting an evaluation takes a role in a body or an evaluator's role."))
    form = RunForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                run = request_run(
                    by=person,
                    suite_version=suite.current,
                    model_version=form.cleaned_data["version"],
                    settings=form.run_settings(),
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return redirect(run)
    context = {"form": form, "suite": suite, "version": suite.current, "nav": "findings"}
    return render(request, "evals/start_run.html", context, status=status)


@require_POST
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    """Cancel a run."""
    run = get_object_or_404(Run, ref=ref)
    stopped = cancel_run(by=person_of(request), run=run)
    is_over = stopped.state == RunState.CANCELLED
    words = _("The run is cancelled.") if is_over else _("The run is being cancelled.")
    messages.success(request, words)
    return redirect(run)


def person_of(request: HttpRequest) -> Person:
    """Return who is signed in; for anybody else there is nothing here."""
    if not is_person(request.user):
        raise Http404
    return request.user
