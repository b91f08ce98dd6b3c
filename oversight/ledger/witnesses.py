"""Shows each new checkpoint to the configured witnesses and keeps what they answer.

One thread per witness, beside the sequencer and never in its way: a slow witness gets only the
newest checkpoint, and without a quorum in the policy no receipt waits for any of them.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from oversight.ledger import merkle, note, queries
from oversight.ledger.encoding import EncodingError, from_decimal, to_base64
from oversight.ledger.models import Checkpoint, Cosignature, Quorum, WitnessReport
from oversight.ledger.tiles import TileNodes
from oversight.ledger.tlog_policy import Policy, Witness

TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
MAX_ANSWER_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered: an HTTP status and a body."""

    status: int
    body: str


Post = Callable[[str, bytes], Answer]
"""Posts bytes to an address and returns the answer, also of a refusal."""


class WitnessUnreachable(Exception):  # noqa: N818 - tried again later
    """The witness gave no answer, or one that means nothing."""


def post(url: str, body: bytes) -> Answer:
    """Post to a witness.

    Raises:
        WitnessUnreachable: when there is no answer in time.
    """
    request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310 - the policy's address
    request.add_header("Content-Type", "text/plain; charset=utf-8")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return Answer(response.status, _text(response.read(MAX_ANSWER_BYTES)))
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, _text(refused.read(MAX_ANSWER_BYTES)))
    except (OSError, ValueError) as error:
        raise WitnessUnreachable(str(error)) from None


class Submission:
    """Brings one witness up to date. Remembers what the witness has seen, as it tells us."""

    def __init__(self, policy: Policy, witness: Witness, post: Post = post) -> None:
        """Take the whole policy, whose quorum this witness may complete, and the witness."""
        self._policy = policy
        self._witness = witness
        self._post = post
        self._seen = 0

    def submit_newest(self) -> bool:
        """Show the newest signed checkpoint; return whether the witness now has cosigned it.

        Raises:
            WitnessUnreachable: when it gave no useful answer.
        """
        newest = queries.newest_signed_checkpoint()
        if newest is None:
            return False
        key_id = self._witness.key.key_id.hex()
        if Cosignature.objects.filter(size=newest.size, key_id=key_id).exists():
            return True
        answer = self._show(newest)
        if answer.status == 409:
            # It has seen another size than we thought, perhaps before we were restarted.
            seen = _size(answer.body)
            if seen > newest.size:
                return self._keep_refusal(newest, answer)
            self._seen = seen
            answer = self._show(newest)
        if answer.status == 200:
            return self._keep_cosignature(newest, answer)
        return self._keep_refusal(newest, answer)

    def _show(self, newest: Checkpoint) -> Answer:
        path = merkle.prove_consistency(self._seen, newest.size, TileNodes(queries.read_tiles))
        lines = [f"old {self._seen}", *(to_base64(each) for each in path)]
        body = "".join(f"{line}\n" for line in lines) + f"\n{newest.note}"
        return self._post(f"{self._witness.url}/add-checkpoint", body.encode())

    def _keep_cosignature(self, newest: Checkpoint, answer: Answer) -> bool:
        text = note.parse(newest.note.encode()).text
        for line in answer.body.splitlines():
            try:
                signature = note.parse_signature(line)
            except note.NoteError:
                continue
            signed_at = self._witness.key.time_of(text, signature)
            if signed_at is not None:
                self._store(newest, signature, signed_at)
                self._seen = newest.size
                return True
        raise WitnessUnreachable("It answered 200 without a valid cosignature of its key.")

    def _store(self, newest: Checkpoint, signature: note.Signature, signed_at: int) -> None:
        with transaction.atomic():
            Cosignature.objects.get_or_create(
                size=newest.size,
                key_id=signature.key_id.hex(),
                defaults={
                    "witness": self._witness.name,
                    "line": signature.line(),
                    "signed_at": datetime.fromtimestamp(signed_at, UTC),
                },
            )
            names = Cosignature.objects.filter(size=newest.size).values_list("witness", flat=True)
            if self._policy.is_met(set(names)):
                Quorum.objects.get_or_create(size=newest.size)

    def _keep_refusal(self, newest: Checkpoint, answer: Answer) -> bool:
        """Keep a refusal for people to see; the same one again is no news."""
        WitnessReport.objects.get_or_create(
            witness=self._witness.name,
            size=newest.size,
            status=answer.status,
            defaults={"answer": answer.body[:4000], "note": newest.note},
        )
        return False


class WitnessThreads:
    """Runs a `Submission` per witness until stopped; `wake` says that there is a new checkpoint."""

    def __init__(self, policy: Policy, say: Callable[[str], None]) -> None:
        """Take the policy; witnesses without an address are asked by nobody here."""
        self._say = say
        self._stopping = threading.Event()
        self._threads = []
        self._wakes = []
        for witness in policy.witnesses:
            if witness.url:
                wake = threading.Event()
                arguments = (Submission(policy, witness), witness.name, wake)
                self._wakes.append(wake)
                self._threads.append(
                    threading.Thread(target=self._run, args=arguments, daemon=True)
                )

    def start(self) -> None:
        """Begin, with what is newest already."""
        for thread in self._threads:
            thread.start()
        self.wake()

    def wake(self) -> None:
        """Say that there is a new checkpoint. Costs nothing and never waits."""
        for each in self._wakes:
            each.set()

    def stop(self) -> None:
        """End the threads; one that waits for an answer is left to end with the process."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(0.5)

    def _run(self, submission: Submission, name: str, wake: threading.Event) -> None:
        pause, said = FIRST_PAUSE_SECONDS, ""
        while not self._stopping.is_set():
            wake.wait()
            wake.clear()
            trouble = self._attempt(submission)
            if trouble and trouble != said:
                self._say(f"witness {name}: {trouble}")
            said = trouble
            if trouble:
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                wake.set()
            else:
                pause = FIRST_PAUSE_SECONDS
        connection.close()

    def _attempt(self, submission: Submission) -> str:
        """Return what went wrong, in one line; nothing that a witness does may end the thread."""
        if self._stopping.is_set():
            return ""
        try:
            cosigned = submission.submit_newest()
        except Exception as error:  # noqa: BLE001 - tried again later, whatever it was
            connection.close()
            return str(error).partition("\n")[0] or type(error).__name__
        return "" if cosigned else "has not cosigned the newest checkpoint"


def _size(body: str) -> int:
    try:
        return from_decimal(body.strip())
    except EncodingError:
        raise WitnessUnreachable("It answered 409 without the size that it has seen.") from None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\x00", "")
