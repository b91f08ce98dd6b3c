"""A reporter's file on its way out over HTTP."""

from django.http import HttpResponse

from oversight.incidents.models import IncidentFile


def file_answer(found: IncidentFile) -> HttpResponse:
    """Return a file as a download that no browser opens."""
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    name = found.name.encode("ascii", "replace").decode().replace("?", "_")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
