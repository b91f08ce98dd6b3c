"""The same figures as data: JSON and CSV answers beside a page."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse, JsonResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(name: str, records: Sequence[Mapping[str, Any]], **about: Any) -> HttpResponse:
    """Answer with an object that holds the records under `name`."""
    return JsonResponse({**about, name: list(records)}, json_dumps_params={"ensure_ascii": False})


def as_csv(name: str, records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> HttpResponse:
    """Answer with a table; no cell of text can be taken for a formula by a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(record.get(column)) for column in columns])
    answer = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
