"""Signatures of weights: made by the `model-signing` program itself, verified by ours."""

import base64
import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command

from oversight.ledger.models import PendingLeaf
from oversight.registry.manifest import manifest_of
from oversight.registry.model_signing import SignatureError, require_covers, verify
from oversight.registry.models import ModelVersion
from oversight.registry.services import SignatureFile
from oversight.web.refusals import Invalid
from tests.scenes import make_model_version

VECTORS = Path(__file__).parent / "vectors" / "model-signing"
"""Signed by version 1.1.1 of the program, keys by openssl."""
WEIGHTS = VECTORS / "weights"
THEIR_DIGEST = "sha256:d2426daff1dd697ac9c1769d0413a3f59c92ddcdba4ba68e6349ede542bc789e"


def read(name):
    return (VECTORS / name).read_bytes()


@pytest.mark.parametrize(
    ("signature", "trusted", "signer"),
    [
        ("key.sig", "key.pub", ""),
        ("key-384.sig", "key-384.pub", ""),
        ("certificate.sig", "root.pem", "CN=Example Models"),
    ],
)
def test_what_the_program_has_signed_is_verified_and_covers_the_files(signature, trusted, signer):
    signed = verify(read(signature), read(trusted))

    assert (signed.digest, signed.signer) == (THEIR_DIGEST, signer)
    require_covers(signed, manifest_of(WEIGHTS))


@pytest.mark.parametrize(
    ("signature", "trusted", "words"),
    [
        ("key.sig", "other.pub", "signed by another key"),
        ("key.sig", "key-384.pub", "signed by another key"),
        ("key.sig", "root.pem", "give that public key in PEM"),
        ("certificate.sig", "key.pub", "give the root certificates"),
        ("certificate.sig", "other-root.pem", "does not lead to a root that is trusted"),
        ("certificate-by-no-authority.sig", "root.pem", "does not lead to a root"),
        ("shards.sig", "key.pub", "lists shards or other hashes"),
        ("blake3.sig", "key.pub", "lists shards or other hashes"),
    ],
)
def test_what_does_not_show_who_has_signed_is_refused(signature, trusted, words):
    with pytest.raises(SignatureError, match=words):
        verify(read(signature), read(trusted))


def changed(**changes):
    return json.dumps(json.loads(read("key.sig")) | changes).encode()


ENVELOPE = json.loads(read("key.sig"))["dsseEnvelope"]
PAYLOAD = base64.b64decode(ENVELOPE["payload"])


def enveloped(payload=PAYLOAD, **changes):
    return changed(
        dsseEnvelope=ENVELOPE | {"payload": base64.b64encode(payload).decode()} | changes
    )


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is no JSON object"),
        (b"{}", "is no Sigstore bundle"),
        (changed(mediaType="x"), "is no Sigstore bundle"),
        (changed(verificationMaterial={}), "keyless"),
        (changed(verificationMaterial={"certificate": {"rawBytes": ""}}), "keyless"),
        (changed(verificationMaterial=7), "not the fields"),
        (changed(verificationMaterial={"x509CertificateChain": {"certificates": []}}), "chain"),
        (changed(dsseEnvelope={}), "not the fields"),
        (enveloped(signatures=[]), "not the fields"),
        (enveloped(signatures=[{"sig": "%"}]), "not base64"),
        (enveloped(payloadType="text/plain"), "payload is not"),
        (enveloped(PAYLOAD.replace(b"config.json", b"config.jsom")), "was changed"),
        (b" " * 8_000_001, "longer than 8 MB"),
    ],
)
def test_a_bundle_that_is_none_or_was_changed_is_refused(bundle, words):
    with pytest.raises(SignatureError, match=words):
        verify(bundle, read("key.pub"))


def signed_anew(change):
    """Sign a changed statement by a key of our own, as a careless signer would."""
    key = ec.generate_private_key(ec.SECP256R1())
    statement = json.loads(PAYLOAD)
    change(statement)
    payload = json.dumps(statement).encode()
    kind = b"application/vnd.in-toto+json"
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = base64.b64encode(key.sign(pae, ec.ECDSA(hashes.SHA256()))).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bundle = json.loads(enveloped(payload, signatures=[{"sig": signature}]))
    bundle["verificationMaterial"]["publicKey"] = {}
    return json.dumps(bundle).encode(), public


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.update(predicateType="x"), "statement is not"),
        (lambda s: s["subject"][0]["digest"].update(sha256="0" * 64), "not that of the files"),
        (lambda s: s["subject"].append(s["subject"][0]), "not that of the files"),
        (lambda s: s["predicate"]["resources"].pop(), "not that of the files"),
        (lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]), "twice"),
        (lambda s: s["predicate"]["resources"][0].update(digest="xy"), "not hexadecimal"),
        (lambda s: s["predicate"]["resources"][0].update(digest=7), "not the fields"),
        (lambda s: s["predicate"]["resources"][0].update(name=[]), "not the fields"),
        (lambda s: s.update(subject=[]), "not the fields"),
    ],
)
def test_a_signed_statement_that_contradicts_itself_is_refused(change, words):
    with pytest.raises(SignatureError, match=words):
        verify(*signed_anew(change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "config.json").write_text("{}"), "config.json is not as it was signed"),
        (lambda f: (f / "config.json").unlink(), "config.json was signed and is not among"),
        (lambda f: (f / "more.bin").write_text("x"), "more.bin is among the files and was not"),
    ],
)
def test_files_that_are_not_those_signed_are_named(tmp_path, change, words):
    folder = shutil.copytree(WEIGHTS, tmp_path / "weights")
    change(folder)
    with pytest.raises(SignatureError, match=words):
        require_covers(verify(read("key.sig"), read("key.pub")), manifest_of(folder))


def test_the_signature_itself_and_what_the_signer_left_out_need_no_signature(tmp_path):
    folder = shutil.copytree(WEIGHTS, tmp_path / "weights")
    (folder / "signed.json").write_bytes(read("key.sig"))
    signed = verify(read("key.sig"), read("key.pub"))
    require_covers(signed, manifest_of(folder), beside="signed.json")
    with pytest.raises(SignatureError, match=r"signed\.json is among the files"):
        require_covers(signed, manifest_of(folder))


# -- On the record


def signature(**changes):
    return SignatureFile(**{"bundle": read("key.sig"), "trusted": read("key.pub")} | changes)


@pytest.mark.django_db
def test_the_digest_of_the_signature_stands_beside_ours_on_the_record(client):
    version = make_model_version(manifest=manifest_of(WEIGHTS).as_json(), signature=signature())

    leaf = PendingLeaf.objects.get(pk=version.leaf_id)
    assert leaf.content["digests"] == {
        "manifest": version.digest,
        "model_signing": THEIR_DIGEST,
    }
    assert leaf.content["facts"]["signed_by"] == version.signature.key
    shown = client.get(f"/api/v1/versions/{version.digest}/").json()["signature"]
    assert verify(shown["bundle"].encode(), shown["trusted"].encode()).digest == THEIR_DIGEST
    assert version.signature.key in client.get(version.model.get_absolute_url()).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"trusted": read("other.pub")},
        {"trusted": b"\xff"},
        {"trusted": read("key.pub") + b"\0"},
        {"bundle": b"\xff"},
    ],
)
def test_a_signature_that_does_not_hold_registers_nothing(changes):
    with pytest.raises(Invalid, match="The signature is not that of these files"):
        make_model_version(manifest=manifest_of(WEIGHTS).as_json(), signature=signature(**changes))
    assert not ModelVersion.objects.exists()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("oversight.web.commands.prepare_database", lambda: None)
    found = shutil.copytree(WEIGHTS, tmp_path / "weights")
    shutil.copy(VECTORS / "certificate.sig", found / "model.sig")
    return found


def register(folder, *more):
    out, err = StringIO(), StringIO()
    names = ["--slug", "alpina", "--label", "1"]
    call_command("register_model", str(folder), *names, *map(str, more), stdout=out, stderr=err)
    return err.getvalue()


@pytest.mark.django_db
def test_a_signature_beside_the_files_is_verified_where_one_says_by_whom(folder):
    assert register(folder, "--signed-by", VECTORS / "root.pem") == ""
    assert ModelVersion.objects.get().signature.signer == "CN=Example Models"


@pytest.mark.django_db
def test_a_signature_that_nobody_vouches_for_is_said_and_not_recorded(folder):
    assert "was not verified" in register(folder)
    assert not hasattr(ModelVersion.objects.get(), "signature")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--signed-by", VECTORS / "other-root.pem"], "not lead to a root"),
        (["--signed-by", VECTORS / "nothing.pem"], "cannot be read"),
        (["--signature", VECTORS / "key.sig"], "Say by whom"),
        (["--signature", VECTORS / "none", "--signed-by", VECTORS / "key.pub"], "cannot be read"),
    ],
)
def test_a_signature_that_cannot_be_verified_stops_the_registration(folder, more, words):
    with pytest.raises(CommandError, match=words) as refusal:
        register(folder, *more)
    assert refusal.value.returncode == 2
    assert not ModelVersion.objects.exists()
