"""Make the OpenAPI document once and serve it.

Apart from `api_document.py`, which the framework's settings name and so must import no view of it.
"""

from collections.abc import Iterable
from functools import lru_cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

_turn = Lock()


def document() -> dict[str, Any]:
    """Return the OpenAPI document; the code fixes it, so it is made once a process."""
    # Its maker is not safe for threads: two that begin at once end with an error. It is English,
    # whatever the language of the page for which it is made first.
    with _turn, translation.override(settings.LANGUAGE_CODE):
        return _document()


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return found


@lru_cache(maxsize=2)
def _written(renderer: type[BaseRenderer]) -> bytes:
    """Return the document as it is sent: written once a process, as it is made."""
    written = renderer().render(document(), renderer_context={})
    return written if isinstance(written, bytes) else written.encode()


class YamlOnce(OpenApiYamlRenderer2):
    """YAML that is written once."""

    def render(self, data: object, *args: object, **context: object) -> bytes:  # noqa: ARG002
        """Return the document, whoever asks."""
        return _written(OpenApiYamlRenderer2)


class JsonOnce(OpenApiJsonRenderer2):
    """JSON that is written once."""

    def render(self, data: object, *args: object, **context: object) -> bytes:  # noqa: ARG002
        """Return the document, whoever asks."""
        return _written(OpenApiJsonRenderer2)


class YamlOrJson(BaseContentNegotiation):
    """JSON for who asks for it, by `?format=json` or `Accept`; else YAML, and never a refusal."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:  # noqa: ARG002
        """Return none: nothing is sent here."""
        return None

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and its media type."""
        asked = [request.query_params.get("format"), request.headers.get("Accept")]
        yaml, json = renderers
        renderer = json if any("json" in (each or "") for each in asked) else yaml
        return renderer, str(renderer.media_type)


class ApiDocument(SpectacularAPIView):
    """The OpenAPI document as YAML or, with `?format=json`, as JSON."""

    content_negotiation_class = YamlOrJson
    renderer_classes = [YamlOnce, JsonOnce]

    def _get_schema_response(self, request: Request) -> Response:  # noqa: ARG002
        return Response(document())
