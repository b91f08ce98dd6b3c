"""The daily check of the whole record, and what is kept of it for people and monitoring to see."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from oversight.ledger.encoding import from_digest
from oversight.ledger.fsck import BadRecord, Sound, check_record
from oversight.ledger.models import RecordCheck
from oversight.ledger.sequencer import RecordDamaged, make_signer, stored_head
from oversight.ledger.signer import SignerRefusal

CHECK_EVERY = timedelta(hours=24)
logger = logging.getLogger(__name__)


def check_everything() -> Sound:
    """Check entries, tiles, head and checkpoints, and the signer's state where it is on this host.

    Raises:
        BadRecord: the first thing that does not hold.
    """
    try:
        sound = check_record()
        if settings.LEDGER_KEY_PATH.exists() and settings.LEDGER_SIGNER_STATE_PATH.exists():
            head = stored_head()
            make_signer().check(head.size, from_digest(head.root))
    except (RecordDamaged, SignerRefusal) as error:
        raise BadRecord(str(error)) from error
    return sound


def check_if_due() -> RecordCheck | None:
    """Check the record unless that was done within a day; keep what came of it and return it.

    A record that does not hold is logged as an error, and `/healthz` says so until a check passes.
    """
    latest = RecordCheck.objects.first()
    if latest and latest.checked_at > timezone.now() - CHECK_EVERY:
        return None
    began = timezone.now()
    try:
        sound = check_everything()
    except BadRecord as error:
        logger.error("The record does not hold: %s Run `python manage.py log_fsck`.", error)  # noqa: TRY400 - the finding itself, not a fault
        return RecordCheck.objects.create(checked_at=began, is_sound=False, finding=str(error))
    return RecordCheck.objects.create(checked_at=began, is_sound=True, entries=sound.entries)
