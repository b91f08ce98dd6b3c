"""The public lists whole, each in three forms, and the dictionary of their columns."""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import BoundedSemaphore

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from oversight.dashboards.tables import writing
from oversight.dashboards.tables.columns import Row, Table
from oversight.dashboards.tables.dictionary import (
    BESIDE_PAGES,
    FORMS,
    LISTS,
    TABLES,
    as_dictionary,
)
from oversight.dashboards.twins import COMPLETE, about
from oversight.web.unchanged import later, send_unless_unchanged

MOST_ROWS = 100_000
"""A list is cut off after so many rows and says so; the download of everything holds all."""

KEPT_SECONDS = 60

_few_at_a_time = BoundedSemaphore(2)
"""Making a list reads all of it; strangers must not make this process do it many times at once."""
PATIENCE_SECONDS = 2.0
"""Short: who waits holds a thread that others need."""


@login_not_required
@require_safe
def whole_list(request: HttpRequest, name: str, form: str) -> HttpResponseBase:
    """Send a public list in one of the forms."""
    table = TABLES.get(name)
    if table is None or table.rows is None or form not in FORMS:
        raise Http404
    return send_whole(request, table, table.rows(), form)


def send_whole(
    request: HttpRequest, table: Table, rows: Iterator[Row], form: str
) -> HttpResponseBase:
    """Send rows as a table in one of the forms; few at a time are made, others hear when to ask."""
    if not _few_at_a_time.acquire(timeout=PATIENCE_SECONDS):
        return later(gettext("Other lists are being made. Ask again in a few seconds."), 5)
    try:
        with tempfile.TemporaryDirectory() as folder:
            target, is_complete = _written(table, rows, form, Path(folder), request.path)
            # Open beyond the name: the file goes away when the answer is sent.
            file = target.open("rb")
    finally:
        _few_at_a_time.release()
    name = table.name if is_complete else f"{table.name}-first-{MOST_ROWS}"
    answer = send_unless_unchanged(request, file, FORMS[form], f"{name}.{form}", KEPT_SECONDS)
    answer[COMPLETE] = "true" if is_complete else "false"
    return answer


def _written(
    table: Table, rows: Iterator[Row], form: str, folder: Path, path: str
) -> tuple[Path, bool]:
    """Write the list into the folder; return the file, and whether it holds all rows."""
    count = writing.write_lines(table, islice(rows, MOST_ROWS), folder / "lines")
    is_complete = count < MOST_ROWS or next(rows, None) is None
    head = {**about(path), "complete": is_complete}
    target = folder / f"table.{form}"
    if form == "json":
        writing.write_json(table, folder / "lines", target, head)
    elif form == "csv":
        writing.write_csv(table, folder / "lines", target)
    else:
        writing.write_parquet(table, folder / "lines", target, head)
    return target, is_complete


@login_not_required
@require_safe
def dictionary(request: HttpRequest) -> HttpResponse:
    """Show what every column of every table means."""
    context = {"lists": LISTS, "beside": BESIDE_PAGES, "nav": ""}
    return render(request, "dashboards/dictionary.html", context)


@login_not_required
@require_safe
def dictionary_json(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Send the same as a Data Package."""
    return JsonResponse(as_dictionary(), json_dumps_params={"ensure_ascii": False})
