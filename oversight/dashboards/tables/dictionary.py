"""Every public table there is, and the same as a Frictionless Data Package.

Frictionless and not CSVW: one document describes tables in several forms of file together with
their licence and digests, travels with a download, and is read by common tools of several languages
(decision 0020).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_noop

from oversight.dashboards.tables import of_deciding, of_evaluations, of_pages, of_registry
from oversight.dashboards.tables.columns import Column, Kind, Table

LISTS: tuple[Table, ...] = (
    of_deciding.BODIES,
    of_registry.ORGANISATIONS,
    of_registry.MODELS,
    of_registry.VERSIONS,
    of_registry.ENDPOINTS,
    of_registry.DEPLOYMENTS,
    of_registry.AUTHORISATIONS,
    of_deciding.PROPOSALS,
    of_deciding.DECISIONS,
    of_evaluations.CRITERIA,
    of_evaluations.SUITES,
    of_evaluations.RUNS,
    of_evaluations.RESULTS,
    of_evaluations.WORKERS,
    of_deciding.INCIDENTS,
    of_deciding.ACTS,
)
"""The lists that are published whole, each in every form."""

BESIDE_PAGES: tuple[Table, ...] = (
    of_pages.COMPUTE,
    of_pages.COMPUTE_BY_MODEL,
    of_pages.COMPUTE_BY_BODY,
    of_pages.COMPUTE_BY_RUN,
    of_pages.BUDGETS,
    of_pages.STATISTICS,
    of_pages.VOTES,
    of_pages.MEMBERS,
    of_pages.HISTORY,
    of_pages.OVERVIEW,
    of_pages.TASK_RESULTS,
    of_pages.CHART,
    of_pages.RUN_RESULTS,
    of_pages.SAMPLES,
    of_pages.COMPARISON,
)
"""Tables of one thing, beside its page."""

TABLES: dict[str, Table] = {table.name: table for table in (*LISTS, *BESIDE_PAGES)}

_LICENCES = {
    "CC0-1.0": {
        "name": "CC0-1.0",
        "title": gettext_noop("Creative Commons Zero 1.0: in the public domain"),
        "path": "https://creativecommons.org/publicdomain/zero/1.0/",
    },
    "CC-BY-4.0": {
        "name": "CC-BY-4.0",
        "title": gettext_noop("Creative Commons Attribution 4.0"),
        "path": "https://creativecommons.org/licenses/by/4.0/",
    },
}
LICENCE = _LICENCES[settings.DATA_LICENCE]
"""Of the lists, as the operator says. What people wrote and uploaded has licences of its own."""

FORMS: dict[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DECIMAL: {"type": "number"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.MOMENT: {"type": "datetime"},
    Kind.DAY: {"type": "date"},
    Kind.TEXTS: {"type": "list", "delimiter": " ", "itemType": "string"},
}


def package(tables: Iterable[Table], paths: Callable[[Table], str]) -> dict[str, Any]:
    """Return a Data Package of the CSV files of tables.

    Args:
        tables: what it holds.
        paths: the place of a table's CSV file, as a reader of the package finds it.
    """
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "oversight",
        "title": settings.SITE_NAME,
        "homepage": settings.PUBLIC_URL + reverse("data"),
        "licenses": [LICENCE],
        "resources": [resource(table, paths(table)) for table in tables],
    }


def resource(table: Table, path: str) -> dict[str, Any]:
    """Return a table as a Data Resource with its Table Schema."""
    return {
        "name": table.name,
        "title": table.title,
        "description": table.about,
        "type": "table",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "sources": [{"title": table.source}],
        "schema": {
            "fields": [_field(column) for column in table.columns],
            "missingValues": [""],
            **({"primaryKey": list(table.key)} if table.key else {}),
        },
    }


def _field(column: Column) -> dict[str, Any]:
    more: Mapping[str, str] = {
        "unit": column.unit,
        "nullMeaning": column.null,
        "source": column.source,
    }
    # A text may be empty without being unknown; whether a value is there is said by `required`.
    is_required = not column.null and column.kind not in {Kind.TEXT, Kind.TEXTS}
    return {
        "name": column.name,
        **_TYPES[column.kind],
        "description": column.meaning,
        **({"constraints": {"required": True}} if is_required else {}),
        **{name: value for name, value in more.items() if value},
    }


def as_dictionary() -> dict[str, Any]:
    """Return the data dictionary of this site: all tables, those beside pages, too."""

    def path(table: Table) -> str:
        place = f"/data/{table.name}" if table.rows else table.address
        return f"{settings.PUBLIC_URL}{place}.csv"

    return package(TABLES.values(), path)
