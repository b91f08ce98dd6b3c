"""Titles of proposals for lists: fetched with the rows instead of once for each of them."""

from typing import Any

from django.db.models import F, JSONField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject, NullIf

from oversight.web.written import Written
from proposals.models import Revision


class _WrittenColumn(JSONField):
    """A text that comes out of the database with its language."""

    def from_db_value(self, value: Any, *args: Any) -> Written | None:
        """Return the text; None where the row has no proposal."""
        found = super().from_db_value(value, *args)
        return Written(found["text"], found["language"]) if found else None


def language_at(proposal: str = "") -> Coalesce:
    """Return the language of a proposal's text as a column; the body's in rows without one.

    Args:
        proposal: the way from the row to the proposal, such as `proposal__`.
    """
    own = NullIf(F(f"{proposal}language"), Value(""))
    return Coalesce(own, F(f"{proposal}body__language"))


def titled(rows: Any, proposal: str = "pk") -> Any:
    """Annotate rows with `shown_title` and `shown_summary` of their proposal's newest revision.

    Both are `Written`: pages mark them with their language.

    Args:
        rows: a queryset of proposals, or of rows that belong to one.
        proposal: the field that holds the proposal's key, such as `proposal_id`.
    """
    newest = Revision.objects.filter(proposal=OuterRef(proposal)).order_by("-number")
    language = language_at("proposal__")

    def shown(field: str) -> Subquery:
        text = newest.annotate(shown=JSONObject(text=F(field), language=language))
        return Subquery(text.values("shown")[:1], output_field=_WrittenColumn())

    return rows.annotate(shown_title=shown("title"), shown_summary=shown("summary"))
