"""Writing down what a version, a use or an endpoint says of itself."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.registry import descriptions, policy
from oversight.registry.choices import Leaf
from oversight.registry.descriptions import DescriptionError, Document
from oversight.registry.documents import digest_of
from oversight.registry.models import Deployment, Description, Endpoint, ModelVersion
from oversight.web.languages import spoken
from oversight.web.refusals import Conflict, Invalid, NotAllowed

Described = ModelVersion | Deployment | Endpoint


@transaction.atomic(durable=True)
def describe(
    *, by: Person, what: Described, document: Mapping[str, Any], after: int | None = None
) -> Description:
    """Write a version, a use or an endpoint down anew; what stood before is kept.

    The row of what is described is locked, so that numbers follow one another.

    Args:
        by: the one who registered a version, or an operator of the endpoint's organisation.
        what: the row.
        document: its fields, as `descriptions.ITEMS` has them.
        after: the number of the description that the writer has read; None to write over any.

    Raises:
        Invalid: a field cannot be used.
        Conflict: somebody has written since, or it would say what stands already.
    """
    if not policy.can_describe(by, what):
        raise NotAllowed(_("You do not speak for %(what)s.") % {"what": what})
    type(what)._default_manager.select_for_update().get(pk=what.pk)
    read = checked_document(what, document)
    before = Description.objects.about(what.subject).first()
    number = before.number if before else 0
    if after is not None and after != number:
        raise Conflict(
            _("%(what)s was described anew since you began: look at what stands now.")
            % {
                "what": what,
            }
        )
    if before and before.document == read:
        raise Conflict(_("It would say what it says already."))
    return write_description(by=by, what=what, document=read, number=number + 1)


def write_description(
    *, by: Person, what: Described, document: Document, number: int
) -> Description:
    """Put a checked description on the record; the caller holds the lock on what is described."""
    digest = digest_of(document)
    named = document.get("version") if isinstance(what, Endpoint) else None
    leaf = ledger.append(
        type=Leaf.DESCRIPTION_WRITTEN,
        actor=by.actor,
        subject=what.subject,
        digests={"description": digest} | ({"version": named} if named else {}),
        facts={"number": number},
    )
    if isinstance(what, Endpoint):
        what.claimed_version = ModelVersion.objects.filter(digest=named).first()
        what.save(update_fields=["claimed_version"])
    return Description.objects.create(
        subject=what.subject,
        number=number,
        document=document,
        digest=digest,
        described_by=by,
        leaf_id=leaf.id,
    )


def checked_document(what: Described, document: Mapping[str, Any]) -> Document:
    """Return a document that can be used: in its shape, and naming what there is.

    Raises:
        Invalid: a field cannot be used.
    """
    try:
        read = descriptions.read(what.kind, document)
        if isinstance(what, Endpoint):
            _check_named(what, read)
    except DescriptionError as error:
        words = spoken(error.problem)
        raise Invalid(f"{error.field}: {words}", fields={error.field: words}) from None
    return read


def _check_named(endpoint: Endpoint, read: Document) -> None:
    version = read.get("version")
    if version and not ModelVersion.objects.filter(digest=version).exists():
        raise DescriptionError("version", gettext("No registered version has this digest."))
    named = read.get("fallbacks", [])
    known = set(Endpoint.objects.filter(slug__in=named).values_list("slug", flat=True))
    for slug in named:
        if slug not in known:
            raise DescriptionError(
                "fallbacks", gettext("There is no endpoint “%(slug)s”.") % {"slug": slug}
            )
        if slug == endpoint.slug:
            raise DescriptionError(
                "fallbacks", gettext("An endpoint does not fall back to itself.")
            )
