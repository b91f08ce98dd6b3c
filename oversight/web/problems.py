"""Errors of the network API as problem details (RFC 9457)."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from oversight.web.refusals import Refusal

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/v1/"
_KEPT_HEADERS = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    errors: Any = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem response; `errors` maps field names to messages."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    response = Response(body, status=status, headers=headers)
    response.content_type = MEDIA_TYPE
    return response


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: refusals, validation errors and DRF's own, all as problems."""
    if isinstance(error, Refusal):
        set_rollback()
        return problem(error.status, error.title, error.detail, errors=error.fields)
    if isinstance(error, RequestDataTooBig):
        set_rollback()
        return problem(413, "Too large", "The body is larger than this API takes.")
    if isinstance(error, exceptions.ValidationError):
        set_rollback()
        return problem(422, "Please mend the input", _flat(error.detail), errors=error.detail)
    standard = exception_handler(error, context)
    if standard is None:
        return None
    headers = {k: v for k, v in standard.items() if k in _KEPT_HEADERS}
    return problem(standard.status_code, _title(error), _flat(standard.data), headers=headers)


def is_api(request: HttpRequest) -> bool:
    """Say whether a request is to the network API, whose errors are problems and not pages."""
    return request.path.startswith(API_PREFIX)


def is_for_program(request: HttpRequest) -> bool:
    """Say whether who asks is told best by a problem document: the API, or a file by a program."""
    if request.path.startswith(("/api/", "/log/")):
        return True
    is_file = "." in request.path.rpartition("/")[2]
    return is_file and "text/html" not in request.headers.get("Accept", "")


def plain_problem(status: int, title: str, detail: str) -> JsonResponse:
    """Return a problem where no API view was reached: a bad address, a bad request, a fault."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def _title(error: Exception) -> str:
    if isinstance(error, Http404 | exceptions.NotFound):
        return "Not found"
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return "Not allowed"
    if isinstance(error, exceptions.MethodNotAllowed):
        return "Not done here"
    if isinstance(error, exceptions.UnsupportedMediaType):
        return "Unsupported media type"
    return str(getattr(error, "default_detail", "This cannot be done")).rstrip(".")


def _flat(detail: Any) -> str:
    """Return one readable line from DRF's nested error details."""
    if isinstance(detail, dict):
        return " ".join(
            _flat(value) if key in {"detail", "non_field_errors"} else f"{key}: {_flat(value)}"
            for key, value in detail.items()
        )
    if isinstance(detail, list):
        return " ".join(_flat(item) for item in detail)
    return str(detail)
