"""The same figures as data: JSON, CSV and Parquet answers beside a page."""

import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from oversight.dashboards.tables.columns import Row, Table
from oversight.dashboards.tables.dictionary import FORMS
from oversight.dashboards.tables.writing import put_csv, write_lines, write_parquet
from oversight.ledger.queries import published_size

COMPLETE = "List-Complete"
"""The header that says whether an answer holds all rows: CSV has no other place for it."""


def as_json(name: str, records: Sequence[Mapping[str, Any]], **about: Any) -> HttpResponse:
    """Answer with an object that holds the records under `name`."""
    return JsonResponse({**about, name: list(records)}, json_dumps_params={"ensure_ascii": False})


def as_table(
    request: HttpRequest, form: str, name: str, records: Sequence[Row], table: Table
) -> HttpResponse:
    """Answer with a table as `csv` or as `parquet`, under that name.

    In CSV no cell of text can be taken for a formula by a spreadsheet. The metadata of Parquet says
    where it is from and how large the log was.
    """
    if form == "csv":
        file = StringIO()
        put_csv(table, records, file)
        content = file.getvalue().encode()
    else:
        content = _parquet(request, records, table)
    answer = HttpResponse(content, content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _parquet(request: HttpRequest, records: Sequence[Row], table: Table) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        lines, target = Path(folder) / "lines", Path(folder) / "table"
        write_lines(table, records, lines)
        write_parquet(table, lines, target, about(request.path))
        return target.read_bytes()


def about(path: str) -> dict[str, Any]:
    """Return what a file says of itself: where it is from, and how large the log was."""
    return {
        "source": f"{settings.PUBLIC_URL}{path}",
        "log": settings.LEDGER_ORIGIN,
        "tree_size": published_size(),
    }
