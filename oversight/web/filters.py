"""Filters of the API's lists, which refuse what they do not know instead of ignoring it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from oversight.web.pagination import Pages
from oversight.web.refusals import BadQuery


class Filters(DjangoFilterBackend):  # type: ignore[misc]
    """A misspelt filter that is ignored gives the whole list for an answer: so it is refused."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        """Return the filtered rows.

        Raises:
            BadQuery: a filter is unknown or its value cannot be used; each is named.
        """
        filterset = self.get_filterset(request, queryset, view)
        pages = Pages.PARAMETERS if getattr(view, "paginator", None) else ()
        known = {*(filterset.filters if filterset else ()), *pages}
        errors = {
            name: f"Unknown; use {', '.join(sorted(known))}." if known else "This address has none."
            for name in request.query_params
            if name not in known
        }
        if filterset and not filterset.is_valid():
            errors |= {
                name: " ".join([*texts, *_choices(filterset, name)])
                for name, texts in filterset.errors.items()
            }
        if errors:
            raise BadQuery(_("A filter cannot be used."), fields=errors)
        found: QuerySet[Any] = filterset.qs if filterset else queryset
        return found


def _choices(filterset: Any, name: str) -> list[str]:
    """Return, as a sentence, what a filter takes, where that is one of a few words."""
    words = [
        str(value)
        for value, _label in getattr(filterset.filters[name], "extra", {}).get("choices", ())
    ]
    return [f"Use one of {', '.join(words)}."] if words else []
