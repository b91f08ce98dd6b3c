"""The content-addressed store of files: suite data, samples of runs.

A file is written beside its place, checked, made durable and renamed, so a crash leaves either the
whole file under its digest or nothing but a temporary one. Where several web hosts share a bucket,
it goes there, too, before its row is written, and a host that lacks a file fetches it.
"""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext

from evals import shared_store
from evals.models import Artefact
from oversight.web.refusals import Invalid, Refusal

MAX_BYTES = 512 * 1024 * 1024
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class NoRoom(Refusal):
    """The disk is full or cannot be written (507); worth trying again later."""

    status = 507
    title = "No room"


def path_of(sha256: str) -> Path:
    """Return where the bytes of this digest lie, whether or not they are there.

    Raises:
        StoreAway: they are not here, and the bucket that hosts share does not answer.
    """
    place = _place(sha256)
    if not shared_store.is_configured() or place.exists():
        return place
    if (found := shared_store.get(sha256)) is not None:
        _keep(found, sha256)
    return place


def _place(sha256: str) -> Path:
    return Path(settings.ARTEFACTS_DIR) / "sha256" / sha256[:2] / sha256


def store(chunks: Iterable[bytes], *, media_type: str, expected_sha256: str = "") -> Artefact:
    """Store bytes under their digest and return the row; storing the same bytes twice is harmless.

    Raises:
        Invalid: the bytes do not have the expected digest, or there are too many of them.
        NoRoom: the disk is full; nothing of it stays.
        StoreAway: hosts share a bucket, and it does not answer.
    """
    try:
        sha256, size = _keep(chunks, expected_sha256)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise NoRoom(
            "There is no room left where results are kept. Nothing was changed; send it again when "
            "the operator has made room."
        ) from error
    if shared_store.is_configured():
        shared_store.put(sha256, _place(sha256))
    row, _ = Artefact.objects.get_or_create(
        sha256=sha256, defaults={"size": size, "media_type": media_type}
    )
    return row


def _keep(chunks: Iterable[bytes], expected_sha256: str) -> tuple[str, int]:
    """Write bytes under their digest; return it and their number."""
    root = Path(settings.ARTEFACTS_DIR)
    root.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=root, prefix="incoming-")
    incoming = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            sha256, size = _copy(chunks, file)
            file.flush()
            os.fsync(file.fileno())
        if expected_sha256 and sha256 != expected_sha256:
            raise Invalid(
                gettext(
                    "The bytes received have the digest %(sha256)s, not %(expected_sha256)s: "
                    "they were cut short or altered on the way. Send them again."
                )
                % {
                    "sha256": sha256,
                    "expected_sha256": expected_sha256,
                }
            )
        _settle(incoming, _place(sha256))
    finally:
        incoming.unlink(missing_ok=True)
    return sha256, size


def store_bytes(data: bytes, *, media_type: str) -> Artefact:
    """Store bytes that are already in memory."""
    return store([data], media_type=media_type)


def require_unchanged(row: Artefact) -> None:
    """Read a stored file and compare it with its digest.

    Raises:
        Invalid: it is gone, or is not what was stored.
    """
    try:
        with path_of(row.sha256).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        found = "nothing"
    if found != row.sha256:
        raise Invalid(
            gettext(
                "The file %(sha256)s was altered in the store: %(found)s is there. Send it again."
            )
            % {
                "sha256": row.sha256,
                "found": found,
            }
        )


def _copy(chunks: Iterable[bytes], file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BYTES:
            raise Invalid(
                gettext("A file may have at most %(value)s MiB.") % {"value": MAX_BYTES // 1048576}
            )
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest(), size


def _settle(incoming: Path, place: Path) -> None:
    """Move a complete file to its place and make the folder's entry durable."""
    place.parent.mkdir(parents=True, exist_ok=True)
    incoming.chmod(0o640)
    incoming.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
