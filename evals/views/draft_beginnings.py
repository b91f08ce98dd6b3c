"""Where drafts begin: one's own, empty, from a version, from a zip, from what is ready-made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evals.forms.suites import CATEGORY_WORDS, SuiteForm, ZipForm
from evals.models import SuiteDraft, SuiteVersion
from evals.services import drafts as service
from evals.services.suites import publish_suite
from evals.suite_refusals import error_words
from evals.suites.benchmarks import definitions
from evals.suites.checking import SuiteError
from evals.suites.library import library_slugs, load_library
from evals.suites.ready import missing_words, resolve
from evals.suites.unpacking import ARCHIVE_LIMIT_BYTES, read_suite_zip
from evals.views.draft_access import author
from oversight.accounts.models import Person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid, Refusal


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """List one's drafts; begin one empty, from a published version, or from a zip."""
    person = author(request)
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
        raise Invalid(
            _("It is larger than %(value)s MiB.")
            % {
                "value": ARCHIVE_LIMIT_BYTES // 1048576,
            }
        )
    try:
        imported = read_suite_zip(file.read())
    except SuiteError as error:
        words = error_words(error)
        raise Invalid(words, fields={"zip": words}) from None
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
    person = author(request)
    known = definitions()
    try:
        if slug in library_slugs():
            suite = load_library(slug)
        elif slug in known:
            suite = resolve(known[slug], _sources())
        else:
            raise Http404
    except SuiteError as error:
        raise Conflict(error_words(error)) from None
    version, is_new = publish_suite(by=person, document=dict(suite.document), files=suite.files)
    words = (
        _("%(version)s is published.") % {"version": version}
        if is_new
        else _("%(version)s was published already.") % {"version": version}
    )
    messages.success(request, words)
    return redirect(version.suite)
