"""Signatures of weights by OpenSSF `model-signing`, verified against a manifest. Pure.

Such a signature is a Sigstore bundle (v0.3): a DSSE envelope around an in-toto statement that lists
the files with their SHA-256. Its own digest, the statement's subject, is the SHA-256 of the files'
digests one after the other and binds no names; ours does, so theirs is only recorded beside it.

What is verified: signatures by an elliptic curve key, and by a certificate whose chain ends at a
root that the caller trusts, at the time the certificate began (as `model-signing` does it). What is
not: keyless signatures, which take Sigstore's roots of trust and its log, and lists of shards or of
other hashes than SHA-256, which cannot be held against a manifest.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from oversight.registry.manifest import Manifest

NAMES = ("model.sig",)
"""The name under which a signature lies beside the files unless one says otherwise."""
MOST_BYTES = 8_000_000
LONGEST_CHAIN = 5
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_HASHES: dict[int, hashes.HashAlgorithm] = {
    256: hashes.SHA256(),
    384: hashes.SHA384(),
    521: hashes.SHA512(),
}


class SignatureError(ValueError):
    """The signature does not show what it should; the message says why."""


@dataclass(frozen=True)
class Signed:
    """What a signature says, once it has been verified."""

    digest: str
    """`sha256:` and the digest by which `model-signing` names the files."""
    key: str
    """`sha256:` and the SHA-256 of the public key in PEM, as the bundle hints at it."""
    signer: str
    """The subject of the certificate; empty where a bare key has signed."""
    files: Mapping[str, str]
    """SHA-256 by name."""
    ignored: frozenset[str]
    """Paths that the signer left out on purpose."""


def verify(bundle: bytes, trusted: bytes) -> Signed:
    """Verify a bundle by whom the caller trusts and return what it says.

    Args:
        bundle: the signature file's bytes.
        trusted: PEM of the signer's public key, or of one or more root certificates.

    Raises:
        SignatureError: it is none, is by somebody else, or of a kind that cannot be verified here.
    """
    outer = _object(bundle, "the signature")
    if outer.get("mediaType") != _MEDIA_TYPE:
        raise SignatureError(f"the signature is no Sigstore bundle of the type {_MEDIA_TYPE}")
    try:
        material = outer["verificationMaterial"]
        envelope = outer["dsseEnvelope"]
        payload = _decoded(envelope["payload"])
        signature = _decoded(envelope["signatures"][0]["sig"])
        key, signer = _signer(material, trusted)
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise SignatureError(f"the signed payload is not {PAYLOAD_TYPE}")
        _require_signed(key, signature, payload)
        return _read(_object(payload, "the signed statement"), key_digest(key), signer)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise SignatureError(f"the signature has not the fields of its format ({error})") from None


def require_covers(signed: Signed, manifest: Manifest, *, beside: str = "") -> None:
    """Hold what was signed against the files of a version; `beside` is the signature's own file.

    Raises:
        SignatureError: a file is not as it was signed, was not signed, or is missing.
    """
    found = {file.name: file.sha256 for file in manifest.files}
    for name, sha256 in sorted(signed.files.items()):
        if name not in found:
            if any(part.startswith(".") for part in name.split("/")):
                continue  # left out of every manifest
            raise SignatureError(f"{name} was signed and is not among the files")
        if found[name] != sha256:
            raise SignatureError(f"{name} is not as it was signed")
    left_out = signed.ignored | {beside, *NAMES}
    for name in sorted(found.keys() - signed.files.keys()):
        if name not in left_out and not any(name.startswith(f"{path}/") for path in left_out):
            raise SignatureError(f"{name} is among the files and was not signed")


def key_digest(key: ec.EllipticCurvePublicKey) -> str:
    """Return the digest by which bundles name a key."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(pem).hexdigest()}"


def _signer(material: Mapping[str, Any], trusted: bytes) -> tuple[ec.EllipticCurvePublicKey, str]:
    if "x509CertificateChain" in material:
        return _certified(material["x509CertificateChain"]["certificates"], trusted)
    if "publicKey" not in material:
        raise SignatureError(
            "it was signed keyless with Sigstore, which takes its roots of trust and its log: "
            "verify it with `model_signing verify sigstore`"
        )
    key = _curve_key(_loaded_key(trusted))
    hint = (material["publicKey"] or {}).get("hint")
    if hint and f"sha256:{hint}" != key_digest(key):
        raise SignatureError(f"it was signed by another key, sha256:{str(hint)[:64]}")
    return key, ""


def _loaded_key(trusted: bytes) -> object:
    try:
        return load_pem_public_key(trusted)
    except ValueError:
        raise SignatureError(
            "it was signed by a bare key: give that public key in PEM to verify it"
        ) from None


def _curve_key(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size not in _HASHES:
        raise SignatureError("the key is not of one of the curves P-256, P-384 and P-521")
    return key


def _certified(
    chain: list[Mapping[str, Any]], trusted: bytes
) -> tuple[ec.EllipticCurvePublicKey, str]:
    """Return the key of a certificate whose chain ends at a trusted root, and its subject."""
    if not 1 <= len(chain) <= LONGEST_CHAIN:
        raise SignatureError(f"its chain has not 1 to {LONGEST_CHAIN} certificates")
    try:
        given = [x509.load_der_x509_certificate(_decoded(each["rawBytes"])) for each in chain]
        roots = x509.load_pem_x509_certificates(trusted)
    except ValueError:
        raise SignatureError(
            "it was signed by a certificate: give the root certificates that you trust in PEM"
        ) from None
    leaf = given[0]
    _require_chain(leaf, given[1:], roots, leaf.not_valid_before_utc)
    if not _may_sign(leaf):
        raise SignatureError("its certificate is not made for signing")
    return _curve_key(leaf.public_key()), leaf.subject.rfc4514_string()


def _require_chain(
    leaf: x509.Certificate,
    between: list[x509.Certificate],
    roots: list[x509.Certificate],
    moment: datetime,
) -> None:
    current, path = leaf, 0
    for _ in range(LONGEST_CHAIN):
        if not current.not_valid_before_utc <= moment <= current.not_valid_after_utc:
            raise SignatureError("a certificate of its chain was not valid when it was signed")
        issuer = next(_issuers(current, roots, path, moment), None)
        if issuer is not None:
            return
        issuer = next(_issuers(current, between, path, moment), None)
        if issuer is None:
            break
        current, path = issuer, path + 1
    raise SignatureError("its certificate does not lead to a root that is trusted")


def _issuers(
    certificate: x509.Certificate, among: list[x509.Certificate], path: int, moment: datetime
) -> Iterator[x509.Certificate]:
    """Yield the authorities among some certificates that have issued one.

    `path` is how many authorities lie between the issuer and what was signed.
    """
    for issuer in among:
        if issuer == certificate or not _is_authority(issuer, path):
            continue
        if not issuer.not_valid_before_utc <= moment <= issuer.not_valid_after_utc:
            continue
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        yield issuer


def _is_authority(certificate: x509.Certificate, path: int) -> bool:
    """Say whether a certificate may issue others, with so many authorities below it."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if not found.ca or (found.path_length is not None and path > found.path_length):
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_cert_sign


def _may_sign(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            return True
    except x509.ExtensionNotFound:
        pass
    try:
        extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return x509.oid.ExtendedKeyUsageOID.CODE_SIGNING in extended


def _require_signed(key: ec.EllipticCurvePublicKey, signature: bytes, payload: bytes) -> None:
    """Verify over the pre-authentication encoding of DSSE v1."""
    kind = PAYLOAD_TYPE.encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    try:
        key.verify(signature, signed, ec.ECDSA(_HASHES[key.curve.key_size]))
    except InvalidSignature:
        raise SignatureError("the signature is not by this key, or was changed") from None


def _read(statement: Mapping[str, Any], key: str, signer: str) -> Signed:
    if statement["predicateType"] != PREDICATE_TYPE:
        raise SignatureError(f"the signed statement is not {PREDICATE_TYPE}")
    predicate = statement["predicate"]
    serialised = predicate["serialization"]
    if serialised["method"] != "files" or serialised["hash_type"] != "sha256":
        raise SignatureError(
            "it lists shards or other hashes than SHA-256, which no manifest has: sign by files"
        )
    files: dict[str, str] = {}
    whole = hashlib.sha256()
    for each in predicate["resources"]:
        if each["algorithm"] != "sha256" or each["name"] in files:
            raise SignatureError(f"{str(each['name'])[:200]} is listed twice or without SHA-256")
        files[each["name"]] = each["digest"]
        whole.update(_from_hex(each["digest"]))
    subject = statement["subject"][0]
    if (
        len(statement["subject"]) != 1
        or subject["digest"]["sha256"] != whole.hexdigest()
        or not files
    ):
        raise SignatureError("the signed statement's digest is not that of the files it lists")
    ignored = frozenset(str(path) for path in serialised.get("ignore_paths", []))
    return Signed(f"sha256:{whole.hexdigest()}", key, signer, files, ignored)


def _object(content: bytes, what: str) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise SignatureError(f"{what} is longer than {MOST_BYTES // 1_000_000} MB")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise SignatureError(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise SignatureError(f"{what} is no JSON object")
    return value


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureError("the signature has a part that is not base64") from None


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise SignatureError("the signed statement has a digest that is not hexadecimal") from None
