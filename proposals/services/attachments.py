"""Files beside a text: put there and taken off by its proposer, while the text can change."""

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from evals.artefacts import store_bytes
from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals import policy
from proposals.choices import Leaf, Status
from proposals.file_types import MOST_BYTES, MOST_FILES, FileError, safe_name, type_of
from proposals.models import Attachment, Proposal
from proposals.services.stages import lock_proposal


@transaction.atomic(durable=True)
def add_attachment(*, by: Person, proposal: Proposal, name: str, data: bytes) -> Attachment:
    """Put a file beside the text; the record has its digest. The same file again is harmless.

    Raises:
        Invalid: it is too large, or of a type that is not taken.
        Conflict: the text is final, or has as many files as it can have.
    """
    if not policy.can_edit_text(by, proposal):
        raise NotAllowed(_("Only the proposer attaches files to the text."))
    try:
        kept = safe_name(name)
        media_type = type_of(kept, data)
    except FileError as error:
        raise Invalid(str(error), fields={"file": str(error)}) from None
    locked = _locked_early(proposal)
    artefact = store_bytes(data, media_type=media_type)
    standing = locked.attachments.filter(removed_at=None)
    same = standing.filter(artefact=artefact).first()
    if same is not None:
        return same
    total = standing.aggregate(total=Sum("artefact__size"))["total"] or 0
    if standing.count() >= MOST_FILES or total + len(data) > MOST_BYTES:
        raise Conflict(
            _(
                "A proposal has at most %(most_files)s files of %(value)s MB together; take "
                "one off first."
            )
            % {
                "most_files": MOST_FILES,
                "value": MOST_BYTES // 1000000,
            }
        )
    committed = ledger.commit_to({"name": kept})
    leaf = ledger.append(
        type=Leaf.ATTACHMENT_ADDED,
        actor=by.actor,
        subject=locked.subject,
        digests={"file": f"sha256:{artefact.sha256}"},
        commits={"name": committed.digest},
        facts={"size": len(data)},
    )
    ledger.keep_opening(leaf, "name", committed)
    return Attachment.objects.create(
        proposal=locked,
        name=kept,
        media_type=media_type,
        artefact=artefact,
        added_by=by,
        leaf_id=leaf.id,
    )


@transaction.atomic(durable=True)
def remove_attachment(*, by: Person, attachment: Attachment) -> Attachment:
    """Take a file off the text; that it was there, and its digest, stay on the record."""
    if not policy.can_edit_text(by, attachment.proposal):
        raise NotAllowed(_("Only the proposer takes files off the text."))
    locked = _locked_early(attachment.proposal)
    row = Attachment.objects.select_related("artefact").get(pk=attachment.pk)
    if row.removed_at is not None:
        raise Conflict(_("This file was taken off already."))
    row.removed_at = database_now()
    row.save(update_fields=["removed_at"])
    ledger.append(
        type=Leaf.ATTACHMENT_REMOVED,
        actor=by.actor,
        subject=locked.subject,
        digests={"file": row.digest},
    )
    return row


def _locked_early(proposal: Proposal) -> Proposal:
    """Return the proposal locked against a final text."""
    locked = lock_proposal(proposal)
    if locked.status not in {Status.DRAFT, Status.DELIBERATION}:
        raise Conflict(
            _(
                "Files belong to the text, and it cannot change any more: the proposal is in "
                "the stage “%(status)s”."
            )
            % {
                "status": locked.get_status_display(),
            }
        )
    return locked
