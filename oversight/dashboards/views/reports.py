"""Audit reports of decisions and deployments: the page, the PDF and the JSON of one content.

A page is in the language of its address; the files are in that of their query.
"""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from oversight.dashboards.pressing import BusyError, PressError
from oversight.dashboards.reports import of_decision, of_deployment
from oversight.dashboards.reports.document import Report
from oversight.dashboards.reports.typesetting import pdf_of
from oversight.registry.models import Deployment
from oversight.web.clock import database_now, in_words
from oversight.web.languages import spoken_in_query, with_language, without_language
from oversight.web.unchanged import answer_unless_unchanged, later
from proposals.models import Decision


@login_not_required
@require_safe
def decision_page(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the report of a decision."""
    return _page(request, _of_decision(ref), "deciding")


@login_not_required
@require_safe
def decision_pdf(request: HttpRequest, ref: str) -> HttpResponse:
    """Send the report of a decision as PDF."""
    with spoken_in_query(request):
        return _pdf(request, _of_decision(ref))


@login_not_required
@require_safe
def decision_json(request: HttpRequest, ref: str) -> HttpResponse:
    """Send the report of a decision as JSON: the bytes that its digest is of."""
    with spoken_in_query(request):
        return _json(request, _of_decision(ref))


@login_not_required
@require_safe
def deployment_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the report of a deployment."""
    return _page(request, _of_deployment(slug), "in-service")


@login_not_required
@require_safe
def deployment_pdf(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the report of a deployment as PDF."""
    with spoken_in_query(request):
        return _pdf(request, _of_deployment(slug))


@login_not_required
@require_safe
def deployment_json(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the report of a deployment as JSON: the bytes that its digest is of."""
    with spoken_in_query(request):
        return _json(request, _of_deployment(slug))


def _of_decision(ref: str) -> Report:
    found = Decision.objects.select_related(
        "proposal__body",
        "proposal__proposer",
        "proposal__deployment",
        "proposal__version__model",
        "proposal__contract",
    )
    return of_decision.report_of(get_object_or_404(found, proposal__ref=ref))


def _of_deployment(slug: str) -> Report:
    found = Deployment.objects.select_related("endpoint__operator")
    return of_deployment.report_of(get_object_or_404(found, slug=slug), database_now())


def _page(request: HttpRequest, report: Report, nav: str) -> HttpResponse:
    path = request.path.removesuffix("report/")
    files = without_language(path)
    context = {
        "report": report,
        "as_of": in_words(datetime.fromisoformat(report.as_of), "UTC"),
        "nav": nav,
        "path": path,
        "files": files,
        "pdf": with_language(f"{files}report.pdf", report.language),
        "json": with_language(f"{files}report.json", report.language),
    }
    return render(request, "dashboards/report.html", context)


def _json(request: HttpRequest, report: Report) -> HttpResponse:
    return _sent(request, report, report.content, "application/json")


def _pdf(request: HttpRequest, report: Report) -> HttpResponse:
    try:
        content = pdf_of(report)
    except BusyError:
        return later(gettext("Other reports are being set. Ask again in a few seconds."), 5)
    except PressError as error:
        return later(
            gettext("This report could not be set as PDF: %(error)s. Its page has all of it.")
            % {"error": error},
            300,
        )
    answer = _sent(request, report, content, "application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{report.about}-{report.name}.pdf"'
    return answer


def _file_name(report: Report) -> str:
    """Return what a report is called in a folder; what is English names no language."""
    named = [report.about, report.name]
    return "-".join([*named, report.language] if report.language != "en" else named)


def _sent(request: HttpRequest, report: Report, content: bytes, kind: str) -> HttpResponse:
    changed = datetime.fromisoformat(report.as_of)
    answer = answer_unless_unchanged(request, content, kind, changed)
    answer["Content-Language"] = report.language
    return answer
