"""Every address and method of the API under /api/v1/: who gets through, with what answer.

`door` says what a row is; the rows stand by what one does there.
"""

from django.urls import get_resolver

from tests.api.doors.files import FORMS
from tests.api.doors.incidents import (
    HANDLED,
    INCIDENT_READS,
    OPEN_FORMS,
    OPEN_WRITES,
    PRIVATE_READS,
)
from tests.api.doors.machines import MACHINES
from tests.api.doors.offices import ADMINISTERED, AFTERWARDS, KEPT, RULED, SPOKEN
from tests.api.doors.ones_own import ONES_OWN as KEPT_FOR_ONESELF
from tests.api.doors.reading import COUNT, RECEIPT_CHECK
from tests.api.doors.reading import READS as PUBLIC
from tests.api.doors.writing import DRAFT
from tests.api.doors.writing import WRITES as PROPOSED

READS = (*PUBLIC, *INCIDENT_READS)
WRITES = (*PROPOSED, *RULED, *KEPT, *ADMINISTERED, *AFTERWARDS, *SPOKEN, *HANDLED)
ONES_OWN = (*KEPT_FOR_ONESELF, *PRIVATE_READS)
ALL = (
    *READS,
    COUNT,
    RECEIPT_CHECK,
    DRAFT,
    *WRITES,
    *ONES_OWN,
    *FORMS,
    *OPEN_WRITES,
    *OPEN_FORMS,
    *MACHINES,
)


def api_addresses() -> dict[str, type]:
    """Return the view of every address under /api/v1/, by name."""
    found = {}
    for included in get_resolver().url_patterns:
        for pattern in getattr(included, "url_patterns", ()):
            if f"{included.pattern}{pattern.pattern}".startswith("api/v1/"):
                found[pattern.name] = pattern.callback.view_class
    return found


def methods_of(view: type) -> set[str]:
    return {
        each.upper() for each in ("get", "post", "put", "patch", "delete") if hasattr(view, each)
    }
