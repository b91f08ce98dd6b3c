"""The online judge: a site's gate, believed only as far as the log's key of the policy proves it.

Each answer is a signed statement. The key that signed it must have been adopted by an act whose
receipt leads to a checkpoint that the policy accepts; a yes must show its own act the same way.
Without a policy the site is believed as far as TLS proves who it is.
"""

import hashlib
import http.client
import ipaddress
import json
import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oversight_gate import strict_json
from oversight_gate.handovers import MOST, handed_over
from oversight_gate.judging import Answer, CannotTell, Pair, moment, said
from oversight_gate.notes import Head, Key, Malformed, Policy, from_base64, parse_proof
from oversight_gate.tree import is_included, leaf_hash

PAYLOAD_TYPE = "application/vnd.in-toto+json"
KEYS = "/api/v1/gate/keys/"
MAX_BYTES = 2_000_000
SECONDS = 10
AT_ONCE = 8
SKEW = timedelta(minutes=5)
_MALFORMED = (LookupError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Known:
    """A key of the gate that is proven, or that the site lists where nothing is asked for."""

    public: bytes
    compromised: bool
    retired_at: datetime | None


class SiteJudge:
    """Asks a site's gate, verifies each answer and keeps it for as long as it says."""

    def __init__(self, address: str, policy: Policy | None) -> None:
        """Take the site's address.

        Raises:
            CannotTell: the address cannot be used.
        """
        parts = urlsplit(address.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CannotTell(f"{address[:80]!r} is no web address such as https://council.example.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise CannotTell(f"{address[:80]} is not encrypted: use https.")
        self._parts = parts
        self._policy = policy
        self._keys: dict[str, _Known] = {}
        self._followed: tuple[Key, ...] = ()
        self._lock = threading.Lock()
        self._kept: dict[Pair, tuple[float, Answer]] = {}
        self._local = threading.local()

    @property
    def name(self) -> str:
        """By what it judges, for people."""
        proof = "under your log key" if self._policy else "believed over TLS, no --policy given"
        return f"the gate of {self._parts.netloc} ({proof})"

    def ask(self, subject: str, deployment: str) -> Answer:
        """Return a kept answer that still holds, or ask."""
        pair = (subject, deployment)
        until, kept = self._kept.get(pair, (0.0, None))
        if kept is not None and _steady() < until:
            return kept
        asked_at = _steady()
        query = f"subject={quote(subject)}&deployment={quote(deployment)}"
        content, max_age = self._get(f"/api/v1/gate/?{query}")
        answer = self._verified(content, subject, deployment)
        # The site may have kept it for a while: what HTTP says is left, and never more than signed.
        answer = replace(answer, lasts=min(answer.lasts, max_age))
        with self._lock:
            if len(self._kept) > 10_000:
                self._kept.clear()
            self._kept[pair] = (asked_at + answer.lasts, answer)
        return answer

    def prepare(self, pairs: Iterable[Pair]) -> None:
        """Ask about many pairs at once; what fails is asked again, and said, when it is needed."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for pair in pairs:
                pool.submit(self.ask, *pair)

    # -- Verifying

    def _verified(self, content: Any, subject: str, deployment: str) -> Answer:
        try:
            statement = self._opened(content["statement"])
            predicate = statement["predicate"]
            digests = [each["digest"]["sha256"] for each in statement["subject"]]
            about = (digests, predicate["deployment"])
            if about != ([subject.removeprefix("sha256:")], deployment):
                raise CannotTell("The gate's statement is about something else than was asked.")
            lasts = _lasts(predicate)
            allowed = predicate["verificationResult"] == "PASSED"
            row = predicate.get("authorisation") or {}
            if allowed:
                self._require_act(content["record"]["acts"], row["decision"], subject, deployment)
            code, decision = str(predicate["code"]), str(row.get("decision") or "")
            ends_at = str(row.get("ends_at") or "")
            conditions = row.get("conditions") or {}
        except _MALFORMED as error:
            raise CannotTell(f"The gate's answer is not of its form ({error}).") from None
        if allowed and ends_at and moment(ends_at) <= datetime.now(UTC):
            raise CannotTell("The gate says yes beyond the sunset by this machine's clock.")
        words = said(code, decision, ends_at)
        return Answer(allowed, code, words, decision, ends_at, conditions, lasts)

    def _opened(self, envelope: Any) -> Any:
        """Return the statement of an envelope that a known key of the gate has signed."""
        payload = from_base64(envelope["payload"])
        kind = envelope["payloadType"]
        if kind != PAYLOAD_TYPE:
            raise CannotTell("The gate's statement is of another type.")
        message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        statement = strict_json.read(payload)
        verified_at = moment(statement["predicate"]["timeVerified"])
        for signature in envelope["signatures"][:16]:
            key = self._key(signature["keyid"])
            if key is None:
                continue
            try:
                public = Ed25519PublicKey.from_public_bytes(key.public)
                public.verify(from_base64(signature["sig"]), message)
            except InvalidSignature:
                raise CannotTell("The signature of the gate's statement is wrong.") from None
            _require_good(key, verified_at)
            return statement
        raise CannotTell("The gate's statement is signed by no key that is known of it.")

    def _key(self, key_id: str) -> _Known | None:
        """Return a key by its id; an unknown one may be new, so the list is asked for again."""
        with self._lock:
            if key_id not in self._keys:
                self._keys = dict(self._listed())
            return self._keys.get(key_id)

    def _listed(self) -> Iterable[tuple[str, _Known]]:
        content = self._get(KEYS)[0]
        self._follow(content)
        for row in content["keys"][:1000]:
            public = bytes.fromhex(row["public_key"])
            if self._policy is not None:
                act = self._proven(row["leaf"], row["receipt"])
                named = (act["type"], act["facts"]["key"])
                if named != ("registry.gate_key.adopted", row["public_key"]):
                    raise CannotTell("The receipt of a key of the gate is about something else.")
            retired = moment(row["retired_at"]) if row["retired_at"] else None
            known = _Known(public, bool(row["is_compromised"]), retired)
            yield hashlib.sha256(public).hexdigest(), known

    def _follow(self, content: Any) -> None:
        """Take from the list of the gate's keys to whom the policy's own have handed over."""
        if self._policy is None:
            return
        found: list[Key] = []
        for row in content.get("handovers", [])[:MOST]:
            after = handed_over(row["leaf"], row["receipt"], (*self._policy.logs, *found))
            if after is not None:
                found.append(after)
        self._followed = tuple(found)

    def _opened_checkpoint(self, checkpoint: bytes) -> Head:
        """Return the head of a checkpoint; the log may have handed over to a new key meanwhile."""
        assert self._policy is not None  # noqa: S101 - callers have looked
        try:
            return self._policy.open(checkpoint, self._followed)
        except Malformed:
            self._follow(self._get(KEYS)[0])
            return self._policy.open(checkpoint, self._followed)

    def _require_act(self, acts: Any, decision: str, subject: str, deployment: str) -> None:
        """Refuse a yes that does not show the act that granted it, on the log of the policy."""
        if self._policy is None:
            return
        for each in acts:
            if each["type"] != "registry.authorisation.granted":
                continue
            act = self._proven(each["leaf"], each["receipt"])
            told = (
                act["type"],
                act["subject"],
                act["digests"]["version"],
                act["facts"]["deployment"],
            )
            kind = "registry.authorisation.granted"
            if told == (kind, f"authorisation:{decision}", subject, deployment):
                return
        raise CannotTell("The gate says yes and shows no act on the log that allows it.")

    def _proven(self, leaf: str, receipt: str) -> Any:
        """Return an act whose receipt leads to a checkpoint that the policy accepts."""
        try:
            index, path, checkpoint = parse_proof(receipt)
            head = self._opened_checkpoint(checkpoint)
        except Malformed as error:
            raise CannotTell(f"A receipt of the gate is not proven: {error}.") from None
        if not is_included(index, head.size, leaf_hash(leaf.encode()), path, head.root):
            raise CannotTell("A receipt of the gate does not lead to its act.")
        return strict_json.read(leaf)

    # -- HTTP

    def _get(self, path: str) -> tuple[Any, int]:
        """Return the JSON of an address of the site, and for how many seconds it may be kept.

        Each thread keeps a connection; one that the site has closed meanwhile is opened again.
        """
        target = f"{self._parts.path}{path}"
        for attempt in (1, 2):
            wire = getattr(self._local, "wire", None) or self._connected()
            try:
                wire.request("GET", target, headers={"Accept": "application/json"})
                response = wire.getresponse()
                data = response.read(MAX_BYTES + 1)
            except (OSError, http.client.HTTPException) as error:
                wire.close()
                self._local.wire = None
                if attempt == 2 or isinstance(error, TimeoutError):
                    raise CannotTell(f"{self._parts.netloc} does not answer ({error}).") from None
                continue
            return self._content(response.status, data), _max_age(response)
        raise CannotTell(f"{self._parts.netloc} does not answer.")

    def _content(self, status: int, data: bytes) -> Any:
        try:
            content = json.loads(data) if len(data) <= MAX_BYTES else None
        except (ValueError, RecursionError):
            content = None
        if status == 200 and isinstance(content, dict):
            return content
        detail = content.get("detail") if isinstance(content, dict) else None
        said_so = f": {str(detail)[:300]}" if detail else ""
        raise CannotTell(f"{self._parts.netloc} answered with status {status}{said_so}")

    def _connected(self) -> http.client.HTTPConnection:
        https = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        host = self._parts.hostname or ""
        self._local.wire = kind(host, self._parts.port, timeout=SECONDS)
        wire: http.client.HTTPConnection = self._local.wire
        return wire


def _lasts(predicate: Any) -> float:
    """Return for how many seconds the statement may be kept from now on.

    Raises:
        CannotTell: it is of another time than this machine's: replayed, or the clock is wrong.
    """
    now = datetime.now(UTC)
    verified, until = moment(predicate["timeVerified"]), moment(predicate["notAfter"])
    if abs(now - verified) > SKEW:
        raise CannotTell(
            f"The gate's answer is of {verified:%Y-%m-%d %H:%M:%S} UTC, and this machine's clock "
            f"says {now:%Y-%m-%d %H:%M:%S}: the answer was replayed, or a clock is wrong."
        )
    return max(0.0, (until - verified).total_seconds())


def _require_good(key: _Known, verified_at: datetime) -> None:
    if key.compromised:
        raise CannotTell("The gate's statement is signed by a key that was stolen.")
    if key.retired_at is not None and verified_at > key.retired_at + SKEW:
        raise CannotTell("The gate's statement is signed by a key that was retired before.")


def _max_age(response: http.client.HTTPResponse) -> int:
    found = re.search(r"\bmax-age=(\d{1,6})\b", response.getheader("Cache-Control") or "")
    return int(found[1]) if found else 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _steady() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
