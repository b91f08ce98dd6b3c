"""Counting any election in public: a file of ballots in, its tally sheet out, nothing kept."""

import json

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Invalid
from proposals.forms.recounts import RecountForm
from proposals.recounts import Recount, recount
from proposals.shown_sheet import ShownSheet, result_words


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def count(request: HttpRequest) -> HttpResponse:
    """Count a BLT file and show its sheet, or send it as JSON; which one is the button's name."""
    form, found, status = RecountForm(), None, 200
    if request.method == "POST":
        form = RecountForm(request.POST, request.FILES)
        status = 422
        if form.is_valid():
            try:
                found, status = _counted(form), 200
            except Invalid as refusal:
                status = put_on_form(form, refusal)
    if found and request.POST.get("as") == "json":
        return _as_json(found)
    context = {"nav": "record", "form": form, "found": found}
    if found:
        context["shown"] = ShownSheet.of(found.sheet)
        context["words"] = result_words(found.sheet)
    return render(request, "proposals/recount.html", context, status=status)


def _counted(form: RecountForm) -> Recount:
    return recount(
        form.cleaned_data["method"],
        form.ballots,
        field=form.field,
        seats=form.cleaned_data["seats"],
        lot_seed=form.cleaned_data["lot_seed"],
    )


def _as_json(found: Recount) -> HttpResponse:
    content = json.dumps(found.sheet, ensure_ascii=False, indent=2) + "\n"
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="sheet.json"'
    return answer
