"""Timestamps of checkpoints by somebody else's clock (RFC 3161): this tree was there by then.

An option. With `LEDGER_TSA_URL` set, one thread beside the sequencer has the newest checkpoint
stamped now and then. What is stamped is the checkpoint's text (origin, size, root) without its
signatures, so cosignatures that come later change nothing. The authority's whole answer is kept.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from oversight.ledger import note, queries
from oversight.ledger.models import Checkpoint, Timestamp

TIMEOUT_SECONDS = 20.0
RETRY_SECONDS = 60.0
MAX_ANSWER_BYTES = 64_000
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"

Post = Callable[[str, bytes], bytes]
"""Posts a request to an address and returns the answer's bytes."""


class TimestampError(RuntimeError):
    """An authority gave no timestamp that holds; the message says why."""


@dataclass(frozen=True)
class Authority:
    """Where timestamps come from, and the certificates that those must lead to."""

    url: str
    roots: tuple[x509.Certificate, ...]


def authority() -> Authority | None:
    """Return the authority that the settings name, None where they name none.

    Raises:
        TimestampError: when the file of its root certificates cannot be used.
    """
    roots = settings.LEDGER_TSA_ROOTS
    if not settings.LEDGER_TSA_URL or roots is None:
        return None
    return Authority(settings.LEDGER_TSA_URL, read_roots(roots))


def read_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a PEM file.

    Raises:
        TimestampError: when there are none in it.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise TimestampError(f"{path} holds no usable root certificates: {error}") from None


def post(url: str, body: bytes) -> bytes:
    """Post a request to the authority.

    Raises:
        TimestampError: when it does not answer in time, or refuses.
    """
    request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310 - the operator's address
    request.add_header("Content-Type", QUERY)
    request.add_header("Accept", REPLY)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer: bytes = response.read(MAX_ANSWER_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TimestampError(f"{url} gave no timestamp: {error}") from None
    if len(answer) > MAX_ANSWER_BYTES:
        raise TimestampError(f"{url} answered more than {MAX_ANSWER_BYTES:,} bytes.")
    return answer


def stamp_newest(source: Authority, post: Post = post) -> Timestamp | None:
    """Have the newest signed checkpoint stamped, check the answer, and keep it.

    Returns None when there is nothing to stamp: no checkpoint, or one that is stamped already.

    Raises:
        TimestampError: when the answer is no timestamp of this text by this authority.
    """
    newest = queries.newest_signed_checkpoint()
    if newest is None or Timestamp.objects.filter(size=newest.size).exists():
        return None
    text = signed_text(newest)
    asked = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = post(source.url, asked.as_bytes())
    response = check(answer, text, source.roots, nonce=asked.nonce)
    return Timestamp.objects.create(
        size=newest.size,
        authority=_name_of(response),
        stamped_at=response.tst_info.gen_time,
        answer=answer,
    )


def check(
    answer: bytes, text: bytes, roots: Sequence[x509.Certificate], nonce: int | None = None
) -> TimeStampResponse:
    """Return the answer decoded if it is a timestamp of the text that leads to one of the roots.

    Raises:
        TimestampError: when it is anything else.
    """
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        response = decode_timestamp_response(answer)
        builder.build().verify_message(response, text)
    except (VerificationError, ValueError) as error:
        raise TimestampError(f"This is no timestamp of the checkpoint: {error}") from None
    return response


def check_all(roots: Sequence[x509.Certificate]) -> int:
    """Check every timestamp that is kept against its checkpoint; return how many there are.

    Raises:
        TimestampError: naming the first that does not hold.
    """
    count = 0
    for stamp in Timestamp.objects.order_by("size").iterator(chunk_size=100):
        signed = Checkpoint.objects.filter(size=stamp.size).first()
        if signed is None:
            raise TimestampError(f"There is no checkpoint of {stamp.size} entries any more.")
        try:
            response = check(bytes(stamp.answer), signed_text(signed), roots)
        except TimestampError as error:
            raise TimestampError(f"The timestamp of {stamp.size} entries: {error}") from None
        if response.tst_info.gen_time != stamp.stamped_at:
            raise TimestampError(f"The timestamp of {stamp.size} entries states another time.")
        count += 1
    return count


def signed_text(checkpoint: Checkpoint) -> bytes:
    """Return what a timestamp is of: the three lines that the log has signed."""
    return note.parse(checkpoint.note.encode()).text.encode()


def _name_of(response: TimeStampResponse) -> str:
    """Return who stamped, as the certificate of the signer says it."""
    signer = next(iter(response.signed_data.signer_infos))
    for each in response.signed_data.certificates:
        found = x509.load_der_x509_certificate(each)
        if (found.issuer, found.serial_number) == (signer.issuer, signer.serial_number):
            names = [
                str(name.value)
                for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)
                for name in found.subject.get_attributes_for_oid(kind)
            ]
            return ", ".join(dict.fromkeys(names))[:300] or "somebody unnamed"
    return "somebody unnamed"


class TimestampThread:
    """Has new checkpoints stamped, at most one in so many seconds, until it is stopped."""

    def __init__(
        self,
        source: Authority | None,
        say: Callable[[str], None],
        *,
        every_seconds: float | None = None,
        retry_seconds: float = RETRY_SECONDS,
        post: Post = post,
    ) -> None:
        """Take the authority, None to do nothing at all, and where to report trouble."""
        self._source = source
        self._say = say
        self._post = post
        self._every = settings.LEDGER_TSA_EVERY_SECONDS if every_seconds is None else every_seconds
        self._retry = retry_seconds
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, with what is newest already."""
        self._wake.set()
        if self._source:
            self._thread.start()

    def wake(self) -> None:
        """Say that there is a new checkpoint. Never waits."""
        self._wake.set()

    def stop(self) -> None:
        """End; a request under way is left to end with the process."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        said = ""
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            self._stopping.wait(self._due_in())
            trouble = "" if self._stopping.is_set() else self._attempt()
            if trouble and trouble != said:
                self._say(f"timestamp: {trouble}")
            said = trouble
            if trouble:
                self._stopping.wait(self._retry)
                self._wake.set()
        connection.close()

    def _due_in(self) -> float:
        """Return the seconds until the next timestamp may be asked for; 0 when one is due."""
        try:
            last = Timestamp.objects.order_by("-size").first()
        except Error:
            # The attempt meets the same trouble, and says what it is.
            connection.close()
            return 0.0
        if last is None:
            return 0.0
        due = last.created_at + timedelta(seconds=self._every)
        return max(0.0, (due - timezone.now()).total_seconds())

    def _attempt(self) -> str:
        """Return what went wrong, in one line; nothing that it meets may end the thread."""
        assert self._source is not None  # noqa: S101 - the thread does not run without
        try:
            stamp_newest(self._source, self._post)
        except Exception as error:  # noqa: BLE001 - tried again later, whatever it was
            connection.close()
            return str(error).partition("\n")[0] or type(error).__name__
        return ""
