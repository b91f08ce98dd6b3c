"""Errors of the API's input that name what may be written instead."""

from collections.abc import Callable, Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

MOST_WORDS = 40
"""More words than this are left to the API's document."""


def named_errors(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """Return a checked serializer's errors, nested as DRF nests them.

    To DRF's sentence of a word that is not among the choices, or of a text that does not match
    its pattern, the words or the pattern are added.
    """
    return _of_shape(serializer, serializer.errors)


def _of_shape(shape: serializers.Serializer[Any], errors: Any) -> dict[str, Any]:
    return {name: _of_field(shape.fields.get(name), found) for name, found in errors.items()}


def _of_field(field: Any, errors: Any) -> Any:
    """Return the errors of one field: of its own, or by name or index of what it holds."""
    if isinstance(errors, dict):
        if isinstance(field, serializers.Serializer):
            return _of_shape(field, errors)
        child = getattr(field, "child", None)
        return {index: _of_field(child, found) for index, found in errors.items()}
    return [_with_remedy(field, each) for each in errors]


def _with_remedy(field: Any, error: ErrorDetail) -> ErrorDetail:
    remedy = _REMEDIES.get(error.code or "", _nothing)(field)
    return ErrorDetail(f"{error} {remedy}".rstrip(), error.code)


def _choices(field: Any) -> str:
    words = [str(value) for value in getattr(field, "choices", ()) if value != ""]
    return f"Use one of {', '.join(words)}." if 0 < len(words) <= MOST_WORDS else ""


def _pattern(field: Any) -> str:
    validators: Iterable[Any] = getattr(field, "validators", ())
    patterns = [each.regex.pattern for each in validators if hasattr(each, "regex")]
    return f"Write it as {' and '.join(patterns)}." if patterns else ""


def _nothing(_field: Any) -> str:
    return ""


_REMEDIES: dict[str, Callable[[Any], str]] = {"invalid_choice": _choices, "invalid": _pattern}
