"""Putting models, versions, endpoints and uses on the record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Organisation, Person
from oversight.ledger import services as ledger
from oversight.registry import licences, policy
from oversight.registry.choices import Leaf
from oversight.registry.hashing import ManifestError
from oversight.registry.manifest import Manifest, ManifestFile
from oversight.registry.model_signing import SignatureError, Signed, require_covers
from oversight.registry.model_signing import verify as verify_signature
from oversight.registry.models import (
    Deployment,
    Endpoint,
    ModelVersion,
    RegisteredModel,
    VersionSignature,
)
from oversight.registry.services.describing import checked_document, write_description
from oversight.web.languages import spoken
from oversight.web.refusals import Conflict, Invalid, NotAllowed

MOST_CLAIMED = 200
"""Characters of a model's name at an endpoint, and of what is claimed of it."""


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature by `model-signing` as it comes, and whom to verify it by."""

    bundle: bytes
    trusted: bytes
    """PEM of the signer's public key, or of root certificates."""
    name: str = ""
    """Its name among the version's files, where it lies there."""


@transaction.atomic(durable=True)
def register_version(
    *,
    by: Person,
    model_slug: str,
    label: str,
    manifest: Any,
    model_name: str = "",
    developer: str = "",
    summary: str = "",
    licence: str = "",
    card: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    signature: SignatureFile | None = None,
) -> ModelVersion:
    """Register a version by the manifest of its files, and its model if it is new.

    `manifest` is the list that `Manifest.as_json()` gives; `source` says where workers find the
    files: `{"kind": "directory", "path": …}` or `{"kind": "hub", "repository": …, "revision": …}`.
    A `signature` is verified against the manifest and recorded beside it. `card` is the version's
    first description; its `origin`, where the files have one, is kept beside the files.

    Raises:
        Invalid: the manifest, the signature or a field cannot be used.
        Conflict: the digest, or the label of this model, is registered already.
    """
    told = dict(card or {})
    kept = {"origin": told.pop("origin")} if "origin" in told else {}
    return _registered(
        by=by,
        model=(model_slug, model_name, developer, summary),
        label=label,
        files=_checked_manifest(manifest),
        licence=licence,
        told=told,
        kept=kept,
        source=source or {},
        signature=signature,
    )


@transaction.atomic(durable=True)
def register_served_version(
    *,
    by: Person,
    model_slug: str,
    label: str,
    endpoint: Endpoint,
    served_as: str,
    claimed: str = "",
    model_name: str = "",
    developer: str = "",
    summary: str = "",
    licence: str = "",
    card: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Register a version whose weights nobody shows: it is known as what an endpoint serves.

    Its only file is the description of that, `endpoint.json`; its digest binds the claim, and not
    weights. `claimed` is what else the operator says of it, such as a date of release.

    Raises:
        Invalid: the endpoint has no address, or a field cannot be used.
        Conflict: it is registered already.
    """
    if not endpoint.base_url:
        raise Invalid(
            _("The endpoint has no address."), fields={"endpoint": _("It has no address.")}
        )
    for name, text in (("served_as", served_as), ("claimed", claimed)):
        if len(text) > MOST_CLAIMED or not (text.isprintable() or not text):
            words = gettext("Write it in one line of up to %(most_claimed)s characters.") % {
                "most_claimed": MOST_CLAIMED
            }
            raise Invalid(f"{name}: {words}", fields={name: words})
    if not served_as:
        words = gettext("Name the model as callers do.")
        raise Invalid(words, fields={"served_as": words})
    served = {
        "v": 1,
        "endpoint": endpoint.slug,
        "operator": endpoint.operator.slug,
        "address": endpoint.base_url,
        "model": served_as,
        "claimed": claimed,
    }
    return _registered(
        by=by,
        model=(model_slug, model_name, developer, summary),
        label=label,
        files=_served_manifest(served),
        licence=licence,
        told=dict(card or {}),
        kept={"served": served},
        source={"kind": "endpoint", "endpoint": endpoint.slug, "model": served_as},
    )


@transaction.atomic(durable=True)
def note_source(*, by: Person, version: ModelVersion, source: Mapping[str, Any]) -> ModelVersion:
    """Note where the files of a version are now; only this machine's shell knows its folders.

    No leaf: the record names files by their digest, and workers check it wherever they find them.
    """
    if not by.is_system:
        raise NotAllowed(_("Only a command on the machine with the files says where they are."))
    row = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if row.source != dict(source):
        row.source = dict(source)
        row.save(update_fields=["source"])
    return row


@transaction.atomic(durable=True)
def register_endpoint(
    *, by: Person, slug: str, name: str, operator: Organisation, base_url: str = ""
) -> Endpoint:
    """Register an address at which an operator serves models."""
    if not policy.can_register_endpoint(by, operator):
        raise NotAllowed(
            _("Only an operator of %(operator)s registers its endpoints.")
            % {
                "operator": operator,
            }
        )
    if Endpoint.objects.filter(slug=slug).exists():
        raise Conflict(_("There is already an endpoint named “%(slug)s”.") % {"slug": slug})
    leaf = ledger.append(
        type=Leaf.ENDPOINT_REGISTERED,
        actor=by.actor,
        subject=f"endpoint:{slug}",
        facts={"operator": operator.slug},
    )
    endpoint = Endpoint(slug=slug, name=name, operator=operator, base_url=base_url, leaf_id=leaf.id)
    _save_checked(endpoint)
    return endpoint


@transaction.atomic(durable=True)
def register_deployment(
    *, by: Person, slug: str, name: str, endpoint: Endpoint, purpose: str, audience: str
) -> Deployment:
    """Register a use. It serves nothing until a decision authorises a version for it."""
    if not policy.can_register_endpoint(by, endpoint.operator):
        raise NotAllowed(
            _("Only an operator of %(operator)s registers its deployments.")
            % {
                "operator": endpoint.operator,
            }
        )
    if Deployment.objects.filter(slug=slug).exists():
        raise Conflict(_("There is already a deployment named “%(slug)s”.") % {"slug": slug})
    leaf = ledger.append(
        type=Leaf.DEPLOYMENT_REGISTERED,
        actor=by.actor,
        subject=f"deployment:{slug}",
        facts={"endpoint": endpoint.slug},
    )
    deployment = Deployment(
        slug=slug,
        name=name,
        endpoint=endpoint,
        purpose=purpose,
        audience=audience,
        leaf_id=leaf.id,
    )
    _save_checked(deployment)
    return deployment


def _registered(
    *,
    by: Person,
    model: tuple[str, str, str, str],
    label: str,
    files: Manifest,
    licence: str,
    told: Mapping[str, Any],
    kept: Mapping[str, Any],
    source: Mapping[str, Any],
    signature: SignatureFile | None = None,
) -> ModelVersion:
    """Write a version and what belongs to it; the caller has opened the transaction.

    `model` is slug, name, developer and summary; `told` its first description; `kept` what stands
    beside the files for good.
    """
    if not policy.can_register_model(by):
        raise NotAllowed(_("Registering a model takes a role in an organisation or a body."))
    signed, licence = _verified(signature, files), _checked_licence(licence)
    known = ModelVersion.objects.select_related("model").filter(digest=files.digest).first()
    if known:
        raise Conflict(_("These files are registered already, as %(known)s.") % {"known": known})
    row = _model(by, *model)
    if row.versions.filter(label=label).exists():
        raise Conflict(
            _("%(row)s already has a version %(label)s, with other files.")
            % {
                "row": row,
                "label": label,
            }
        )
    version = ModelVersion(
        model=row,
        label=label,
        digest=files.digest,
        manifest=files.as_json(),
        total_bytes=files.size,
        licence=licence,
        card=dict(kept),
        source=dict(source),
        registered_by=by,
    )
    leaf = ledger.append(
        type=Leaf.VERSION_REGISTERED,
        actor=by.actor,
        subject=version.subject,
        digests={"manifest": files.digest} | ({"model_signing": signed.digest} if signed else {}),
        facts={"model": row.slug, "label": label, "licence": licence}
        | ({"signed_by": signed.key} if signed else {}),
    )
    version.leaf_id = leaf.id
    _save_checked(version)
    if signature and signed:
        VersionSignature.objects.create(
            version=version,
            digest=signed.digest,
            key=signed.key,
            signer=signed.signer[:500],
            bundle=signature.bundle.decode(),
            trusted=signature.trusted.decode(),
        )
    if document := checked_document(version, told):
        write_description(by=by, what=version, document=document, number=1)
    return version


def _served_manifest(served: Mapping[str, Any]) -> Manifest:
    """Return the manifest whose only file is the canonical description of what is served."""
    content = rfc8785.dumps(dict(served))
    sha256 = hashlib.sha256(content).hexdigest()
    return Manifest((ManifestFile("endpoint.json", len(content), sha256),))


def _model(by: Person, slug: str, name: str, developer: str, summary: str) -> RegisteredModel:
    """Return the model of this slug, registering it first if need be."""
    model = RegisteredModel.objects.filter(slug=slug).first()
    if model:
        return model
    model = RegisteredModel(
        slug=slug, name=name or slug, developer=developer, summary=summary, registered_by=by
    )
    # Before the leaf, which takes no subject that is no address name.
    _check_fields(model, but=["leaf_id"])
    leaf = ledger.append(
        type=Leaf.MODEL_REGISTERED, actor=by.actor, subject=f"model:{slug}", facts={}
    )
    model.leaf_id = leaf.id
    model.save()
    return model


def _verified(signature: SignatureFile | None, files: Manifest) -> Signed | None:
    """Return what a signature says of these files; None where there is no signature."""
    if signature is None:
        return None
    try:
        signed = verify_signature(_text(signature.bundle), _text(signature.trusted))
        require_covers(signed, files, beside=signature.name)
    except SignatureError as error:
        words = gettext("The signature is not that of these files: %(error)s.") % {"error": error}
        raise Invalid(words, fields={"signature": words}) from None
    return signed


def _checked_licence(text: str) -> str:
    try:
        return licences.read(text)
    except licences.LicenceError as error:
        words = spoken(error.args[0])
        raise Invalid(words, fields={"licence": words}) from None


def _text(content: bytes) -> bytes:
    """Return bytes that the database can keep as text."""
    try:
        is_text = "\x00" not in content.decode()
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise SignatureError(gettext("it holds bytes that are no text"))
    return content


def _checked_manifest(manifest: Any) -> Manifest:
    try:
        return Manifest.from_json(manifest)
    except ManifestError as error:
        raise Invalid(str(error), fields={"manifest": str(error)}) from None


def _save_checked(row: ModelVersion | Endpoint | Deployment) -> None:
    """Validate every field, then save."""
    _check_fields(row)
    row.save()


def _check_fields(row: Model, *, but: Sequence[str] = ()) -> None:
    """Validate every field but some; what a field refuses becomes our `Invalid`."""
    try:
        row.full_clean(exclude=but, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        fields = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise Invalid("; ".join(f"{k}: {v}" for k, v in fields.items()), fields=fields) from None
