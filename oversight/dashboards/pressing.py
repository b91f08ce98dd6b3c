"""What takes a processor for a moment is made in a process of its own, and kept by its digest."""

import subprocess
import sys
from collections.abc import Callable
from threading import BoundedSemaphore

from django.conf import settings
from django.core.cache import caches
from django.utils.translation import gettext


class BusyError(Exception):
    """Others are being made; come back in a moment."""


class PressError(Exception):
    """The press could not make it; the message says why."""


class Press:
    """A module of ours that makes a file; one at a time, lest a stranger take every processor.

    It gets no secret and no way to the database: what it reads may hold what strangers wrote.
    """

    def __init__(self, module: str, *, cache: str, seconds: float) -> None:
        """Take the module, where its files are kept, and how long one may take."""
        self.module = module
        self.cache = cache
        self.seconds = seconds
        self.one_at_a_time = BoundedSemaphore(1)

    def made(self, key: str, order: Callable[[], bytes], *arguments: str) -> bytes:
        """Return the file of an order; what was made once is not made again.

        Args:
            key: the digest of what it shows.
            order: what the module reads, asked for only where it has to be made.
            arguments: of the module.

        Raises:
            BusyError: too many others are being made.
            PressError: the module failed, or took too long.
        """
        kept = caches[self.cache]
        found: bytes | None = kept.get(key)
        if found is not None:
            return found
        if not self.one_at_a_time.acquire(timeout=self.seconds / 3):
            raise BusyError
        try:
            made = self.run(order(), *arguments)
        finally:
            self.one_at_a_time.release()
        kept.set(key, made)
        return made

    def run(self, order: bytes, *arguments: str) -> bytes:
        """Return what the module makes of an order."""
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", self.module, *arguments],
                input=order,
                capture_output=True,
                check=False,
                timeout=self.seconds,
                cwd=settings.BASE_DIR,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            )
        except subprocess.TimeoutExpired:
            raise PressError(
                gettext("it took longer than %(seconds)s s") % {"seconds": self.seconds}
            ) from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace")[-400:]
            raise PressError(said or gettext("it was stopped"))
        return done.stdout
