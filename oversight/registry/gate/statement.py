"""The gate's signed statement: in-toto Statement v1 in a DSSE envelope, shaped like SLSA's VSA.

The subject is the manifest of the weights; the predicate says which deployment was asked about,
when, what the answer is, until when it may be relied on, and all that it rests on by digest. RFC
8785 JSON without floats. Signed with Ed25519; the key id is the SHA-256 of the raw public key.

Sources: in-toto attestation framework v1, DSSE v1, SLSA verification summary v1.
"""

import base64
from collections.abc import Mapping
from typing import Any

import rfc8785
from securesystemslib.dsse import Envelope

from oversight.registry.gate.keys import GateKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_PATH = "/ns/gate-answer/v1"


def statement(*, site: str, subject: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement about the weights of the digest `sha256:…`."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "model", "digest": sha256(subject)}],
        "predicateType": f"{site}{PREDICATE_PATH}",
        "predicate": dict(predicate),
    }


def sign(value: Mapping[str, Any], key: GateKey) -> dict[str, Any]:
    """Return the DSSE envelope of a statement, as JSON values."""
    payload = rfc8785.dumps(dict(value))
    signature = key.private.sign(Envelope(payload, PAYLOAD_TYPE, {}).pae())
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.key_id, "sig": base64.b64encode(signature).decode()}],
    }


def sha256(digest: str) -> dict[str, str]:
    """Return a digest `sha256:…` as in-toto writes it."""
    return {"sha256": digest.removeprefix("sha256:")}
