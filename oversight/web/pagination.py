"""Numbered pages for the API's lists, bounded in size."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from oversight.web.refusals import BadQuery


class Pages(PageNumberPagination):
    """50 items a page; `?page_size=` up to 200. A page that is not there is 404."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    invalid_page_message = "There is no such page: follow `next` from the first one."
    PARAMETERS = ("page", "page_size")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters with their bounds."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for each in found:
            each["schema"]["minimum"] = 1
            if each["name"] == self.page_size_query_param:
                each["schema"]["maximum"] = self.max_page_size
        return found

    def get_page_size(self, request: Request) -> int:
        """Return the size asked for.

        Raises:
            BadQuery: it is no number from 1 to 200.
        """
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= self.max_page_size):
            words = f"Use 1 to {self.max_page_size}."
            raise BadQuery(
                _("page_size cannot be used. %(words)s") % {"words": words},
                fields={"page_size": words},
            )
        return int(asked)
