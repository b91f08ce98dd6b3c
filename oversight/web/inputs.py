"""Reading the API's input: a checked shape, or the row that a field names."""

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from oversight.web.refusals import Invalid

Row = TypeVar("Row", bound=Model)


def checked(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the request's data in the given shape; raises DRF's ValidationError (422)."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def named_row(kind: type[Row], field: str, **lookup: Any) -> Row:
    """Return the row that an input field names.

    Raises:
        Invalid: there is none; the field is named.
    """
    row: Row | None = kind._default_manager.filter(**lookup).first()
    if row is None:
        raise Invalid(f"There is no such {field}.", fields={field: "Unknown."})
    return row
