"""Catalogues of translations: read as text, compiled for Python's gettext without any program.

What is in the repository is the text (`locale/*/LC_MESSAGES/django.po`); what gettext reads is made
from it into `var/locale` when a process starts and the text is newer. `parse` and `compiled` are
also what the tests and the pseudo-language use.
"""

import ast
import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HEAD_CHARACTERS = 2_000
_PLURAL = "\0"
_CONTEXT = "\x04"


@dataclass(slots=True)
class Message:
    """One entry of a catalogue: what stands in the code, and the translations of it."""

    msgid: str = ""
    plural: str = ""
    context: str | None = None
    translations: dict[int, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        """Return the name by which gettext finds it in a compiled catalogue."""
        key = self.msgid + (_PLURAL + self.plural if self.plural else "")
        return key if self.context is None else f"{self.context}{_CONTEXT}{key}"

    @property
    def is_complete(self) -> bool:
        """Say whether every form is translated and none waits for a person to look at it."""
        forms = self.translations.values()
        return bool(forms) and all(forms) and "fuzzy" not in self.flags


def says_complete(folder: Path, language: str) -> bool:
    """Say whether the head of a catalogue has `X-Complete: yes`, which a test holds it to."""
    path = folder / language / "LC_MESSAGES" / "django.po"
    with path.open(encoding="utf-8") as catalogue:
        return "X-Complete: yes" in catalogue.read(HEAD_CHARACTERS)


def parse(text: str) -> list[Message]:
    """Read a catalogue; the first message, with an empty msgid, is its header."""
    return [found for found in map(_message, _paragraphs(text)) if found]


def compiled(messages: list[Message]) -> bytes:
    """Return a catalogue as gettext reads it, with what is translated; the format is GNU's."""
    texts = {
        each.key: _PLURAL.join(each.translations[number] for number in sorted(each.translations))
        for each in messages
        if each.is_complete
    }
    pairs = sorted((key.encode(), text.encode()) for key, text in texts.items())
    start = 7 * 4 + 16 * len(pairs)
    keys, values = b"", b""
    where: list[tuple[int, int, int, int]] = []
    for key, value in pairs:
        where.append((len(key), len(keys), len(value), len(values)))
        keys, values = keys + key + b"\0", values + value + b"\0"
    at_keys = [number for size, at, _, _ in where for number in (size, start + at)]
    at_values = [number for _, _, size, at in where for number in (size, start + len(keys) + at)]
    head = (0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return struct.pack(f"<{7 + 4 * len(pairs)}I", *head, *at_keys, *at_values) + keys + values


def refresh(sources: Path, goal: Path) -> None:
    """Compile each catalogue below `sources` that is newer than what was made of it."""
    for source in sources.glob("*/LC_MESSAGES/django.po"):
        made = goal / source.relative_to(sources).with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime_ns != source.stat().st_mtime_ns:
            write(made, compiled(parse(source.read_text("utf-8"))), like=source)


def write(path: Path, content: bytes, *, like: Path) -> None:
    """Put a file in place as a whole, with the time of its source."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    stated = like.stat()
    os.utime(beside, ns=(stated.st_atime_ns, stated.st_mtime_ns))
    beside.replace(path)


def _paragraphs(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            lines.append(line.strip())
        elif lines:
            yield lines
            lines = []


def _message(lines: list[str]) -> Message | None:
    """Read one entry; None for what was left of an entry that is used no more."""
    parts: dict[str, str] = {}
    flags: set[str] = set()
    name = ""
    for line in lines:
        if line.startswith("#,"):
            flags |= {flag.strip() for flag in line[2:].split(",")}
        elif not line.startswith("#"):
            if not line.startswith('"'):
                name, _, line = line.partition(" ")  # noqa: PLW2901
            parts[name] = parts.get(name, "") + ast.literal_eval(line)
    return _of_parts(parts, flags) if "msgid" in parts else None


def _of_parts(parts: Mapping[str, str], flags: set[str]) -> Message:
    forms = {
        int(name[7:-1] or 0) if "[" in name else 0: text
        for name, text in parts.items()
        if name.startswith("msgstr")
    }
    return Message(
        parts["msgid"], parts.get("msgid_plural", ""), parts.get("msgctxt"), forms, flags
    )


# -- The pseudo-language ---------------------------------------------------------------------

_ACCENTED = str.maketrans("aceginorsuyACEGINORSUY", "àçéğîñöŕšûýÀÇÉĞÎÑÖŔŠÛÝ")
# What a translation must keep: gaps for figures, tags, entities, {{columns}} of templates.
KEPT = re.compile(r"%\(\w+\)[a-z]|%%|<[^>]*>|&#?\w+;|\{\{?\w*\}?\}|\\\w")


def pseudo(text: str) -> str:
    """Return a text in accents and brackets: what stays without was never marked."""
    parts, at = [], 0
    for kept in KEPT.finditer(text):
        parts += [text[at : kept.start()].translate(_ACCENTED), kept[0]]
        at = kept.end()
    return f"[{''.join(parts)}{text[at:].translate(_ACCENTED)}]"


def refresh_pseudo(source: Path, goal: Path) -> None:
    """Make the pseudo-language of all that a catalogue collects, where that is newer."""
    made = goal / "ar_XB" / "LC_MESSAGES" / "django.mo"
    if made.exists() and made.stat().st_mtime_ns == source.stat().st_mtime_ns:
        return
    head = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    messages = [Message(translations={0: head})]
    for each in parse(source.read_text("utf-8")):
        # A pattern is no text: accents in it would be letters of a date.
        if each.msgid and not (each.context or "").startswith("pattern"):
            forms = [each.msgid, each.plural] if each.plural else [each.msgid]
            each.translations = dict(enumerate(map(pseudo, forms)))
            each.flags = set()
            messages.append(each)
    write(made, compiled(messages), like=source)
