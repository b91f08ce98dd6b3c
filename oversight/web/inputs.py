"""Reading the API's input: a checked shape, or the row that a field names."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from oversight.web.refusals import Invalid
from oversight.web.shape_errors import named_errors

Row = TypeVar("Row", bound=Model)


def checked(
    shape: type[Serializer[Any]], request: Request, *, may_hold_more: bool = False
) -> dict[str, Any]:
    """Return the request's data in the given shape.

    A field that the shape does not know is refused, lest a misspelt one be ignored; with
    `may_hold_more` it is left out, for programs that may be newer than we are.

    Raises:
        ValidationError: DRF's; each bad, missing or unknown field is named (422).
    """
    serializer = shape(data=request.data)
    unknown = set() if may_hold_more else _names(request.data) - serializer.fields.keys()
    if not serializer.is_valid() or unknown:
        known = f"Unknown field; use {', '.join(serializer.fields)}."
        raise ValidationError(
            {**named_errors(serializer), **{name: [known] for name in sorted(unknown)}}
        )
    return dict(serializer.validated_data)


def _names(data: Any) -> set[str]:
    return set(data) if isinstance(data, Mapping) else set()


def named_row(kind: type[Row], field: str, **lookup: Any) -> Row:
    """Return the row that an input field names.

    Raises:
        Invalid: there is none; the field is named.
    """
    row: Row | None = kind._default_manager.filter(**lookup).first()
    if row is None:
        raise Invalid(
            _("There is no such %(field)s.") % {"field": field}, fields={field: _("Unknown.")}
        )
    return row
