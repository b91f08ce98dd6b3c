"""Keeps the published files up to date, beside the sequencer, so that no receipt waits for it."""

import threading
from collections.abc import Callable

from django.db import connection

from oversight.ledger.public_folder import PublicFolder

PAUSE_SECONDS = 0.5
"""Under load many checkpoints are published at once; each file of theirs is still written."""

RETRY_SECONDS = 5.0
COSIGNATURES_SECONDS = 30.0
"""How often to look for cosignatures that arrived after their checkpoint was published."""


class PublisherThread:
    """Publishes whenever it is woken, at most every half second."""

    def __init__(self, folder: PublicFolder, say: Callable[[str], None]) -> None:
        """Take the folder and where to report trouble."""
        self._folder = folder
        self._say = say
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, with what is newest already."""
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Say that there is a new checkpoint. Never waits."""
        self._wake.set()

    def stop(self) -> None:
        """Publish what is newest, and end."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(10)

    def _run(self) -> None:
        said = ""
        try:
            while True:
                self._wake.wait(COSIGNATURES_SECONDS)
                self._wake.clear()
                trouble = self._publish()
                if trouble and trouble != said:
                    self._say(f"publishing: {trouble}")
                said = trouble
                if self._stopping.is_set():
                    return
                self._stopping.wait(RETRY_SECONDS if trouble else PAUSE_SECONDS)
                if trouble:
                    self._wake.set()
        finally:
            connection.close()

    def _publish(self) -> str:
        """Publish, and return what went wrong in one line; the files stay as they were then."""
        try:
            self._folder.publish()
        except Exception as error:  # noqa: BLE001 - tried again later, whatever it was
            connection.close()
            return str(error).partition("\n")[0] or type(error).__name__
        return ""
