"""Pages on which evaluators write, preview and publish suite versions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from evals import policy
from evals.forms import (
    CATEGORY_WORDS,
    ShapeForm,
    StockForm,
    SuiteForm,
    TaskForm,
    UploadForm,
    ZipForm,
)
from evals.models import Suite, SuiteDraft, SuiteVersion
from evals.services import drafts as service
from evals.services.suites import publish_suite
from evals.suites.authoring import exact_prompt, guess_columns
from evals.suites.changes import Changes, compare_documents
from evals.suites.checking import SuiteError
from evals.suites.document import validate
from evals.suites.library import library_slugs, load_library
from evals.suites.ready import definitions, missing_words, resolve
from evals.suites.templates import TemplateRefused
from evals.suites.unpacking import ARCHIVE_LIMIT_BYTES, read_suite_zip
from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.web.form_refusals import put_on_form
from oversight.web.parts import page_or_part
from oversight.web.refusals import Conflict, Invalid, NotAllowed, Refusal

FIRST_ROWS = 5
SHOWN_CHARACTERS = 400


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List one's drafts; begin one empty, from a published version, or from a zip."""
    person = _author(request)
    asked = request.POST.get("act") if request.method == "POST" else None
    bases = {v.suite.slug: v for v in _newest_versions()}
    form = SuiteForm(request.POST if asked == "new" else None)
    zipped = ZipForm(request.POST, request.FILES) if asked == "zip" else ZipForm()
    status: SuiteDraft | int = 200
    if asked == "new":
        status = _begin(form, lambda data: service.start_draft(by=person, fields=data))
    elif asked == "zip":
        status = _begin(zipped, lambda data: _from_zip(person, data["zip"]))
    elif asked == "version":
        base = bases.get(request.POST.get("base", ""))
        if base is None:
            raise Http404
        return redirect(service.start_draft(by=person, fields={}, base=base))
    if isinstance(status, SuiteDraft):
        return redirect(status)
    context = {
        "drafts": SuiteDraft.objects.filter(owner=person).order_by("-updated_at"),
        "form": form,
        "zip_form": zipped,
        "bases": sorted(bases.values(), key=lambda v: v.suite.title),
        "library": _library(bases),
        "ready": _ready(bases),
        "nav": "findings",
    }
    return render(request, "evals/drafts.html", context, status=status)


def _begin(form: Any, start: Callable[[dict[str, Any]], SuiteDraft]) -> SuiteDraft | int:
    """Return the draft that a good form begins, or the status of a bad one."""
    if not form.is_valid():
        return 422
    try:
        return start(form.cleaned_data)
    except Refusal as refusal:
        return put_on_form(form, refusal)


def _from_zip(person: Person, file: Any) -> SuiteDraft:
    if file.size > ARCHIVE_LIMIT_BYTES:
        raise Invalid(f"It is larger than {ARCHIVE_LIMIT_BYTES // 1_048_576} MiB.")
    try:
        imported = read_suite_zip(file.read())
    except SuiteError as error:
        raise Invalid(str(error), fields={"zip": str(error)}) from None
    return service.draft_from(by=person, imported=imported)


def _newest_versions() -> list[SuiteVersion]:
    newest = SuiteVersion.objects.order_by("suite_id", "-number").distinct("suite_id")
    return list(newest.select_related("suite"))


def _library(published: dict[str, SuiteVersion]) -> list[dict[str, Any]]:
    """Return the suites that come with the project, and whether they are installed."""
    return [
        {"slug": slug, "document": load_library(slug).document, "version": published.get(slug)}
        for slug in library_slugs()
    ]


def _ready(published: dict[str, SuiteVersion]) -> list[dict[str, Any]]:
    """Return the definitions of known benchmarks, and what each still lacks."""
    return [
        {
            "definition": each,
            "category": CATEGORY_WORDS[each.category],
            "version": published.get(each.slug),
            "missing": missing_words(each, _sources()),
        }
        for each in definitions().values()
    ]


def _sources() -> Path:
    return Path(settings.OVERSIGHT_VAR) / "suite-sources"


@require_POST
def install(request: HttpRequest, slug: str) -> HttpResponse:
    """Publish a suite of the library, or a known benchmark whose files are here."""
    person = _author(request)
    known = definitions()
    try:
        if slug in library_slugs():
            suite = load_library(slug)
        elif slug in known:
            suite = resolve(known[slug], _sources())
        else:
            raise Http404
    except SuiteError as error:
        raise Conflict(str(error)) from None
    version, is_new = publish_suite(by=person, document=dict(suite.document), files=suite.files)
    words = f"{version} is published." if is_new else f"{version} was published already."
    messages.success(request, words)
    return redirect(version.suite)


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, ref: str) -> HttpResponse:
    """Show a draft: its words, its tasks, what is missing, and what it changes."""
    found = _own(request, ref)
    form = SuiteForm(request.POST or None, initial=found.document)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            service.describe_draft(by=_author(request), draft=found, fields=form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect(found)
    return _draft_page(request, found, status, form=form)


def _draft_page(
    request: HttpRequest, found: SuiteDraft, status: int = 200, **forms: Any
) -> HttpResponse:
    problems = validate(found.document)
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
        "before": before,
        "changes": _changes(request, found, before) if before else None,
        "nav": "findings",
    }
    return render(request, "evals/draft.html", context, status=status)


def _published(found: SuiteDraft) -> SuiteVersion | None:
    """Return the newest version of the suite whose next version the draft would become."""
    suite = Suite.objects.filter(slug=str(found.document.get("slug", ""))).first()
    return suite.current if suite else None


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
    found = _own(request, ref)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _draft_page(request, found, 422, upload_form=form)
    file, name = form.cleaned_data["file"], form.cleaned_data["task"]
    try:
        service.add_upload(
            by=_author(request), draft=found, task=name, file_name=file.name, content=file.read()
        )
    except Refusal as refusal:
        status = put_on_form(form, refusal)
        return _draft_page(request, found, status, upload_form=form)
    return redirect("draft-shape", ref, name)


@require_POST
def stock(request: HttpRequest, ref: str) -> HttpResponse:
    """Add a task of the harness by its name there."""
    found = _own(request, ref)
    form = StockForm(request.POST, auto_id="stock_%s")
    if not form.is_valid():
        return _draft_page(request, found, 422, stock_form=form)
    service.add_stock_task(by=_author(request), draft=found, **form.cleaned_data)
    messages.success(request, f"{form.cleaned_data['stock']} is in the draft.")
    return redirect(found)


@require_http_methods(["GET", "POST"])
def shape(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Show the columns and first rows of an upload, and ask which column is what."""
    found = _own(request, ref)
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
                    by=_author(request),
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
    found = _own(request, ref)
    entry = _task(found, name)
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
                        by=_author(request), draft=found, task=name, changes=form.changed_task
                    )
                except Refusal as refusal:
                    status = put_on_form(form, refusal)
                else:
                    messages.success(request, f"{shown['title']} is saved.")
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
        return {"refusal": "The prompt appears here once the fields on the left are mended."}
    rows = service.readable_rows(request.user, found, entry)
    if rows is None:
        return {"refusal": f"The items of this task are {entry['visibility']}."}
    sample = (form.cleaned_data.get("sample") if form.is_bound else 1) or 1
    place = min(sample, len(rows))
    try:
        context, answers, target = exact_prompt(entry, rows, place - 1)  # type: ignore[arg-type]
    except TemplateRefused as refusal:
        return {"refusal": str(refusal)}
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
    found = _own(request, ref)
    service.remove_task(by=_author(request), draft=found, task=name)
    messages.success(request, f"{name} is out of the draft.")
    return redirect(found)


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask once more, then publish the draft as an immutable version."""
    found = _own(request, ref)
    refusal, status = "", 200
    if request.method == "POST":
        try:
            version, _ = service.publish_draft(by=_author(request), draft=found)
        except Refusal as refused:
            refusal, status = refused.detail, refused.status
        else:
            messages.success(request, f"{version} is published and on the record.")
            return redirect(version)
    before = _published(found)
    context = {
        "draft": found,
        "problems": validate(found.document),
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
    service.discard_draft(by=_author(request), draft=_own(request, ref))
    messages.success(request, "The draft is discarded.")
    return redirect("drafts")


def _author(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    if not policy.can_publish_suite(request.user):
        raise NotAllowed("Only evaluators write and publish suites.")
    return request.user


def _own(request: HttpRequest, ref: str) -> SuiteDraft:
    """Return a draft of the reader's own; those of others are not there."""
    return get_object_or_404(
        SuiteDraft.objects.select_related("base"), ref=ref, owner=_author(request)
    )


def _task(found: SuiteDraft, name: str) -> dict[str, Any]:
    try:
        return found.task(name)
    except KeyError:
        raise Http404 from None
