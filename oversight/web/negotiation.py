"""Each address has one form of answer, whatever `Accept` asks for."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OneForm(DefaultContentNegotiation):
    """Never answers 406: a client that asks for a zip at a zip's address shall get it.

    RFC 9110 section 12.4.1 leaves it to the server to answer in the form it has.
    """

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, Any]:
        """Return the view's own form."""
        only = next(iter(renderers))
        return only, only.media_type
