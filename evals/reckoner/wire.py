"""Messages between a process and its reckoner: one JSON value, then any number of pieces of bytes.

Each frame is a letter, four bytes of length and the content: `J` for the JSON, `B` for a piece, `.`
for the end. Only JSON and plain numbers cross: nothing that would run when it is read.
"""

import json
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Any

FRAME_LIMIT_BYTES = 128 * 1024 * 1024
_HEAD = struct.Struct(">cI")


class Gone(OSError):  # noqa: N818 - it is news: the other end closed
    """The other end is not there any more."""


class Line:
    """One end of the connection. Every wait for the other end is cut off at `deadline`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.deadline: float | None = None
        """In the seconds of `time.monotonic`; None to wait for ever."""

    def send(self, value: Any, pieces: Iterable[bytes] = ()) -> None:
        """Send a message.

        Raises:
            Gone: there is nobody to send it to.
            TimeoutError: it was not taken in time.
        """
        self._send(b"J", json.dumps(value, allow_nan=False, separators=(",", ":")).encode())
        for piece in pieces:
            self._send(b"B", piece)
        self._send(b".", b"")

    def receive(self) -> tuple[Any, Iterator[bytes]]:
        """Return the next message: its value, and its pieces, which must be read to their end.

        Raises:
            Gone: the other end closed, maybe in mid-message.
            TimeoutError: it did not come in time.
        """
        kind, content = self._frame()
        if kind != b"J":
            raise Gone("not a message")
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise Gone("not a message") from None
        return value, self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        while True:
            kind, content = self._frame()
            if kind == b".":
                return
            yield content

    def _send(self, kind: bytes, content: bytes) -> None:
        self._limit()
        try:
            self._end.sendall(_HEAD.pack(kind, len(content)) + content)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from None

    def _frame(self) -> tuple[bytes, bytes]:
        kind, size = _HEAD.unpack(self._read(_HEAD.size))
        if size > FRAME_LIMIT_BYTES:
            raise Gone(f"a frame of {size} bytes")
        return kind, self._read(size)

    def _read(self, size: int) -> bytes:
        found = bytearray(size)
        view, have = memoryview(found), 0
        while have < size:
            self._limit()
            try:
                count = self._end.recv_into(view[have:])
            except TimeoutError:
                raise
            except OSError as error:
                raise Gone(str(error)) from None
            if not count:
                raise Gone("the other end closed")
            have += count
        return bytes(found)

    def _limit(self) -> None:
        if self.deadline is None:
            self._end.settimeout(None)
        elif (left := self.deadline - time.monotonic()) > 0:
            self._end.settimeout(left)
        else:
            raise TimeoutError
