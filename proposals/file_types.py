"""What files a text can have beside it: names made safe, types told by their contents."""

import unicodedata
from pathlib import PurePosixPath

from django.utils.translation import gettext

MAX_NAME = 120
MAX_BYTES = 10_000_000
MOST_FILES = 20
"""Files of one proposal."""

MOST_BYTES = 50_000_000
"""Bytes of all files of one proposal."""

_PLAIN = b""
_ZIP = b"PK\x03\x04"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES: dict[str, tuple[str, bytes]] = {
    ".pdf": ("application/pdf", b"%PDF-"),
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".odt": (f"{_OPEN_DOCUMENT}text", _ZIP),
    ".ods": (f"{_OPEN_DOCUMENT}spreadsheet", _ZIP),
    ".docx": (f"{_OFFICE}wordprocessingml.document", _ZIP),
    ".xlsx": (f"{_OFFICE}spreadsheetml.sheet", _ZIP),
    ".txt": ("text/plain; charset=utf-8", _PLAIN),
    ".md": ("text/plain; charset=utf-8", _PLAIN),
    ".csv": ("text/csv; charset=utf-8", _PLAIN),
    ".json": ("application/json", _PLAIN),
}
"""By ending: the type it is served as, and how its bytes begin; plain text is UTF-8 without NUL.

What a browser could run, HTML and SVG above all, is not among them.
"""

MEDIA_TYPES = tuple(sorted({kind.partition(";")[0] for kind, _ in TYPES.values()}))
"""What a file can be served as, without parameters."""


class FileError(ValueError):
    """A file that cannot be taken; the message says why and what can."""


def safe_name(name: str) -> str:
    """Return the last part of a file's name without anything that could mislead or break a header.

    Raises:
        FileError: nothing is left of it.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Control characters, marks that turn the direction of writing, and what is not assigned.
    kept = "".join(" " if c.isspace() else c for c in last if unicodedata.category(c)[0] != "C")
    kept = " ".join(kept.replace('"', "").split()).strip(" .")
    path = PurePosixPath(kept)
    if not path.stem.strip(". ") or not kept:
        raise FileError(gettext("The file has no name that could be kept."))
    return f"{path.stem[: MAX_NAME - len(path.suffix)]}{path.suffix}"[:MAX_NAME]


def type_of(name: str, data: bytes) -> str:
    """Return the type a file is served as.

    Raises:
        FileError: it is empty, too large, of no known type, or not what its ending says.
    """
    if not data:
        raise FileError(gettext("The file is empty."))
    if len(data) > MAX_BYTES:
        raise FileError(
            gettext("A file has at most %(value)s MB.") % {"value": MAX_BYTES // 1_000_000}
        )
    ending = PurePosixPath(name).suffix.lower()
    if ending not in TYPES:
        raise FileError(
            gettext("Files end in %(types)s; this one does not.") % {"types": ", ".join(TYPES)}
        )
    media_type, beginning = TYPES[ending]
    if not data.startswith(beginning) or (beginning == _PLAIN and not _is_text(data)):
        raise FileError(
            gettext(
                "The file ends in %(ending)s, but its contents are something else. Files end in "
                "%(types)s."
            )
            % {"ending": ending, "types": ", ".join(TYPES)}
        )
    return media_type


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode()
    except UnicodeDecodeError:
        return False
