"""Celery entry points of the accounts floor."""

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from oversight.accounts.models import Notice

BATCH = 50
MAX_ATTEMPTS = 5


@shared_task(name="accounts.send_notices")
def send_notices() -> int:
    """Send what stands in the outbox; return how many mails went out.

    Each mail is claimed, sent and marked in its own transaction: a crash between sending and
    marking repeats that one mail, never loses one.
    """
    sent = 0
    for _ in range(BATCH):
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(skip_locked=True)
                .filter(sent_at=None, failed_attempts__lt=MAX_ATTEMPTS)
                .select_related("person")
                .order_by("created_at")
                .first()
            )
            if notice is None:
                break
            sent += _send(notice)
    return sent


def _send(notice: Notice) -> int:
    link = f"\n\n{settings.PUBLIC_URL}{notice.path}" if notice.path else ""
    try:
        send_mail(notice.subject, notice.text + link, None, [notice.person.email])
    except OSError:
        # The mail server is away: try again at the next sweeps, then leave it to be looked at.
        notice.failed_attempts += 1
        notice.save(update_fields=["failed_attempts"])
        return 0
    notice.sent_at = timezone.now()
    notice.save(update_fields=["sent_at"])
    return 1
