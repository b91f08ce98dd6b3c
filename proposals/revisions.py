"""Writing the next state of a text, with the amendments that stand carried over to it.

Steps of services and effects: each needs the proposal's row locked in an open transaction.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.languages import filled
from oversight.web.refusals import Conflict
from proposals.choices import STANDING_AMENDMENTS, AmendmentStatus, Leaf
from proposals.digests import digest_of
from proposals.edits import Edit, as_documents, carried
from proposals.models import Amendment, Proposal, Revision


def write_revision(
    proposal: Proposal,
    author: Person,
    number: int,
    content: Mapping[str, Any],
    *,
    actor: str = "",
    amendment: Amendment | None = None,
) -> Revision:
    """Append a revision; the amendments that stand follow it where their passages still do.

    Args:
        proposal: locked, or just made.
        author: whose words they are.
        number: the next one.
        content: what `text_document` returns.
        actor: who acts on the record, where it is not the author.
        amendment: the one that the revision takes over.

    Raises:
        Conflict: it would change the words that a vote is about.
    """
    _, digest = digest_of(content)
    leaf = ledger.append(
        type=Leaf.TEXT_REVISED,
        actor=actor or author.actor,
        subject=proposal.subject,
        digests={"text": digest},
        facts={"number": number} | ({"amendment": amendment.number} if amendment else {}),
    )
    revision = Revision.objects.create(
        proposal=proposal,
        number=number,
        title=content["title"],
        summary=content["summary"],
        body_markdown=content["text"],
        options=content.get("options", []),
        seats=content.get("seats", 0),
        terms=content.get("terms", {}),
        digest=digest,
        author=author,
        amendment=amendment,
        leaf_id=leaf.id,
    )
    if number > 1:
        _let_amendments_follow(proposal, revision, but=amendment)
    return revision


def _let_amendments_follow(
    proposal: Proposal, revision: Revision, *, but: Amendment | None
) -> None:
    """Carry the amendments that stand over to the new text, and tell whose could not follow."""
    standing = proposal.amendments.filter(status__in=STANDING_AMENDMENTS)
    touched: list[Amendment] = []
    for amendment in standing.select_related("base", "author").select_for_update(of=("self",)):
        if but is not None and amendment.pk == but.pk:
            continue
        edits = followed(amendment, revision)
        if edits is not None:
            amendment.base, amendment.edits = revision, as_documents(edits, revision.body_markdown)
            amendment.save(update_fields=["base", "edits"])
        elif amendment.status == AmendmentStatus.VOTING:
            raise Conflict(
                gettext(
                    "The body is voting on amendment %(number)s, and this would change the words "
                    "that it is about. Leave them as they are until the vote has ended."
                )
                % {
                    "number": amendment.number,
                }
            )
        elif amendment.base.number == revision.number - 1:
            touched.append(amendment)
    notify(
        people=[amendment.author for amendment in touched],
        subject=filled(_("Your amendment to %(ref)s no longer fits its text"), ref=proposal.ref),
        text=filled(
            _(
                "Revision %(number)s changed the words that it is about. Write it anew for "
                "that text, or withdraw it."
            ),
            number=revision.number,
        ),
        path=f"{proposal.get_absolute_url()}#amendments",
        kind=NoticeKind.AMENDMENT,
        body=proposal.body,
        about=proposal.ref,
    )


def followed(amendment: Amendment, revision: Revision) -> tuple[Edit, ...] | None:
    """Return an amendment's edits as edits of a newer revision; None when one cannot follow."""
    edits, lost = fitting_edits(amendment, revision)
    return None if lost else edits


def fitting_edits(
    amendment: Amendment, revision: Revision
) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
    """Return which edits fit a newer revision, as edits of it; and which of the old do not."""
    old = amendment.changes
    found = carried(old, amendment.base.body_markdown, revision.body_markdown)
    edits = sorted(edit for edit in found if edit is not None)
    lost = tuple(own for own, edit in zip(old, found, strict=True) if edit is None)
    return tuple(edits), lost
