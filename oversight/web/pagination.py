"""Pages of the API's lists, each found by the row that it follows, bounded in size."""

from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from oversight.web.refusals import BadQuery

CURSOR = "cursor"
PAGE_SIZE = "page_size"
AFTER, BEFORE = "after", "before"
MOST_CURSOR_CHARACTERS = 2_000


class Pages(BasePagination):
    """50 items a page; `?page_size=` up to 200; `?cursor=` as `next` and `previous` have it.

    A page is found by the place of its neighbour in the order of the list (keyset), so rows that
    are added or go meanwhile make none come twice or be left out, and nothing is counted. The order
    is the queryset's; its key is put last, so that no two rows have the same place.

    A cursor is signed for the list, its order and its filters: nothing made up comes to the
    database.
    """

    page_size = 50
    max_page_size = 200
    PARAMETERS = (CURSOR, PAGE_SIZE)

    def paginate_queryset(
        self,
        queryset: QuerySet[Any],  # type: ignore[override]
        request: Request,
        view: Any = None,  # noqa: ARG002
    ) -> list[Any]:
        """Return the rows of the page that is asked for, and remember where its neighbours are.

        Raises:
            BadQuery: the size is out of bounds, or the cursor is none of this list's.
        """
        size = self.get_page_size(request)
        order = _order_of(queryset)
        signer = _signer(request, order)
        way, place = _read(signer, request.query_params.get(CURSOR))
        ways = _turned(order) if way == BEFORE else order
        if place:
            queryset = queryset.filter(_beyond(ways, place))
        rows = list(queryset.order_by(*ways)[: size + 1])
        has_more, rows = len(rows) > size, rows[:size]
        if way == BEFORE:
            rows.reverse()
        self.next = self.previous = None
        if rows and (has_more or way == BEFORE):
            self.next = _link(request, signer, AFTER, _place(rows[-1], order))
        if rows and place and (has_more or way == AFTER):
            self.previous = _link(request, signer, BEFORE, _place(rows[0], order))
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the rows between the addresses of their neighbours, which `Link` has, too."""
        links = {"next": self.next, "prev": self.previous}
        said = ", ".join(f'<{address}>; rel="{name}"' for name, address in links.items() if address)
        body = {"next": self.next, "previous": self.previous, "results": data}
        return Response(body, headers={"Link": said} if said else None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": address | {"description": "The page after this one; null on the last."},
                "previous": address | {"description": "The one before; null on the first."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002
        """Describe the parameters with their bounds."""
        return [
            {
                "name": CURSOR,
                "in": "query",
                "description": "Where a page begins; as `next` and `previous` of a page have it.",
                "schema": {"type": "string", "maxLength": MOST_CURSOR_CHARACTERS},
            },
            {
                "name": PAGE_SIZE,
                "in": "query",
                "description": "How many items a page has.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                },
            },
        ]

    def get_page_size(self, request: Request) -> int:
        """Return the size asked for.

        Raises:
            BadQuery: it is no number from 1 to 200.
        """
        asked = request.query_params.get(PAGE_SIZE)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            words = f"Use 1 to {self.max_page_size}."
            raise BadQuery(
                _("page_size cannot be used. %(words)s") % {"words": words},
                fields={PAGE_SIZE: words},
            )
        return int(asked)


def _order_of(queryset: QuerySet[Any]) -> list[str]:
    """Return the order of the rows as names of fields, the key last.

    Raises:
        TypeError: it is by an expression, of which a row does not say its place.
    """
    asked: Sequence[Any] = queryset.query.order_by or queryset.model._meta.ordering or ()
    if not all(isinstance(each, str) and each != "?" for each in asked):
        raise TypeError(f"The list of {queryset.model.__name__} has no order by fields.")
    keys = {"pk", queryset.model._meta.pk.name}
    if any(each.removeprefix("-") in keys for each in asked):
        return list(asked)
    return [*asked, "-pk" if asked and asked[-1].startswith("-") else "pk"]


def _turned(order: list[str]) -> list[str]:
    return [each[1:] if each.startswith("-") else f"-{each}" for each in order]


def _place(row: Any, order: list[str]) -> list[Any]:
    """Return where a row stands in an order, as JSON can hold it."""
    names = (each.removeprefix("-").replace("__", ".") for each in order)
    found = (attrgetter(name)(row) for name in names)
    return [each if isinstance(each, int) else _text(each) for each in found]


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _beyond(order: list[str], place: list[Any]) -> Q:
    """Return what rows after a place have: beyond it in the first field, or equal and so on.

    The outer bound of the first field says nothing new; it lets PostgreSQL begin in the index.
    """
    found, same = Q(), Q()
    for each, value in zip(order, place, strict=True):
        name = each.removeprefix("-")
        found |= same & Q(**{f"{name}__{'lt' if each.startswith('-') else 'gt'}": value})
        same &= Q(**{name: value})
    first = order[0].removeprefix("-")
    bound = Q(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": place[0]})
    return bound & found


def _signer(request: Request, order: list[str]) -> Signer:
    """Return what signs the cursors of one list in one order under one set of filters."""
    query = request.query_params.copy()
    for name in Pages.PARAMETERS:
        query.pop(name, None)
    asked = sorted((name, value) for name, values in query.lists() for value in values)
    return Signer(salt=f"{__name__}:{request.path}:{asked}:{order}", sep=".")


def _read(signer: Signer, cursor: str | None) -> tuple[str, list[Any]]:
    """Return which way to go from which place; the beginning where no cursor is given.

    Raises:
        BadQuery: the cursor was not made by us for this list and these filters.
    """
    if cursor is None:
        return AFTER, []
    try:
        way, place = signer.unsign_object(cursor[:MOST_CURSOR_CHARACTERS])
    except BadSignature:
        raise BadQuery(
            _("This cursor is none of this list with these filters."),
            fields={CURSOR: "Leave it out to begin, then follow `next` as it is."},
        ) from None
    return way, place


def _link(request: Request, signer: Signer, way: str, place: list[Any]) -> str:
    """Return the address of the page that begins beyond a place, with all that was asked for."""
    address = remove_query_param(request.build_absolute_uri(), CURSOR)
    return str(replace_query_param(address, CURSOR, signer.sign_object([way, place])))
