"""YAML from anybody, read into values that know their line: no tags, no bombs, no silent repeats.

PyYAML only cuts the text into events. What they build is bounded in depth and in size, aliases
counted as often as they are used; each mapping and list knows where it stands, so that findings
point at a line. Plain scalars mean what `yaml.safe_load` makes of them, as LiteLLM reads them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_VALUES = 200_000
MERGE = "<<"
_TAG = "tag:yaml.org,2002:"
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):  # noqa: N818 - what was found, not a fault of ours
    """A file that is not judged; `line` says where (0: nowhere in particular)."""

    def __init__(self, path: str, line: int, says: str) -> None:
        super().__init__(says)
        self.path = path
        self.line = line
        self.says = says


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from one."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class Value:
    """A value with its place: `plain` is a scalar, a list of values, or a dict of them by key."""

    plain: Any
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)
    """Of a mapping, where each of its keys stands."""

    def get(self, name: str) -> "Value | None":
        """Return what a mapping holds under a name, or None."""
        found = self.plain.get(name) if isinstance(self.plain, dict) else None
        return None if found is None or found.plain is None else found

    def text(self, name: str) -> str:
        """Return the text that a mapping holds under a name; empty for anything else."""
        found = self.get(name)
        return found.plain if found is not None and isinstance(found.plain, str) else ""

    def items(self) -> Iterator[tuple[str, "Value"]]:
        """Yield the keys and values of a mapping; nothing of anything else."""
        if isinstance(self.plain, dict):
            yield from self.plain.items()

    def entries(self) -> list["Value"]:
        """Return the values of a list; nothing of anything else."""
        return self.plain if isinstance(self.plain, list) else []

    def key_place(self, name: str) -> Place:
        """Return where a key stands, or the mapping itself."""
        return self.keys.get(name, self.place)


def read(path: Path, shown: str = "") -> Value:
    """Return the one document of a YAML file.

    Raises:
        Unreadable: naming the line and what is not taken there.
    """
    name = shown or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(
            name, 0, f"cannot be read: {(error.strerror or str(error)).lower()}"
        ) from None
    if len(data) > MAX_BYTES:
        raise Unreadable(name, 0, f"is larger than {MAX_BYTES:,} bytes")
    return parse(data, name)


def parse(data: bytes, name: str) -> Value:
    """Return the one document that the bytes hold; `name` is what findings call the file.

    Raises:
        Unreadable: naming the line and what is not taken there.
    """
    try:
        return _Builder(name).document(data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise Unreadable(name, line, f"is not YAML: {error.problem or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Unreadable(name, 0, f"is not YAML: {str(error).splitlines()[0]}") from None


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    value: Value
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_place: Place | None = None


class _Builder:
    """Turns the events of one text into values."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._stack: list[_Open] = []
        self._root: Value | None = None
        self._count = 0
        self._scalars = yaml.SafeLoader("")

    def document(self, data: bytes) -> Value:
        documents = 0
        for event in yaml.parse(data, Loader=_Parser):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refusal(event, "holds a second document, which LiteLLM never reads")
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
        if self._root is None:
            raise Unreadable(self._name, 0, "is empty")
        return self._root

    def _node(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._alias(event)
            return
        tag = event.tag
        if tag and tag != "!" and not self._is_plain_tag(event):
            raise self._refusal(event, f"has the tag {tag[:60]}: only plain YAML is read")
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
            return
        if len(self._stack) >= MAX_DEPTH:
            raise self._refusal(event, f"is nested deeper than {MAX_DEPTH} levels")
        plain: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._count_values(event, 1)
        self._stack.append(_Open(Value(plain, self._place(event)), event.anchor))

    def _is_plain_tag(self, event: Any) -> bool:
        return str(event.tag) in {f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"}

    def _scalar(self, event: Any) -> None:
        self._count_values(event, 1)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value.plain, dict) and top.key is None:
            top.key, top.key_place = self._key(event), self._place(event)
            return
        value = Value(self._meaning(event), self._place(event))
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._put(value, 1)

    def _key(self, event: Any) -> str:
        """Return a key as text: YAML's numbers and truths among keys name nothing for LiteLLM."""
        return str(event.value)

    def _meaning(self, event: Any) -> Any:
        """Return what `yaml.safe_load` makes of a scalar."""
        if event.tag == f"{_TAG}str" or not event.implicit[0]:
            return event.value
        resolve: Any = self._scalars.resolve
        tag = resolve(yaml.ScalarNode, event.value, event.implicit)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError):
            raise self._refusal(event, f"{event.value[:40]!r} has no value") from None
        finally:
            # The constructor remembers every node; each of ours is asked for once.
            self._scalars.constructed_objects.clear()

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self._refusal(event, f"*{event.anchor[:40]} refers to nothing above it")
        value, size = self._anchors[event.anchor]
        self._count_values(event, size)
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value.plain, dict) and top.key is None:
            raise self._refusal(event, f"*{event.anchor[:40]} stands where a name belongs")
        self._put(value, size)

    def _close(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value.plain, dict):
            self._merge(done.value)
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size)
        self._put(done.value, done.size)

    def _put(self, value: Value, size: int) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value.plain, list):
            top.value.plain.append(value)
            return
        if top.key is None:
            raise Unreadable(
                self._name, value.place.line, "has a mapping or list where a name belongs"
            )
        if top.key in top.value.plain:
            raise Unreadable(
                self._name,
                (top.key_place or value.place).line,
                f"says {top.key[:40]!r} twice; LiteLLM would drop the first in silence",
            )
        top.value.plain[top.key] = value
        top.value.keys[top.key] = top.key_place or value.place
        top.key = None

    def _merge(self, value: Value) -> None:
        """Take over what `<<` names; names of the mapping itself come first, as YAML says."""
        named = value.plain.pop(MERGE, None)
        place = value.keys.pop(MERGE, None)
        if named is None:
            return
        for each in named.entries() or [named]:
            if not isinstance(each.plain, dict):
                line = place.line if place else value.place.line
                raise Unreadable(self._name, line, "merges (<<) something that is no mapping")
            for name, found in each.items():
                value.plain.setdefault(name, found)
                value.keys.setdefault(name, each.key_place(name))

    def _count_values(self, event: Any, size: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise self._refusal(
                event, f"holds more than {MAX_VALUES:,} values, aliases counted each time"
            )

    def _place(self, event: Any) -> Place:
        return Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refusal(self, event: Any, says: str) -> Unreadable:
        return Unreadable(self._name, event.start_mark.line + 1, says)
