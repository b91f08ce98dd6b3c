"""The offline judge: an audit bundle, believed only as far as the policy and the tree prove it.

The checkpoint must be signed by the log's key of the policy, or by one to which it has handed over,
and cosigned by its quorum; all entries together must give the signed root. What is authorised then
follows from the entries. Whether each decision was rightly made is for `verify.py`, which replays
the governance as well.
"""

import contextlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from oversight_gate import strict_json
from oversight_gate.handovers import FOLDER, MOST, Handovers
from oversight_gate.judging import Answer, CannotTell, Pair, moment, said
from oversight_gate.notes import Head, Malformed, Policy, from_decimal, stated
from oversight_gate.registry import Authorisation, Registry
from oversight_gate.tree import Edge, leaf_hash

WIDTH = 256
MAX_FILE_BYTES = 64 << 20
MAX_RATIO = 200
MAX_ENTRIES = 20_000_000
AHEAD = timedelta(minutes=5)
"""How far the record may be ahead of this machine's clock."""
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
_MALFORMED = (LookupError, TypeError, AttributeError, ValueError)


class BundleJudge:
    """Answers from one bundle, as of now, as long as it is young enough."""

    def __init__(self, path: Path, policy: Policy, max_age: timedelta) -> None:
        """Read and verify the whole bundle.

        Raises:
            CannotTell: it is no bundle, not proven, too old, or this machine's clock is wrong.
        """
        try:
            with zipfile.ZipFile(path) as bundle:
                self.head, self.registry, self.last_at = _verified(bundle, policy)
        except Malformed as error:
            raise CannotTell(f"{path.name} is not proven: {error}.") from None
        except _UNREADABLE as error:
            raise CannotTell(f"{path.name} is no usable bundle: {error}.") from None
        self._path = path
        self._contracts: dict[str, dict[str, Any]] = {}
        self.as_of = self._as_of()
        self._max_age = max_age
        self.now()

    @property
    def name(self) -> str:
        """By what it judges, for people."""
        when = f"{self.as_of:%Y-%m-%d %H:%M} UTC"
        return f"the log {self.head.origin} with {self.head.size:,} entries, as of {when}"

    def now(self) -> datetime:
        """Return the moment to judge by, if the bundle may still be used at it.

        Raises:
            CannotTell: the bundle is too old, or the clock here is behind the record.
        """
        now = datetime.now(UTC)
        if self.as_of - now > AHEAD:
            raise CannotTell(
                f"The record is of {self.as_of:%Y-%m-%d %H:%M} UTC, and this machine's clock says "
                f"{now:%Y-%m-%d %H:%M}: set the clock."
            )
        age = now - self.as_of
        if age > self._max_age:
            raise CannotTell(
                f"The bundle is {_in_words(age)} old and is believed for "
                f"{_in_words(self._max_age)}: download it again, or allow more with --max-age."
            )
        return max(now, self.as_of)

    def ask(self, subject: str, deployment: str) -> Answer:
        """Answer from the acts of the log."""
        now = self.now()
        code = self.registry.code(subject, deployment, now)
        row = self.registry.decides(subject, deployment)
        decision, ends_at = (row.decision, row.ends_at) if row else ("", "")
        conditions = self._conditions(row) if row and row.conditions else {}
        return Answer(
            code == "authorised", code, said(code, decision, ends_at), decision, ends_at, conditions
        )

    def prepare(self, pairs: Iterable[Pair]) -> None:
        """Everything is there already."""

    def _conditions(self, row: Authorisation) -> dict[str, Any]:
        """Return the conditions by the digest on the log, where the bundle has the contract."""
        if row.decision not in self._contracts:
            stated = _json_in(self._path, f"decisions/{row.decision}/contract.json")
            terms = stated.get("terms") if isinstance(stated, dict) else None
            found = terms.get("conditions") if isinstance(terms, dict) else None
            is_it = isinstance(found, dict) and strict_json.digest(found) == row.conditions
            self._contracts[row.decision] = found if is_it and found else {"digest": row.conditions}
        return self._contracts[row.decision]

    def _as_of(self) -> datetime:
        """Return how new the bundle is proven to be: by its witnesses, else by its last act."""
        if self.head.witnessed_at is None:
            return self.last_at
        return max(self.last_at, datetime.fromtimestamp(self.head.witnessed_at, UTC))


def _verified(bundle: zipfile.ZipFile, policy: Policy) -> tuple[Head, Registry, datetime]:
    signed, handovers = _member(bundle, "checkpoint"), Handovers(_handovers(bundle))
    _, size, _ = stated(signed)
    if not handovers.notes:
        policy.open(signed)
    if size > MAX_ENTRIES:
        raise Malformed(f"the log has {size:,} entries; {MAX_ENTRIES:,} at most are read")
    edge, registry, last = Edge(), Registry(), b""
    for index, entry in enumerate(_entries(bundle, size)):
        edge.append(leaf_hash(entry))
        last = entry
        # The type stands in canonical JSON as it is looked for; the parsed act is asked again.
        if b'"type":"registry.' in entry:
            _take(registry, index, entry)
        handovers.take(index, entry)
        if edge.size in handovers.notes:
            handovers.grown(edge.size, edge.root())
    head = policy.open(signed, handovers.followed(policy))
    if edge.root() != head.root:
        raise Malformed("its entries do not give the signed root")
    return head, registry, _time_of(last)


def _handovers(bundle: zipfile.ZipFile) -> dict[int, bytes]:
    paths = [name for name in bundle.namelist() if name.startswith(FOLDER)]
    if len(paths) > MOST:
        raise Malformed(f"it holds more than {MOST:,} handovers of the log's key")
    return {from_decimal(path.removeprefix(FOLDER)): _member(bundle, path) for path in paths}


def _take(registry: Registry, index: int, entry: bytes) -> None:
    try:
        act = strict_json.read(entry)
        if act["type"].startswith("registry."):
            registry.take(index, act)
    except _MALFORMED as error:
        raise Malformed(f"entry {index} is no act of its kind ({error})") from None


def _time_of(entry: bytes) -> datetime:
    try:
        return moment(strict_json.read(entry)["at"])
    except _MALFORMED:
        raise Malformed("the log is empty, or its last entry has no time") from None


def _entries(bundle: zipfile.ZipFile, size: int) -> Iterator[bytes]:
    for start in range(0, size, WIDTH):
        width = min(WIDTH, size - start)
        path = _tile_path(start // WIDTH, width)
        data, offset = _member(bundle, path), 0
        for _ in range(width):
            length = int.from_bytes(data[offset : offset + 2], "big")
            entry = data[offset + 2 : offset + 2 + length]
            if len(entry) < length or not length:
                raise Malformed(f"{path} ends within an entry")
            offset += 2 + length
            yield entry
        if offset != len(data):
            raise Malformed(f"{path} holds more than its entries")


def _tile_path(index: int, width: int) -> str:
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return f"log/tile/entries/{'/'.join(parts)}" + (f".p/{width}" if width < WIDTH else "")


def _member(bundle: zipfile.ZipFile, path: str) -> bytes:
    """Return a file of the zip, and no more of it than the zip's directory announces."""
    try:
        info = bundle.getinfo(path)
    except KeyError:
        raise Malformed(f"{path} is not in it") from None
    if info.file_size > min(MAX_FILE_BYTES, 4096 + MAX_RATIO * info.compress_size):
        raise Malformed(f"{path} would swell to {info.file_size:,} bytes")
    with bundle.open(info) as file:
        data: bytes = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise Malformed(f"{path} has another length than the zip says")
    return data


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"


def manifest_in(path: Path, digest: str) -> list[Any] | None:
    """Return the manifest of a version that a bundle holds, if it does and fits its digest."""
    value = _json_in(path, f"versions/{digest.removeprefix('sha256:')}.json")
    return value if isinstance(value, list) and strict_json.digest(value) == digest else None


def _json_in(path: Path, member: str) -> Any:
    """Return a document of a bundle, unverified; None where it is not there or unusable."""
    try:
        with zipfile.ZipFile(path) as bundle:
            return strict_json.read(_member(bundle, member))
    except (*_UNREADABLE, Malformed):
        return None


class BundleFile:
    """The offline judge of a service: a bundle that is read again when another lies in its place.

    One that is older than what was read before, or not proven, changes nothing: what was read goes
    on until it is too old.
    """

    def __init__(self, path: Path, policy: Policy, max_age: timedelta) -> None:
        """Read the bundle that is there.

        Raises:
            CannotTell: as `BundleJudge`.
        """
        self._source = (path, policy, max_age)
        self._seen = _state_of(path)
        self._judge = BundleJudge(*self._source)

    @property
    def name(self) -> str:
        """By what it judges, for people."""
        return self._judge.name

    def ask(self, subject: str, deployment: str) -> Answer:
        """Answer from the newest bundle that is proven."""
        state = _state_of(self._source[0])
        if state != self._seen:
            self._seen = state
            with contextlib.suppress(CannotTell):
                found = BundleJudge(*self._source)
                if found.head.size >= self._judge.head.size:
                    self._judge = found
        return self._judge.ask(subject, deployment)

    def prepare(self, pairs: Iterable[Pair]) -> None:
        """Everything is there already."""


def _state_of(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns
