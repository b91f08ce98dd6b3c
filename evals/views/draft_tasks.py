"""One task of a draft: its rows, its wording, the exact prompt."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evals.forms.tasks import TaskForm
from evals.forms.uploads import ShapeForm
from evals.models import SuiteDraft
from evals.services import drafts as service
from evals.suite_refusals import in_words
from evals.suites.authoring import exact_prompt, guess_columns
from evals.suites.templates import TemplateRefused
from evals.templatetags.metric_tags import visibility
from evals.views.draft_access import author, own_draft, task_of
from oversight.web.form_refusals import put_on_form
from oversight.web.parts import page_or_part
from oversight.web.refusals import Refusal

FIRST_ROWS = 5
SHOWN_CHARACTERS = 400


@require_http_methods(["GET", "POST"])
def shape(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Show the columns and first rows of an upload, and ask which column is what."""
    found = own_draft(request, ref)
    if "columns" not in found.uploads.get(name, {}):
        raise Http404
    upload = found.uploads[name]
    columns = dict(upload["columns"])
    guess = {**guess_columns(columns), **upload.get("chosen", {})}
    guess["form"] = upload.get("form", guess["form"])
    form = ShapeForm(request.POST or None, initial=guess, columns=columns)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                service.shape_task(
                    by=author(request),
                    draft=found,
                    task=name,
                    form=form.cleaned_data["form"],
                    chosen=form.chosen(),
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return redirect("draft-task", ref, name)
    table = service.uploaded_table(found, name)
    rows = [[_short(row[column]) for column in table.columns] for row in table.rows[:FIRST_ROWS]]
    context = {
        "draft": found,
        "name": name,
        "upload": upload,
        "columns": table.columns,
        "rows": rows,
        "form": form,
        "nav": "findings",
    }
    return render(request, "evals/draft_rows.html", context, status=status)


def _short(value: Any) -> str:
    text = " | ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"


@require_http_methods(["GET", "POST"])
def task(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Word a task beside the exact prompt of any of its rows; `preview` shows and keeps nothing."""
    found = own_draft(request, ref)
    entry = task_of(found, name)
    if "config" not in entry:
        raise Http404
    form = TaskForm(request.POST or None, task=entry)
    status, shown = 200, entry
    is_preview = "preview" in request.POST or bool(getattr(request, "htmx", False))
    if request.method == "POST":
        status = 200 if is_preview else 422
        if form.is_valid():
            shown = form.changed_task(entry)
            if not is_preview:
                try:
                    service.change_task(
                        by=author(request), draft=found, task=name, changes=form.changed_task
                    )
                except Refusal as refusal:
                    status = put_on_form(form, refusal)
                else:
                    messages.success(request, _("%(shown)s is saved.") % {"shown": shown["title"]})
                    return redirect("draft-task", ref, name)
    context = {
        "draft": found,
        "name": name,
        "task": entry,
        "form": form,
        "upload": found.uploads.get(name, {}),
        "preview": _preview(request, found, shown, form),
        "nav": "findings",
    }
    return page_or_part(request, "evals/draft_task.html", "preview", context, status=status)


def _preview(
    request: HttpRequest, found: SuiteDraft, entry: dict[str, Any], form: TaskForm
) -> dict[str, Any]:
    """Return one row's prompt as the harness sends it, or why there is none."""
    if form.is_bound and not form.is_valid():
        return {"refusal": _("The prompt appears here once the fields on the left are mended.")}
    rows = service.readable_rows(request.user, found, entry)
    if rows is None:
        return {
            "refusal": _("The items of this task are %(entry)s.")
            % {"entry": visibility(entry["visibility"])}
        }
    sample = (form.cleaned_data.get("sample") if form.is_bound else 1) or 1
    place = min(sample, len(rows))
    try:
        context, answers, target = exact_prompt(entry, rows, place - 1)  # type: ignore[arg-type]
    except TemplateRefused as refusal:
        return {"refusal": in_words(str(refusal))}
    delimiter = entry["config"].get("target_delimiter", " ")
    return {
        "place": place,
        "count": len(rows),
        "row": rows[place - 1],
        "context": context,
        "answers": [(answer, answer == delimiter + target) for answer in answers],
        "target": target,
    }


@require_POST
def remove(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Take a task out of a draft."""
    found = own_draft(request, ref)
    service.remove_task(by=author(request), draft=found, task=name)
    messages.success(request, _("%(name)s is out of the draft.") % {"name": name})
    return redirect(found)
