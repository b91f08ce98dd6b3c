"""The three refusals and their words: not allowed, wrong state, bad input.

Services raise these; pages and the API turn them into a status and a message (house rule: not
visible is Django's `Http404`). The message names what and how to mend it and is shown as it is.
"""

from collections.abc import Mapping

# Pure modules import the refusals, so that a page translates their titles.
from oversight.web.marks import gettext_noop as _


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A request that is answered with a reason instead of an effect."""

    status = 400
    title = _("This cannot be done")

    def __init__(self, detail: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})


class NotAllowed(Refusal):
    """The person or key has no right to do this (403)."""

    status = 403
    title = _("Not allowed")


class Conflict(Refusal):
    """The thing is in a state in which this cannot be done; says what changed (409)."""

    status = 409
    title = _("Not in this state")


class Impossible(Conflict):
    """What was decided cannot take effect any more; `code` names why, for the record."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class BadQuery(Refusal):
    """The address's query cannot be used; `fields` names each parameter and its fix (400)."""

    status = 400
    title = _("Please mend the address")


class Invalid(Refusal):
    """The input cannot be used; `fields` names each field and its fix (422)."""

    status = 422
    title = _("Please mend the input")


class TooMany(Refusal):
    """Too much or too fast (429)."""

    status = 429
    title = _("Too many requests")
