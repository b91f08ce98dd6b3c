"""Descriptions as people have them: the texts of a form, and values in words."""

import re
from collections.abc import Mapping
from typing import Any

from oversight.registry.descriptions.items import ITEMS, Item
from oversight.registry.descriptions.reading import Document

_LISTS = frozenset({"languages", "regions", "slugs"})


def typed(kind: str, texts: Mapping[str, str]) -> Document:
    """Return what a form's texts mean, to be read by `read`: lists are split, numbers counted."""
    found: Document = {}
    for item in ITEMS[kind]:
        text = texts.get(item.name, "").strip()
        if item.kind in _LISTS:
            found[item.name] = [part for part in re.split(r"[,;\s]+", text) if part]
        elif item.kind == "whole":
            digits = re.sub(r"[\s,'’]", "", text)
            is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
            found[item.name] = int(digits) if is_number else text
        else:
            found[item.name] = text.replace("\r\n", "\n")
    return found


def as_texts(kind: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Return a document as a form shows it."""
    return {
        item.name: ", ".join(value) if isinstance(value, list) else str(value)
        for item in ITEMS[kind]
        if (value := document.get(item.name)) is not None
    }


def parts(kind: str, document: Mapping[str, Any]) -> list[tuple[str, list[tuple[Item, str]]]]:
    """Return what is filled, heading by heading, in words for people."""
    found: dict[str, list[tuple[Item, str]]] = {}
    for item in ITEMS[kind]:
        if item.name in document:
            found.setdefault(item.part, []).append((item, said(item, document[item.name])))
    return list(found.items())


def said(item: Item, value: Any) -> str:
    """Return a value in words."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, int):
        return f"{value:,}"
    return dict(item.choices).get(str(value), str(value))
