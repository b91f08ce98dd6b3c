"""The tasks process's part in keeping the record."""

from celery import shared_task

from oversight.ledger import checkup


@shared_task(name="ledger.check_record")
def check_record() -> None:
    """Check the whole record once a day; asked more often, so that no day is missed."""
    checkup.check_if_due()
