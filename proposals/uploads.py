"""Files on their way in and out over HTTP."""

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404
from django.utils.translation import gettext as _

from evals.artefacts import path_of
from oversight.web.refusals import Invalid
from proposals.file_types import MAX_BYTES
from proposals.models import Attachment


def read_upload(file: "UploadedFile[bytes]") -> bytes:
    """Return what was sent, unless it is too large to be read at all.

    Raises:
        Invalid: it is larger than an attachment can be.
    """
    if (file.size or 0) > MAX_BYTES:
        message = _("A file has at most %(value)s MB.") % {"value": MAX_BYTES // 1000000}
        raise Invalid(message, fields={"file": message})
    content: bytes = file.read()
    return content


def file_answer(found: Attachment) -> FileResponse:
    """Return an attachment to be kept, never to be shown: nothing in it runs on this site."""
    try:
        file = path_of(found.artefact.sha256).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(
        file, as_attachment=True, filename=found.name, content_type=found.media_type
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
