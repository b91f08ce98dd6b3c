"""Make the OpenAPI document once and serve it.

Apart from `api_document.py`, which the framework's settings name and so must import no view of it.
"""

from functools import lru_cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

_turn = Lock()


def document() -> dict[str, Any]:
    """Return the OpenAPI document; the code fixes it, so it is made once a process."""
    # Its maker is not safe for threads: two that begin at once end with an error.
    with _turn:
        return _document()


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return found


class ApiDocument(SpectacularAPIView):
    """The OpenAPI document as YAML or, with `?format=json`, as JSON."""

    def _get_schema_response(self, request: Request) -> Response:  # noqa: ARG002
        return Response(document())
