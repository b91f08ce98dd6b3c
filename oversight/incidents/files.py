"""Files that strangers may send: few, small, and what their bytes say they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from proposals.file_types import FileError, safe_name

MOST_AT_ONCE = 3
MOST_FILES = 10
"""Files of one incident."""

MAX_BYTES = 2_000_000
MOST_WAITING_BYTES = 500_000_000
"""Bytes of all files of reports that nobody has looked at yet: a flood fills no disk."""

_BEGINNINGS = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
)
MEDIA_TYPES = (*(each[1] for each in _BEGINNINGS), "text/plain")
TAKEN = _("PDF, PNG, JPEG or plain text")
ACCEPT = ".pdf,.png,.jpg,.jpeg,.txt"


@dataclass(frozen=True, slots=True)
class Sent:
    """One file as it is kept."""

    name: str
    media_type: str
    data: bytes


def checked(files: Sequence[tuple[str, bytes]]) -> list[Sent]:
    """Return the files under safe names, each with the type that its bytes have.

    Raises:
        FileError: there are too many, or one is empty, too large, or of a type that is not taken.
    """
    if len(files) > MOST_AT_ONCE:
        raise FileError(
            gettext("Send at most %(most_at_once)s files at once.") % {"most_at_once": MOST_AT_ONCE}
        )
    return [_checked(name, data) for name, data in files]


def _checked(name: str, data: bytes) -> Sent:
    kept = safe_name(name)
    if not data:
        raise FileError(gettext("%(kept)s is empty.") % {"kept": kept})
    if len(data) > MAX_BYTES:
        raise FileError(
            gettext("%(kept)s is too large: a file has at most %(value)s MB.")
            % {"kept": kept, "value": MAX_BYTES // 1_000_000}
        )
    for beginning, media_type, ending in _BEGINNINGS:
        if data.startswith(beginning):
            return Sent(_ending_in(kept, ending), media_type, data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise FileError(
            gettext("%(kept)s is not what is taken here: %(taken)s.")
            % {"kept": kept, "taken": TAKEN}
        )
    # Whatever a browser might make of it, it is kept and served as plain text.
    return Sent(_ending_in(kept, ".txt"), "text/plain; charset=utf-8", data)


def _ending_in(name: str, ending: str) -> str:
    """Return the name with the ending of its contents, so that no ending misleads who opens it."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ending or (ending == ".jpg" and suffix == ".jpeg"):
        return name
    return f"{name[:115]}{ending}"
