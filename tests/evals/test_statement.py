"""The signed statement of a result: what is signed, what verifies, what is refused and why."""

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evals.decimals import decimal_text
from evals.statement import (
    PAYLOAD_LIMIT_BYTES,
    StatementError,
    build_statement,
    check_statement,
    key_id,
    sign_statement,
    verify_envelope,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TYPE = "https://oversight.example/evaluation/v1"


def make_predicate(**changes: Any) -> dict[str, Any]:
    predicate = {
        "run": "R-1",
        "taskRun": "9b1d0c6e-0000-4000-8000-000000000001",
        "attempt": 1,
        "evaluator": {"worker": "w-1", "organisation": "o-1"},
        "evaluatedAt": "2026-11-23T10:00:00Z",
        "suite": {"slug": "public-service", "version": 1, "digest": "sha256:" + "a" * 64},
        "task": {"name": "facts", "digest": "sha256:" + "b" * 64},
        "dataset": [{"name": "facts.jsonl", "sha256": "c" * 64}],
        "model": {"digest": "sha256:" + "d" * 64, "label": "SmolLM2 135M"},
        "settings": {"backend": "hf", "batch_size": 16, "limit": None},
        "harness": {"name": "lm-eval", "version": "0.4.13", "digest": "sha256:" + "e" * 64},
        "environment": {"torch": "2.13.0"},
        "aggregates": [{"metric": "acc", "n": 80, "mean": "0.5", "stderr": "0.0562544"}],
        "samples": {
            "sha256": "f" * 64,
            "size": 10,
            "rows": 80,
            "mediaType": "application/vnd.apache.parquet",
        },
        "usage": {
            "wallSeconds": "12.5",
            "tokens": 900,
            "requests": 320,
            "energyJoules": "300",
            "energyMethod": "estimated",
        },
    }
    return predicate | changes


def make_envelope(**changes: Any) -> dict[str, Any]:
    statement = build_statement(predicate_type=TYPE, predicate=make_predicate(**changes))
    return sign_statement(statement, KEY)


def sign_payload(payload: bytes) -> dict[str, Any]:
    """Sign bytes as they are, as a worker with its key but not our code could."""
    kind = b"application/vnd.in-toto+json"
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind.decode(),
        "signatures": [
            {"keyid": key_id(PUBLIC), "sig": base64.b64encode(KEY.sign(message)).decode()}
        ],
    }


def test_a_signed_statement_verifies_and_comes_back_whole():
    envelope = json.loads(json.dumps(make_envelope()))

    statement = verify_envelope(envelope, PUBLIC)

    assert statement["predicate"] == make_predicate()
    assert statement["predicateType"] == TYPE
    assert statement["subject"] == [{"name": "model", "digest": {"sha256": "d" * 64}}]


def test_payload_and_signature_are_what_the_formats_say():
    envelope = make_envelope()
    payload = base64.b64decode(envelope["payload"])

    assert payload == rfc8785.dumps(json.loads(payload))
    assert envelope == sign_payload(payload)
    assert envelope["signatures"][0]["keyid"] == hashlib.sha256(PUBLIC).hexdigest()


def test_another_implementation_of_the_envelope_accepts_it():
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(KEY.public_key(), keyid=key_id(PUBLIC))

    Envelope.from_dict(copy.deepcopy(make_envelope())).verify([key], 1)


def test_a_statement_signed_by_another_key_is_refused():
    envelope = sign_statement(
        build_statement(predicate_type=TYPE, predicate=make_predicate()), OTHER
    )

    with pytest.raises(StatementError, match="none is by the key on record"):
        verify_envelope(envelope, PUBLIC)


def test_a_key_id_does_not_stand_in_for_a_signature():
    envelope = sign_statement(
        build_statement(predicate_type=TYPE, predicate=make_predicate()), OTHER
    )
    envelope["signatures"][0]["keyid"] = key_id(PUBLIC)

    with pytest.raises(StatementError, match="does not match the payload"):
        verify_envelope(envelope, PUBLIC)


def test_a_changed_payload_is_refused():
    envelope = make_envelope()
    payload = base64.b64decode(envelope["payload"]).replace(b'"mean":"0.5"', b'"mean":"0.9"')
    envelope["payload"] = base64.b64encode(payload).decode()

    with pytest.raises(StatementError, match="does not match the payload"):
        verify_envelope(envelope, PUBLIC)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"not json", "is not JSON"),
        (b'{"a":NaN}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"b":1,"a":2}', "not in the canonical form"),
        (b'{"a":1,"a":1}', "not in the canonical form"),
        (b'{"a": 1}', "not in the canonical form"),
        (b"[]", "statement: has to be an object"),
        (b"{}", "_type: has to be"),
    ],
)
def test_a_signed_payload_that_is_no_canonical_statement_is_refused(payload, message):
    with pytest.raises(StatementError, match=message):
        verify_envelope(sign_payload(payload), PUBLIC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"payloadType": "text/plain"}, "payloadType: has to be"),
        ({"payload": 5}, "payload: has to be a text"),
        ({"payload": "?"}, "payload: is not base64"),
        ({"payload": base64.b64encode(b" " * (PAYLOAD_LIMIT_BYTES + 1)).decode()}, "too many"),
        ({"signatures": []}, "signatures: needs 1 to 16"),
        ({"signatures": [{}] * 17}, "signatures: needs 1 to 16"),
        ({"signatures": [5]}, "signatures.0: has to be an object"),
        ({"signatures": [{"keyid": "", "sig": ""}]}, "signatures.0.keyid: has to be a text"),
        ({"signatures": [{"keyid": "a", "sig": "ä"}]}, "signatures.0: is not base64"),
    ],
)
def test_a_malformed_envelope_is_refused_by_field(change, message):
    with pytest.raises(StatementError, match=message):
        verify_envelope(make_envelope() | change, PUBLIC)


@pytest.mark.parametrize("envelope", [None, [], "x", 5])
def test_what_is_no_envelope_is_refused(envelope):
    with pytest.raises(StatementError, match="envelope: has to be an object"):
        verify_envelope(envelope, PUBLIC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": ""}, r"predicate\.run: has to be a text"),
        ({"attempt": True}, r"predicate\.attempt: has to be a whole number"),
        ({"evaluatedAt": "today"}, r"predicate\.evaluatedAt: has to be a time"),
        ({"evaluator": None}, r"predicate\.evaluator: has to be an object"),
        ({"model": {"label": "x"}}, r"predicate\.model\.digest: has to be a text"),
        ({"model": {"label": "x", "digest": "md5:00"}}, r"predicate\.model\.digest: has to be sha"),
        ({"suite": {"slug": "s", "digest": "sha256:" + "a" * 64}}, r"suite\.version: has to be"),
        ({"dataset": {}}, r"predicate\.dataset: has to be a list"),
        ({"dataset": [{"name": "a", "sha256": "A" * 64}]}, r"dataset\.0\.sha256: has to be 64"),
        ({"aggregates": []}, r"predicate\.aggregates: needs each metric once"),
        ({"aggregates": [{"metric": "a", "n": 1, "mean": "1e3"}]}, r"aggregates\.0\.mean: has to"),
        ({"aggregates": [{"metric": "a", "n": 1, "mean": "1"}] * 2}, "needs each metric once"),
        ({"settings": {"temperature": 0.5}}, r"settings\.temperature: 0.5 is a floating point"),
        ({"environment": {"a": [{"b": 2**60}]}}, r"environment\.a\.0\.b: .* is too large"),
        ({"samples": {}}, r"predicate\.samples\.sha256: has to be a text"),
        ({"usage": make_predicate()["usage"] | {"energyMethod": "guess"}}, "measured or estimated"),
        ({"usage": make_predicate()["usage"] | {"wallSeconds": "9" * 61}}, "more than 60 char"),
    ],
)
def test_a_predicate_with_a_fault_is_refused_by_field(change, message):
    statement = build_statement(predicate_type=TYPE, predicate=make_predicate())
    statement["predicate"] = make_predicate(**change)

    with pytest.raises(StatementError, match=message):
        check_statement(statement)


@pytest.mark.parametrize("name", sorted(make_predicate()))
def test_no_part_of_the_predicate_may_be_missing(name):
    statement = build_statement(predicate_type=TYPE, predicate=make_predicate())
    del statement["predicate"][name]

    with pytest.raises(StatementError, match=name):
        check_statement(statement)


def test_a_statement_about_another_model_than_its_predicate_is_refused():
    statement = build_statement(predicate_type=TYPE, predicate=make_predicate())
    statement["subject"][0]["digest"]["sha256"] = "0" * 64

    with pytest.raises(StatementError, match="subject: has to be the model's manifest"):
        check_statement(statement)


def test_a_statement_that_would_be_refused_is_not_signed():
    statement = build_statement(predicate_type=TYPE, predicate=make_predicate())
    statement["predicate"]["settings"] = {"x": 0.1}

    with pytest.raises(StatementError, match="floating point"):
        sign_statement(statement, KEY)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_text_reads_back_as_the_same_number(number):
    text = decimal_text(number)

    assert float(text) == number
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.57, "0.57"), (1.0, "1"), (-0.0, "0"), (1e-7, "0.0000001"), (2e16, "20000000000000000")],
)
def test_decimal_text_is_plain(number, text):
    assert decimal_text(number) == text


def test_what_is_not_finite_has_no_decimal_text():
    with pytest.raises(ValueError, match="nan has no decimal form"):
        decimal_text(float("nan"))
