"""Drafting a proposal: what it would do is chosen first, then its form asks for what that takes."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from evals.models import SuiteVersion
from oversight.accounts.models import Body, Person
from oversight.registry.models import Authorisation
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import NotAllowed, Refusal
from proposals import policy
from proposals.choices import ABOUT_AUTHORISATIONS, GRANTING, ProposalType
from proposals.forms.kinds import TargetField, TermsForm, has_target, targets, terms_form
from proposals.forms.texts import SUITES_OFFERED, ProposalForm, suites_like
from proposals.models import Charter
from proposals.services import drafting
from proposals.views.page import require_person
from proposals.views.previews import is_preview, preview_context, show_preview

WHAT_FOR = {
    ProposalType.AUTHORISE: _(
        "One version of a model may serve one deployment, under conditions and for a time."
    ),
    ProposalType.RENEW: _("What was authorised goes on for another time."),
    ProposalType.SUSPEND: _(
        "The gate refuses what was authorised until the body decides otherwise."
    ),
    ProposalType.RETIRE: _("What was authorised ends for good."),
    ProposalType.MOTION: _("A statement of the body's will, without an effect on the registry."),
    ProposalType.ELECTION: _("People for an office, or one of several texts."),
    ProposalType.ADOPT_SUITE: _(
        "Criteria that every later proposal to authorise a model comes with."
    ),
    ProposalType.AMEND_CHARTER: _("How the body decides."),
    ProposalType.ADMIT_EVALUATOR: _("An organisation becomes an evaluator of the body."),
    ProposalType.ALLOCATE: _(
        "Hours of hosts for the evaluation of proposals; nothing is evaluated beyond them."
    ),
    ProposalType.ANNUL: _(
        "A decision of the body counts as never made, and what it did is undone."
    ),
}
"""What each type is for, in the order of the page."""


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Draft a proposal; without a type, ask what it would do."""
    person = require_person(request)
    offered = _offered(person)
    if not offered:
        raise NotAllowed(
            gettext("Only members of a body propose. A clerk can tell you how to become one.")
        )
    named = request.POST.get("type") or request.GET.get("type", "")
    if named not in ProposalType.values:
        if named:
            raise Http404
        return render(request, "proposals/choose.html", {"offered": offered, "nav": "deciding"})
    kind = ProposalType(named)
    bodies = [body for body, kinds in offered if kind in [each for each, _ in kinds]]
    if not bodies:
        raise NotAllowed(
            gettext("No body lets you propose this: %(label)s.") % {"label": kind.label}
        )
    slug = request.GET.get("body")
    bodies = [body for body in bodies if body.slug == slug] or bodies
    if kind == ProposalType.ADOPT_SUITE and _suite(request) is None:
        return _choose_suite(request, kind, bodies)
    return _form(request, person, kind, bodies)


def _offered(person: Person) -> list[tuple[Body, list[tuple[ProposalType, str]]]]:
    """Return each body to which the person may propose something, with what."""
    found = []
    newest = Charter.objects.order_by("body_id", "-number").distinct("body_id")
    for charter in newest.select_related("body"):
        kinds = [
            (kind, str(words))
            for kind, words in WHAT_FOR.items()
            if kind in charter.kinds
            and policy.can_propose(person, charter.body, charter.rules_for(kind))
        ]
        if kinds:
            found.append((charter.body, kinds))
    return found


def _form(
    request: HttpRequest, person: Person, kind: ProposalType, bodies: list[Body]
) -> HttpResponse:
    typed = request.POST.dict() if is_preview(request) else None
    form = ProposalForm(
        None if typed else request.POST or None, bodies=bodies, kind=kind, initial=typed
    )
    body = _body(request, bodies)
    about = request.GET.get("about", "")
    if has_target(kind):
        _ask_target(form, kind, body, about)
    sent = request.POST or None
    asked = terms_form(kind, body, sent, terms=_kept(kind, about), version=_suite(request))
    said = {"terms": asked, "kind": kind, "what_for": WHAT_FOR[kind], "nav": "deciding"}
    said["criteria"] = kind in GRANTING | ABOUT_AUTHORISATIONS
    if is_preview(request):
        context = {"form": form, **said, **preview_context(request)}
        return show_preview(request, "proposals/create.html", context)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() & asked.is_valid():
            data = {**form.cleaned_data, "type": kind, "terms": asked.terms()}
            try:
                proposal = drafting.draft_proposal(by=person, **data)
            except Refusal as refusal:
                status = put_on_form(_at_fault(form, asked, refusal), refusal)
            else:
                messages.success(request, gettext("The draft is kept. Only its body can see it."))
                return redirect(proposal)
    return render(request, "proposals/create.html", {"form": form, **said}, status=status)


def _at_fault(form: ProposalForm, asked: TermsForm, refusal: Refusal) -> ProposalForm | TermsForm:
    """Return the form that a refusal speaks of."""
    return asked if any(name in asked.fields for name in refusal.fields) else form


def _body(request: HttpRequest, bodies: list[Body]) -> Body:
    """Return the body that decides: the one that was chosen, else the first that could."""
    chosen = request.POST.get("body", "")
    return next((body for body in bodies if str(body.pk) == chosen), bodies[0])


def _ask_target(form: ProposalForm, kind: ProposalType, body: Body, about: str) -> None:
    """Ask which earlier decision it is about."""
    field = TargetField()
    field.queryset = targets(kind, body)
    form.fields["target"] = field
    form.initial["target"] = about
    form.order_fields(["type", "body", "target"])


def _kept(kind: ProposalType, about: str) -> dict[str, Any]:
    """Return the terms that the form begins with: a renewal keeps the conditions that stand."""
    if kind != ProposalType.RENEW:
        return {}
    row = Authorisation.objects.filter(decision_ref=about[:30]).first()
    return {"conditions": row.conditions} if row else {}


def _suite(request: HttpRequest) -> SuiteVersion | None:
    digest = request.GET.get("suite", "")[:80]
    return SuiteVersion.objects.select_related("suite").filter(digest=digest).first()


def _choose_suite(request: HttpRequest, kind: ProposalType, bodies: list[Body]) -> HttpResponse:
    """Ask which suite, by words that its title holds."""
    wanted = request.GET.get("wanted", "").strip()[:160]
    found = list(suites_like(wanted)[: SUITES_OFFERED + 1])
    context = {
        "kind": kind,
        "body": bodies[0],
        "suites": found[:SUITES_OFFERED],
        "is_cut": len(found) > SUITES_OFFERED,
        "wanted": wanted,
        "nav": "deciding",
    }
    return render(request, "proposals/choose_suite.html", context)
