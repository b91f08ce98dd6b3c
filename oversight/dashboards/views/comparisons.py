"""Pages on which versions stand beside each other, each also as data."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from evals.models import Run
from oversight.dashboards.comparisons import (
    RUNS_LIMIT,
    Comparison,
    as_records,
    chart,
    compare_runs,
)
from oversight.dashboards.tables.of_pages import COMPARISON
from oversight.dashboards.twins import as_json, as_table
from oversight.web.refusals import BadQuery


@login_not_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Compare runs with the first of them, task by task, on the same samples."""
    runs = _runs(request)
    if len(runs) < 2:
        newest = Run.objects.succeeded().with_parts().newest_first()[:100]
        context: dict[str, Any] = {
            "runs": newest,
            "chosen": [run.ref for run in runs],
            "missing": _missing(request, runs),
            "nav": "findings",
        }
        return render(request, "dashboards/compare_choose.html", context)
    comparison = compare_runs(runs)
    context = {
        "comparison": comparison,
        "first_name": comparison.names[comparison.first.pk],
        "first_head": comparison.head(comparison.first),
        "sections": [_section(comparison, run) for run in comparison.others],
        "query": "&".join(f"run={run.ref}" for run in runs),
        "nav": "findings",
    }
    return render(request, "dashboards/compare.html", context)


def _section(comparison: Comparison, run: Run) -> dict[str, Any]:
    rows = comparison.of(run)
    return {
        "run": run,
        "name": comparison.names[run.pk],
        "head": comparison.head(run),
        "rows": rows,
        "chart": chart(rows),
    }


def _missing(request: HttpRequest, runs: list[Run]) -> str:
    """Say why an address that names runs compares none; empty where it names none at all."""
    if not runs:
        return ""
    if len(list(filter(None, request.GET.getlist("run")))) > 1:
        return _("You chose %(ref)s alone, twice. Choose another run to compare it with.") % {
            "ref": runs[0].ref
        }
    return _("You chose %(ref)s. Choose another run to compare with it.") % {"ref": runs[0].ref}


@login_not_required
@require_safe
def compare_json(request: HttpRequest) -> HttpResponse:
    """The comparison as JSON."""
    comparison = _comparison(request)
    about = {"runs": [run.ref for run in (comparison.first, *comparison.others)]}
    about["left_out"] = list(comparison.left_out)
    return as_json("comparisons", as_records(comparison), **about)


@login_not_required
@require_safe
def compare_table(request: HttpRequest, form: str) -> HttpResponse:
    """The comparison as a table."""
    records = as_records(_comparison(request))
    return as_table(request, form, "comparison", records, COMPARISON)


def _comparison(request: HttpRequest) -> Comparison:
    runs = _runs(request)
    if len(runs) < 2:
        raise BadQuery(_("Name two runs or more."), fields={"run": "?run=run-…&run=run-…"})
    return compare_runs(runs)


def _runs(request: HttpRequest) -> list[Run]:
    """Return the runs that the address names, in its order, each once.

    Raises:
        BadQuery: one is not known, or there are too many.
    """
    refs = list(dict.fromkeys(ref for ref in request.GET.getlist("run") if ref))
    if len(refs) > RUNS_LIMIT:
        raise BadQuery(
            _("Compare at most %(runs_limit)s runs.") % {"runs_limit": RUNS_LIMIT},
            fields={"run": _("Name fewer.")},
        )
    safe = [ref for ref in refs if "\x00" not in ref]
    found = {run.ref: run for run in Run.objects.with_parts().filter(ref__in=safe)}
    for ref in refs:
        if ref not in found:
            raise BadQuery(
                _("There is no run %(ref)s.") % {"ref": f"{ref[:40]!r}"},
                fields={"run": _("Unknown.")},
            )
    return [found[ref] for ref in refs]
