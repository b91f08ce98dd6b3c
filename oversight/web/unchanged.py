"""Answers for programs that come back often: 304 while nothing has changed, or when to come."""

from datetime import datetime
from hashlib import file_digest, sha256
from io import BufferedReader

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date

KEPT_SECONDS = 300
"""How long a reader, or a cache on the way, need not ask again."""


def answer_unless_unchanged(
    request: HttpRequest, content: bytes, content_type: str, changed_at: datetime
) -> HttpResponse:
    """Answer with the content, or with 304 where the reader has these very bytes."""
    answer = HttpResponse(content, content_type=content_type)
    etag, changed = f'"{sha256(content).hexdigest()[:32]}"', int(changed_at.timestamp())
    answer["ETag"] = etag
    answer["Last-Modified"] = http_date(changed)
    patch_cache_control(answer, public=True, max_age=KEPT_SECONDS)
    found = get_conditional_response(request, etag=etag, last_modified=changed, response=answer)
    return found or answer


def send_unless_unchanged(
    request: HttpRequest,
    file: BufferedReader,
    content_type: str,
    name: str,
    kept_seconds: int,
    *,
    digest: str = "",
) -> HttpResponseBase:
    """Answer with an open file under a name, or with 304 where the reader has these very bytes.

    Its SHA-256 in hexadecimal is reckoned where it is not given.
    """
    etag = f'"{(digest or file_digest(file, "sha256").hexdigest())[:32]}"'
    file.seek(0)
    answer = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    answer["ETag"] = etag
    patch_cache_control(answer, public=True, max_age=kept_seconds)
    found: HttpResponseBase | None = get_conditional_response(
        request,
        etag=etag,
        response=answer,  # type: ignore[arg-type]
    )
    if found is None or found is answer:
        return answer
    # The file, and not the answer: closing that ends the request, with its database connection.
    file.close()
    return found


def later(words: str, seconds: int) -> HttpResponse:
    """Answer that it cannot be had now, and when to ask again (503)."""
    answer = HttpResponse(f"{words}\n", status=503, content_type="text/plain; charset=utf-8")
    answer["Retry-After"] = str(seconds)
    return answer
