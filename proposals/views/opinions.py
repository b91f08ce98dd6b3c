"""The opinion map: one statement after the other, the map, and all statements with their shares."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.accounts.policy import is_person
from oversight.web.form_refusals import put_on_form
from oversight.web.parts import page_or_part
from oversight.web.refusals import Conflict, Invalid
from oversight.web.written import Written
from proposals import policy
from proposals.choices import Answer, Status
from proposals.crowds import counted_opinions, map_of, next_statement, row_of, texts_of
from proposals.forms.talk import AnswerForm, StatementForm
from proposals.models import Opinion, OpinionStatement, Proposal
from proposals.opinion_files import file_of, table_of
from proposals.services import opinions as services
from proposals.shown_map import ShownMap, place_of
from proposals.views.page import require_person, visible

STATEMENTS_A_PAGE = 50


@never_cache
@login_not_required
@require_safe
def opinions(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the next statement to answer, then the map and what unites and divides."""
    return _page(request, visible(request, ref))


@require_POST
def answer(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer one statement; goes on to the next one, or back to the list it was answered in."""
    person, proposal = require_person(request), visible(request, ref)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        message = _("Choose one of agree, disagree and pass.")
        raise Invalid(message, fields=dict.fromkeys(form.errors, gettext("Cannot be used.")))
    statement = get_object_or_404(
        OpinionStatement, pk=form.cleaned_data["statement"], proposal=proposal, hidden_at=None
    )
    services.give_opinion(
        by=person, statement=statement, answer=Answer(form.cleaned_data["answer"])
    )
    if request.htmx:  # type: ignore[attr-defined]
        return _page(request, proposal)
    if form.cleaned_data["page"]:
        address = reverse("proposal-statements", args=[proposal.ref])
        number = form.cleaned_data["page"]
        return HttpResponseRedirect(f"{address}?page={number}#statement-{statement.pk}")
    return HttpResponseRedirect(f"{reverse('proposal-opinions', args=[proposal.ref])}#next")


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def statements(request: HttpRequest, ref: str) -> HttpResponse:
    """List all statements with the answers of all and one's own; POST adds one."""
    proposal = visible(request, ref)
    if request.method != "POST":
        return _list(request, proposal, StatementForm(language=proposal.written_in))
    if not is_person(request.user):
        return redirect_to_login(request.path)
    form = StatementForm(request.POST)
    if not form.is_valid():
        return _list(request, proposal, form, status=422)
    try:
        services.make_statement(by=request.user, proposal=proposal, **form.cleaned_data)
    except (Conflict, Invalid) as refusal:
        return _list(request, proposal, form, status=put_on_form(form, refusal))
    return redirect(f"{reverse('proposal-opinions', args=[proposal.ref])}#next")


@login_not_required
@require_safe
def input_json(request: HttpRequest, ref: str) -> HttpResponse:
    """Send the input of the newest map, to draw it again."""
    answer = HttpResponse(file_of(_map(request, ref)), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{ref}-opinions.json"'
    return answer


@login_not_required
@require_safe
def input_csv(request: HttpRequest, ref: str) -> HttpResponse:
    """Send the rows of the newest map as a table: 1 agrees, -1 disagrees, 0 passes."""
    answer = HttpResponse(table_of(_map(request, ref)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{ref}-opinions.csv"'
    return answer


@login_not_required
@require_safe
def map_json(request: HttpRequest, ref: str) -> HttpResponse:
    """Send the newest map byte for byte, so that `sha256sum` gives its digest."""
    return HttpResponse(_map(request, ref).result, content_type="application/json")


def _map(request: HttpRequest, ref: str) -> Any:
    """Return the newest map whose answers are public: 404 where too few took part."""
    found = visible(request, ref).opinion_maps.first()
    if found is None or not found.drawn["groups"]:
        raise Http404
    return found


def _page(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    person = request.user if is_person(request.user) else None
    shown = texts_of(proposal)
    newest = map_of(proposal)
    found = ShownMap.of(newest, shown) if newest else None
    answered = counted_opinions(proposal).filter(person=person).count() if person else 0
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "is_open": proposal.status == Status.DELIBERATION,
        "may_answer": _may_answer(request, proposal),
        "statement_count": len(shown),
        "answered": answered,
        "next": next_statement(person, proposal) if person else None,
        "map": found,
        "place": place_of(newest, row_of(person, newest.drawn, proposal))
        if person and newest and found and found.has_marks
        else None,
        "statement_form": StatementForm(language=proposal.written_in),
    }
    return page_or_part(request, "proposals/opinions.html", "next", context)


def _list(
    request: HttpRequest, proposal: Proposal, form: StatementForm, status: int = 200
) -> HttpResponse:
    rows = proposal.statements.select_related("author").order_by("made_at", "id")
    page = Paginator(rows, STATEMENTS_A_PAGE).get_page(request.GET.get("page"))
    newest = map_of(proposal)
    texts = {
        str(each.leaf_id): Written(each.text, each.written_in)
        for each in page
        if each.hidden_at is None
    }
    lines = ShownMap.of(newest, texts).lines if newest and newest.drawn["groups"] else {}
    own: dict[int, str] = {}
    if is_person(request.user):
        given = Opinion.objects.filter(person=request.user, statement__in=page.object_list)
        own = dict(given.values_list("statement", "answer"))
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "page": page,
        "rows": [
            {"statement": each, "line": lines.get(str(each.leaf_id)), "own": own.get(each.pk, "")}
            for each in page
        ],
        "answers": Answer.choices,
        "map": newest,
        "may_answer": _may_answer(request, proposal),
        "may_moderate": policy.can_moderate(request.user, proposal),
        "form": form,
    }
    return render(request, "proposals/statements.html", context, status=status)


def _may_answer(request: HttpRequest, proposal: Proposal) -> bool:
    is_open = proposal.status == Status.DELIBERATION
    return is_open and policy.can_comment(request.user, proposal)
