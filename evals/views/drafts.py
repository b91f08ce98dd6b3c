"""A draft of a suite version: what is in it, what it changes, and its publication."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from evals.forms.suites import CATEGORY_WORDS, StockForm, SuiteForm
from evals.forms.uploads import UploadForm
from evals.models import Suite, SuiteDraft, SuiteVersion
from evals.services import drafts as service
from evals.suite_refusals import spoken
from evals.suites.changes import Changes, compare_documents
from evals.suites.document import digest, validate
from evals.views.draft_access import author, own_draft
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Refusal


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a draft: its words, its tasks, what is missing, and what it changes."""
    found = own_draft(request, ref)
    form = SuiteForm(request.POST or None, initial=found.document)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            service.describe_draft(by=author(request), draft=found, fields=form.cleaned_data)
            messages.success(request, gettext("Saved."))
            return redirect(found)
    return _draft_page(request, found, status, form=form)


def _draft_page(
    request: HttpRequest, found: SuiteDraft, status: int = 200, **forms: Any
) -> HttpResponse:
    problems = [spoken(each) for each in validate(found.document)]
    before = _published(found)
    tasks = found.document["tasks"]
    made = {task["name"] for task in tasks}
    context = {
        "draft": found,
        "form": SuiteForm(initial=found.document),
        "upload_form": UploadForm(),
        "stock_form": StockForm(auto_id="stock_%s"),
        **forms,
        "tasks": tasks,
        "unshaped": [name for name in found.uploads if name not in made],
        "categories": CATEGORY_WORDS,
        "problems": problems,
        "same": None if problems else _same(found),
        "before": before,
        "changes": _changes(request, found, before) if before else None,
        "nav": "findings",
    }
    return render(request, "evals/draft.html", context, status=status)


def _published(found: SuiteDraft) -> SuiteVersion | None:
    """Return the newest version of the suite whose next version the draft would become."""
    suite = Suite.objects.filter(slug=str(found.document.get("slug", ""))).first()
    return suite.current if suite else None


def _same(found: SuiteDraft) -> SuiteVersion | None:
    """Return the version that publishing the draft would find on the record already."""
    known = SuiteVersion.objects.filter(digest=digest(found.document))
    return known.select_related("suite").first()


def _changes(request: HttpRequest, found: SuiteDraft, before: SuiteVersion) -> Changes:
    """Compare the draft with the published version; rows only where the author may read both."""
    names = {id(task) for task in found.document["tasks"]}

    def rows_of(task: Any) -> Any:
        if id(task) in names:
            return service.readable_rows(request.user, found, task)
        return service.published_rows(request.user, task)

    return compare_documents(before.document, found.document, rows_of)


@require_POST
def upload(request: HttpRequest, ref: str) -> HttpResponse:
    """Take a file of rows for a task, and go on to its columns."""
    found = own_draft(request, ref)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _draft_page(request, found, 422, upload_form=form)
    file, name = form.cleaned_data["file"], form.cleaned_data["task"]
    try:
        service.add_upload(
            by=author(request), draft=found, task=name, file_name=file.name, content=file.read()
        )
    except Refusal as refusal:
        status = put_on_form(form, refusal)
        return _draft_page(request, found, status, upload_form=form)
    return redirect("draft-shape", ref, name)


@require_POST
def stock(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a task of the harness by its name there."""
    found = own_draft(request, ref)
    form = StockForm(request.POST, auto_id="stock_%s")
    if not form.is_valid():
        return _draft_page(request, found, 422, stock_form=form)
    service.add_stock_task(by=author(request), draft=found, **form.cleaned_data)
    messages.success(
        request,
        gettext("%(cleaned_data)s is in the draft.")
        % {
            "cleaned_data": form.cleaned_data["stock"],
        },
    )
    return redirect(found)


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask once more, then publish the draft as an immutable version."""
    found = own_draft(request, ref)
    refusal, status = "", 200
    if request.method == "POST":
        try:
            version, _ = service.publish_draft(by=author(request), draft=found)
        except Refusal as refused:
            refusal, status = refused.detail, refused.status
        else:
            messages.success(
                request,
                gettext("%(version)s is published and on the record.") % {"version": version},
            )
            return redirect(version)
    before = _published(found)
    problems = [spoken(each) for each in validate(found.document)]
    context = {
        "draft": found,
        "problems": problems,
        "same": None if problems else _same(found),
        "refusal": refusal,
        "number": before.number + 1 if before else 1,
        "before": before,
        "changes": _changes(request, found, before) if before else None,
        "nav": "findings",
    }
    return render(request, "evals/draft_publish.html", context, status=status)


@require_POST
def discard(request: HttpRequest, ref: str) -> HttpResponse:
    """Throw a draft away."""
    service.discard_draft(by=author(request), draft=own_draft(request, ref))
    messages.success(request, gettext("The draft is discarded."))
    return redirect("drafts")
