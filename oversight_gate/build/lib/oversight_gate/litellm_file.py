"""A LiteLLM proxy's configuration as LiteLLM reads it: includes merged, entries and routes listed.

Nothing is judged here. Includes are followed as LiteLLM follows them: beside the file that names
them, else beside the first one; lists are joined, everything else is replaced.
"""

import os
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oversight_gate.yaml_file import Place, Unreadable, Value, read

MAX_FILES = 50
MAX_ENTRIES = 5_000
MAX_ROUTES = 20_000
MAX_DEFAULTS = 100
"""Routes from every name: each is held against every name."""
EVERY_NAME = "*"
FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `model_list`: a public name, and what one operator serves under it."""

    name: str
    model: str
    subject: str
    """The digest that `model_info.oversight` claims; empty where it claims none."""
    deployment: str
    params: Value
    info: Value
    place: Place
    value: Value

    @property
    def is_wildcard(self) -> bool:
        """Whether it takes names that nobody has listed."""
        return "*" in self.name or "*" in self.model

    def place_of(self, *path: str) -> Place:
        """Return where something of the entry stands, or the nearest thing above it."""
        value = self.value
        place = self.place
        for name in path:
            place = value.key_place(name)
            found = value.get(name)
            if found is None:
                break
            value = found
        return place


@dataclass(frozen=True, slots=True)
class Route:
    """Something that leads requests for one public name to another."""

    kind: str
    source: str
    """The public name; `*` for every one."""
    target: str
    place: Place
    extra: tuple[str, ...] = ()
    """What the route sets beside the name: it could send the request anywhere."""

    @property
    def is_alias(self) -> bool:
        """Whether it makes another name for a model, instead of another model for a name."""
        return self.kind in {"model_group_alias", "model_alias_map"}


@dataclass(slots=True)
class Proxy:
    """All that a configuration says, with its places."""

    path: str
    sections: dict[str, Value]
    places: dict[str, Place]
    entries: list[Entry] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    by_name: dict[str, list[Entry]] = field(default_factory=dict)
    wildcards: list[Entry] = field(default_factory=list)

    def names(self) -> list[str]:
        """Return the public names, each once."""
        return list(self.by_name)

    def named(self, name: str) -> list[Entry]:
        """Return the entries under a public name; those of wildcards where none has it."""
        exact = self.by_name.get(name)
        return exact or [entry for entry in self.wildcards if _matches(entry.name, name)]

    def section(self, name: str) -> Value:
        """Return a section; an empty one where there is none."""
        return self.sections.get(name) or Value({}, Place(self.path, 1))

    def variable(self, name: str) -> str | None:
        """Return what the file itself sets an environment variable to."""
        found = self.section("environment_variables").get(name)
        return str(found.plain) if found is not None else None

    def credential(self, name: str) -> Value | None:
        """Return the values of a credential of `credential_list`."""
        for each in self.section("credential_list").entries():
            if each.text("credential_name") == name:
                return each.get("credential_values") or Value({}, each.place)
        return None


def open_proxy(path: Path, shown: str = "") -> Proxy:
    """Read a configuration with all that it includes.

    Raises:
        Unreadable: a file cannot be read, is no mapping, or has an entry without a name.
    """
    name = shown or str(path)
    sections, places = _with_includes(path.absolute(), name)
    proxy = Proxy(name, sections, places)
    listed = proxy.section("model_list")
    if not isinstance(listed.plain, list | dict) or (listed.plain and not listed.entries()):
        raise Unreadable(listed.place.path, listed.place.line, "model_list is no list")
    _require_few(listed.entries(), MAX_ENTRIES, "entries", listed.place)
    proxy.entries = [_entry(each) for each in listed.entries()]
    for entry in proxy.entries:
        proxy.by_name.setdefault(entry.name, []).append(entry)
        if "*" in entry.name:
            proxy.wildcards.append(entry)
    proxy.routes = [*_routes(proxy)]
    _require_few(proxy.routes, MAX_ROUTES, "fallbacks and aliases", listed.place)
    from_every = [route for route in proxy.routes if route.source == EVERY_NAME]
    _require_few(from_every, MAX_DEFAULTS, "default fallbacks", listed.place)
    return proxy


def _require_few(found: Sized, most: int, what: str, place: Place) -> None:
    if len(found) > most:
        raise Unreadable(place.path, place.line, f"has {len(found):,} {what}; {most:,} at most")


def _with_includes(path: Path, shown: str) -> tuple[dict[str, Value], dict[str, Place]]:
    root = _mapping(path, shown)
    sections = dict(root.items())
    places = dict(root.keys)
    read_already = {path}
    pending = [(each, path, shown) for each in _includes(root)]
    sections.pop("include", None)
    while pending:
        entry, declared_in, declared_name = pending.pop(0)
        found = _beside(entry.plain, declared_in, path)
        if found in read_already:
            continue
        if len(read_already) >= MAX_FILES:
            raise Unreadable(
                declared_name, entry.place.line, f"includes more than {MAX_FILES} files"
            )
        if not found.is_file():
            raise Unreadable(
                declared_name, entry.place.line, f"includes {entry.plain[:80]}, which is no file"
            )
        read_already.add(found)
        name = str(Path(declared_name).parent / entry.plain)
        included = _mapping(found, name)
        pending += [(each, found, name) for each in _includes(included)]
        _merge(sections, places, included)
    return sections, places


def _merge(sections: dict[str, Value], places: dict[str, Place], included: Value) -> None:
    for key, value in included.items():
        if key == "include":
            continue
        before = sections.get(key)
        if before is not None and isinstance(before.plain, list) and isinstance(value.plain, list):
            sections[key] = Value([*before.plain, *value.plain], before.place)
        else:
            sections[key] = value
            places[key] = included.key_place(key)


def _mapping(path: Path, shown: str) -> Value:
    value = read(path, shown)
    if not isinstance(value.plain, dict):
        raise Unreadable(shown, value.place.line, "is no mapping of sections such as model_list")
    return value


def _includes(value: Value) -> list[Value]:
    found = value.get("include")
    if found is None:
        return []
    if not isinstance(found.plain, list) or not all(
        isinstance(each.plain, str) for each in found.entries()
    ):
        raise Unreadable(found.place.path, found.place.line, "include is no list of file names")
    return found.entries()


def _beside(name: str, declared_in: Path, root: Path) -> Path:
    declared = Path(_absolute(declared_in.parent / name))
    from_root = Path(_absolute(root.parent / name))
    return from_root if not declared.exists() and from_root.exists() else declared


def _absolute(path: Path) -> str:
    """Return a path without `..`, as LiteLLM compares them: links are not followed."""
    return os.path.normpath(path)


def _entry(value: Value) -> Entry:
    params = value.get("litellm_params")
    name = value.text("model_name")
    if not name or params is None or not isinstance(params.plain, dict):
        raise Unreadable(
            value.place.path,
            value.place.line,
            "has an entry of model_list without model_name or litellm_params",
        )
    info = value.get("model_info") or Value({}, value.place)
    claim = info.get("oversight") or Value({}, info.place)
    return Entry(
        name=name,
        model=params.text("model"),
        subject=claim.text("subject"),
        deployment=claim.text("deployment"),
        params=params,
        info=info,
        place=value.place,
        value=value,
    )


def _routes(proxy: Proxy) -> Iterator[Route]:
    for section in ("router_settings", "litellm_settings"):
        settings = proxy.section(section)
        for kind in FALLBACKS:
            yield from _fallbacks(kind, settings.get(kind))
        for target in _listed(settings.get("default_fallbacks")):
            yield _route("default_fallbacks", EVERY_NAME, target)
        for kind in ("model_group_alias", "model_alias_map"):
            aliases = settings.get(kind)
            for alias, target in aliases.items() if aliases else ():
                yield _route(kind, alias, target)
    chosen = proxy.section("general_settings").get("completion_model")
    if chosen is not None:
        yield _route("completion_model", EVERY_NAME, chosen)


def _fallbacks(kind: str, value: Value | None) -> Iterator[Route]:
    """Yield the routes of a list such as `[{name: [other, …]}]`."""
    for each in _listed(value):
        for source, targets in each.items():
            for target in _listed(targets):
                yield _route(kind, source, target)
        if not isinstance(each.plain, dict):
            raise Unreadable(
                each.place.path,
                each.place.line,
                f"{kind} is no list of mappings from name to names",
            )


def _listed(value: Value | None) -> list[Value]:
    if value is None:
        return []
    return value.entries() if isinstance(value.plain, list) else [value]


def _route(kind: str, source: str, target: Value) -> Route:
    if isinstance(target.plain, dict):
        known = {"model", "hidden"}
        extra = tuple(name for name, _ in target.items() if name not in known)
        return Route(kind, source, target.text("model"), target.place, extra)
    return Route(kind, source, _plain_text(target.plain), target.place)


def _plain_text(plain: Any) -> str:
    return plain if isinstance(plain, str) else ""


def _matches(pattern: str, name: str) -> bool:
    """Say whether a wildcard such as `openai/*` takes a name."""
    if "*" not in pattern:
        return False
    rest, parts = name, pattern.split("*")
    if not rest.startswith(parts[0]) or not rest.endswith(parts[-1]):
        return False
    for part in parts:
        at = rest.find(part)
        if at < 0:
            return False
        rest = rest[at + len(part) :]
    return True
