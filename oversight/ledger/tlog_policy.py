"""Which witnesses must have cosigned a checkpoint before it counts (c2sp.org/tlog-policy).

Lines: `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|K NAME…`, one
`quorum NAME|none`; `#` begins a comment.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from oversight.ledger.cosignature import CosignerKey
from oversight.ledger.note import NoteError, Signature, VerifierKey

NONE = "none"
MAX_POLICY_CHARACTERS = 100_000


class PolicyError(ValueError):
    """A policy that cannot be used; the message names the line and the fix."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness: the policy's name for it, its key, and where it takes checkpoints."""

    name: str
    key: CosignerKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these witnesses or groups."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A parsed policy; without a quorum any checkpoint of the log counts."""

    logs: tuple[VerifierKey, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Return whether cosignatures by the witnesses of these names are enough."""
        return self.quorum == NONE or self._counts(self.quorum, cosigned)

    def cosigners(self, text: str, signatures: Collection[Signature]) -> set[str]:
        """Return the names of the witnesses whose valid cosignature of `text` is among them."""
        return {
            witness.name
            for witness in self.witnesses
            if any(witness.key.time_of(text, each) is not None for each in signatures)
        }

    def _counts(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._counts(each, cosigned) for each in group.members) >= group.needed


def parse(text: str) -> Policy:
    """Return the policy.

    Raises:
        PolicyError: naming the first line that cannot be used.
    """
    if len(text) > MAX_POLICY_CHARACTERS:
        raise PolicyError(f"A policy has at most {MAX_POLICY_CHARACTERS} characters.")
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            reader.take(words)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"Line {number} of the policy: {error}") from None
    return reader.policy()


class _Reader:
    """Takes a policy line by line; a name must stand before what refers to it."""

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: list[Witness] = []
        self._groups: dict[str, Group] = {}
        self._quorum: str | None = None

    def take(self, words: list[str]) -> None:
        kinds = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._set_quorum,
        }
        take = kinds.get(words[0])
        if take is None:
            raise PolicyError(f"{words[0][:40]!r} is none of {', '.join(kinds)}.")
        take(words[1:])

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyError("The policy has no line `quorum NAME` or `quorum none`.")
        return Policy(tuple(self._logs), tuple(self._witnesses), self._groups, self._quorum)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise PolicyError("Write `log VKEY [URL]`.")
        self._logs.append(VerifierKey.parse(words[0]))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise PolicyError("Write `witness NAME VKEY [URL]`.")
        name, vkey, *url = words
        self._require_new(name)
        if url and not url[0].startswith(("https://", "http://")):
            raise PolicyError(f"{url[0][:60]!r} is not a web address.")
        key = CosignerKey.parse(vkey)
        if any(each.key == key for each in self._witnesses):
            raise PolicyError(f"The key of {name} is another witness's already.")
        self._witnesses.append(Witness(name, key, *(each.rstrip("/") for each in url)))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise PolicyError("Write `group NAME all|any|K NAME…`.")
        name, needed, *members = words
        self._require_new(name)
        for each in members:
            self._require_known(each)
        if len(set(members)) != len(members):
            raise PolicyError(f"The group {name} names a member twice.")
        counts = {"all": len(members), "any": 1}
        number = counts.get(needed, int(needed) if needed.isascii() and needed.isdigit() else 0)
        if not 1 <= number <= len(members):
            raise PolicyError(f"{needed!r} is not all, any, or 1 to {len(members)}.")
        self._groups[name] = Group(number, tuple(members))

    def _set_quorum(self, words: list[str]) -> None:
        if self._quorum is not None or len(words) != 1:
            raise PolicyError("Write one line `quorum NAME` or `quorum none`.")
        if words[0] != NONE:
            self._require_known(words[0])
        self._quorum = words[0]

    def _require_new(self, name: str) -> None:
        if name == NONE or name in self._groups or any(w.name == name for w in self._witnesses):
            raise PolicyError(f"The name {name[:60]!r} is taken.")

    def _require_known(self, name: str) -> None:
        if name not in self._groups and all(w.name != name for w in self._witnesses):
            raise PolicyError(f"{name[:60]!r} is no witness or group of a line above.")
