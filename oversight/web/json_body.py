"""Reads a request's JSON as the database and the record can hold it, or says what is wrong."""

import json
import math
from collections.abc import Iterator
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser

BODY_LIMIT_BYTES = 4 * 1024 * 1024
"""Room for the manifest of 20,000 files, the largest thing anybody sends as JSON."""
DEPTH_LIMIT = 32


class TooLarge(APIException):
    """The body is larger than anything this API takes."""

    status_code = 413
    default_detail = f"The body may have at most {BODY_LIMIT_BYTES // 1024**2} MiB."
    default_code = "too_large"


class JsonBody(BaseParser):
    """UTF-8 JSON of bounded size and depth, without NUL, lone surrogates and infinite numbers.

    Not DRF's own parser, for which the framework first reads a body of any size up to Django's
    limit for forms.

    PostgreSQL stores none of these, and canonical JSON (RFC 8785) has no form for them, so they
    are refused here once instead of failing somewhere deep inside.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Any = None,  # noqa: ARG002
    ) -> Any:
        """Return the parsed body.

        Raises:
            TooLarge: it has more than BODY_LIMIT_BYTES (413).
            ParseError: it is not JSON in UTF-8 (400).
            ValidationError: a field holds what cannot be kept (422).
        """
        body = stream.read(BODY_LIMIT_BYTES + 1)
        if len(body) > BODY_LIMIT_BYTES:
            raise TooLarge
        try:
            value = json.loads(body.decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: see byte {error.start}.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from None
        _refuse_unstorable(value)
        return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number.")


def _refuse_unstorable(value: Any) -> None:
    if not isinstance(value, dict):
        if trouble := _trouble(value):
            raise ParseError(f"The body holds {trouble}.")
        return
    errors = {
        _printable(name): [f"It holds {trouble}."]
        for name, content in value.items()
        if (trouble := _trouble({name: content}))
    }
    if errors:
        raise ValidationError(errors)


def _trouble(value: Any) -> str:
    """Name what cannot be kept in a value; empty when all of it can."""
    for depth, part in _parts(value):
        if depth > DEPTH_LIMIT:
            return f"more than {DEPTH_LIMIT} levels of nesting"
        if isinstance(part, str) and "\0" in part:
            return "a NUL character"
        if isinstance(part, str) and _printable(part) != part:
            return "half of a surrogate pair, which is no character"
        if isinstance(part, float) and not math.isfinite(part):
            return "a number that is too large"
    return ""


def _parts(value: Any) -> Iterator[tuple[int, Any]]:
    """Yield every name and value inside with its depth; stops below what is too deep."""
    waiting = [(0, value)]
    while waiting:
        depth, part = waiting.pop()
        yield depth, part
        inner: list[Any] = []
        if isinstance(part, dict):
            inner = [*part, *part.values()]
        elif isinstance(part, list):
            inner = part
        waiting.extend((depth + 1, each) for each in inner)


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
