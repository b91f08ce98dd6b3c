"""The DSSE envelope: statements signed, and what is read out of one that somebody sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any, cast

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.dsse import Envelope

from evals.statement.checking import check_statement
from evals.statement.fields import StatementError, as_mapping, object_in, text_in
from evals.statement.form import STATEMENT_TYPE, SUBJECT_NAME, EvaluationPredicate, Statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PAYLOAD_LIMIT_BYTES = 1024 * 1024
SIGNATURES_LIMIT = 16


def key_id(public_key: bytes) -> str:
    """Return the key id of a raw 32-byte Ed25519 public key: its SHA-256 in hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()


def build_statement(*, predicate_type: str, predicate: EvaluationPredicate) -> Statement:
    """Return the statement about the model that the predicate names, checked.

    Raises:
        StatementError: a field is missing, has the wrong type or holds a float.
    """
    digest = text_in(object_in(predicate, "model", "predicate.model"), "digest", "predicate.model")
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": SUBJECT_NAME, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return check_statement(statement)


def sign_statement(statement: Statement, private_key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the DSSE envelope of a statement, as JSON values.

    Raises:
        StatementError: the statement would be refused by `verify_envelope`.
    """
    check_statement(statement)
    public_key = private_key.public_key().public_bytes_raw()
    payload = rfc8785.dumps(cast("dict[str, Any]", statement))
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise StatementError(f"payload: {len(payload)} bytes are too many")
    signature = private_key.sign(Envelope(payload, PAYLOAD_TYPE, {}).pae())
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(public_key), "sig": base64.b64encode(signature).decode()}],
    }


def verify_envelope(envelope: object, public_key: bytes) -> Statement:
    """Return the statement of an envelope that this key signed.

    Args:
        envelope: the DSSE envelope as parsed JSON, from anyone.
        public_key: the raw 32 bytes of the Ed25519 key on record for the worker.

    Raises:
        StatementError: the envelope is malformed, not signed by this key, or its statement is not
            canonical or not complete; the message says which.
    """
    payload, signatures = _parsed_envelope(envelope)
    keyid = key_id(public_key)
    signature = next((sig for found, sig in signatures if found == keyid), None)
    if signature is None:
        raise StatementError(f"signatures: none is by the key on record ({keyid[:16]}…)")
    message = Envelope(payload, PAYLOAD_TYPE, {}).pae()
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise StatementError("signatures: the signature does not match the payload") from error
    return check_statement(_canonical_json(payload))


def _parsed_envelope(envelope: object) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return payload and signatures (key id, signature) of an envelope in the right form."""
    found = as_mapping(envelope, "envelope")
    if found.get("payloadType") != PAYLOAD_TYPE:
        raise StatementError(f"payloadType: has to be {PAYLOAD_TYPE}")
    payload = _base64(found.get("payload"), "payload")
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise StatementError(f"payload: {len(payload)} bytes are too many")
    listed = found.get("signatures")
    if not isinstance(listed, list) or not 1 <= len(listed) <= SIGNATURES_LIMIT:
        raise StatementError(f"signatures: needs 1 to {SIGNATURES_LIMIT}")
    signatures = []
    for place, entry in enumerate(listed):
        where = f"signatures.{place}"
        signature = as_mapping(entry, where)
        signatures.append(
            (text_in(signature, "keyid", where), _base64(signature.get("sig"), where))
        )
    return payload, signatures


def _canonical_json(payload: bytes) -> object:
    """Parse the payload and refuse any other bytes than the one canonical form of its value."""
    try:
        value = json.loads(payload)
        canonical = rfc8785.dumps(value)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise StatementError("payload: is not JSON") from error
    if canonical != payload:
        raise StatementError("payload: is not in the canonical form of RFC 8785")
    return value


def _base64(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise StatementError(f"{where}: has to be a text in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise StatementError(f"{where}: is not base64") from error
