"""How often one address may report in a day, without keeping the address.

The address is counted as HMAC-SHA-256 under a salt that is drawn for the day and deleted with it:
afterwards nobody can say who reported, not even by trying every address there is.
"""

import hashlib
import hmac
import ipaddress
import secrets
from datetime import date

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext

from oversight.incidents.models import ReportingDay
from oversight.web.clock import database_now
from oversight.web.refusals import TooMany


def count_report(address: str) -> None:
    """Count one report from an address, in the transaction of the report.

    Raises:
        TooMany: the address has reported as often as one may in a day.
    """
    today = database_now().date()
    digest = hmac.new(_salt_of(today), _network(address), hashlib.sha256).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_reportingcount (day_id, address_digest, number)"
            " VALUES (%s, %s, 1) ON CONFLICT (day_id, address_digest)"
            " DO UPDATE SET number = incidents_reportingcount.number + 1 RETURNING number",
            [today, digest],
        )
        (number,) = cursor.fetchone()
    if number > settings.INCIDENT_REPORTS_PER_DAY:
        most = settings.INCIDENT_REPORTS_PER_DAY
        raise TooMany(
            gettext(
                "This address has sent %(most)s reports or additions today, the most that is "
                "taken. Write to the body, or come back tomorrow."
            )
            % {
                "most": most,
            }
        )


def forget_days_before(today: date) -> int:
    """Delete the salts and counts of earlier days; return how many rows went."""
    removed, _ = ReportingDay.objects.filter(day__lt=today).delete()
    return removed


def _salt_of(today: date) -> bytes:
    row = ReportingDay.objects.filter(day=today).first()
    if row is None:
        # Yesterday's goes when today's comes, whether or not the sweep has run.
        forget_days_before(today)
        row, _ = ReportingDay.objects.get_or_create(
            day=today, defaults={"salt": secrets.token_bytes(32)}
        )
    return bytes(row.salt)


def _network(address: str) -> bytes:
    """Return who is counted as one: an IPv4 address, or the /64 that one household has of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return b"unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return found.ipv4_mapped.packed
        return found.packed[:8]
    return found.packed
