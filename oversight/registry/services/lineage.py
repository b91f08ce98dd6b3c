"""Stating from what a version was made."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.registry import descriptions, policy
from oversight.registry.choices import DescentKind, Leaf
from oversight.registry.descriptions import DescriptionError
from oversight.registry.documents import digest_of
from oversight.registry.models import Descent, ModelVersion
from oversight.web.languages import spoken
from oversight.web.refusals import Conflict, Invalid, NotAllowed

LINEAGE_LOCK = 0x4C494E45
"""Key of the advisory lock under which the graph is looked at and grows.

Two statements at once could close a circle that neither of them sees.
"""

_IS_ANCESTOR = """
    WITH RECURSIVE above (id) AS (
        SELECT %s::bigint
        UNION
        SELECT edge.parent_id FROM registry_descent AS edge JOIN above ON edge.child_id = above.id
    )
    SELECT EXISTS (SELECT FROM above WHERE id = %s)
"""


@transaction.atomic(durable=True)
def state_descent(
    *,
    by: Person,
    version: ModelVersion,
    parent: ModelVersion,
    kind: str,
    data: Mapping[str, Any] | None = None,
) -> Descent:
    """State that a version was made from another one, and how. It is stated once and for all.

    Args:
        by: who registered the version, or an administrator.
        version: that was made.
        parent: from which.
        kind: of `DescentKind`.
        data: what it was trained on; asked for where it was trained on.

    Raises:
        Invalid: the kind is unknown, or the data are not told where they have to be.
        Conflict: it is stated already, or would make a version its own ancestor.
    """
    if not policy.can_describe(by, version):
        raise NotAllowed(_("You do not speak for %(version)s.") % {"version": version})
    told = _checked_data(kind, data or {})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LINEAGE_LOCK])
        cursor.execute(_IS_ANCESTOR, [parent.pk, version.pk])
        closes_a_circle = cursor.fetchone()[0]
    if closes_a_circle:
        raise Conflict(
            _("%(parent)s was itself made from %(version)s, or is the same.")
            % {
                "parent": parent,
                "version": version,
            }
        )
    if Descent.objects.filter(child=version, parent=parent).exists():
        raise Conflict(
            _("It is on the record already how %(version)s was made from %(parent)s.")
            % {
                "version": version,
                "parent": parent,
            }
        )
    leaf = ledger.append(
        type=Leaf.DESCENT_STATED,
        actor=by.actor,
        subject=version.subject,
        digests={"parent": parent.digest} | ({"data": digest_of(told)} if told else {}),
        facts={"kind": kind},
    )
    return Descent.objects.create(
        child=version, parent=parent, kind=kind, data=told, stated_by=by, leaf_id=leaf.id
    )


def _checked_data(kind: str, data: Mapping[str, Any]) -> descriptions.Document:
    if kind not in DescentKind.values:
        known = ", ".join(DescentKind.values)
        raise Invalid(
            _("“%(kind)s” is no kind: use %(known)s.")
            % {
                "kind": kind[:40],
                "known": known,
            },
            fields={"kind": known},
        )
    try:
        told = descriptions.read("data", data)
    except DescriptionError as error:
        words = spoken(error.problem)
        raise Invalid(f"{error.field}: {words}", fields={error.field: words}) from None
    if DescentKind(kind).is_trained and "content" not in told:
        words = gettext("Say what it was trained on.")
        raise Invalid(words, fields={"content": words})
    return told
