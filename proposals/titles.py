"""Titles of proposals for lists: fetched with the rows instead of once for each of them."""

from typing import Any

from django.db.models import OuterRef, Subquery

from proposals.models import Revision


def titled(rows: Any, proposal: str = "pk") -> Any:
    """Annotate rows with `shown_title` and `shown_summary` of their proposal's newest revision.

    Args:
        rows: a queryset of proposals, or of rows that belong to one.
        proposal: the field that holds the proposal's key, such as `proposal_id`.
    """
    newest = Revision.objects.filter(proposal=OuterRef(proposal)).order_by("-number")
    return rows.annotate(
        shown_title=Subquery(newest.values("title")[:1]),
        shown_summary=Subquery(newest.values("summary")[:1]),
    )
