"""Logs written by hand, for tests and benchmarks of the verifier: honest ones and forged ones.

A forger here has everything that whoever runs the log has: its key. So signature and tree always
fit, and only the replay can find what is wrong. Uses the pure parts of the record and no database.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import checkpoint, leaf, merkle, note, tiles
from oversight.ledger.bundle_writer import BundleWriter
from oversight.ledger.commitment import commit
from proposals.tally.motion import Rules, Votes
from proposals.tally.yes_no import count

ORIGIN = "example.org/log"
LOG_KEY = note.SigningKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BODY, CLERK = "council", "person:clerk"
RULES = {
    "vote": {
        "threshold": "2/3",
        "base": "yes_and_no",
        "comparison": "at_least",
        "quorum": "1/2",
        "quorum_base": "roll",
        "tie_rule": "status_quo",
    },
    "override_threshold": "3/4",
    "secrecy": "open",
    "deliberation_hours": 2,
    "notice_hours": 1,
    "voting_hours": 24,
    "sunset_days": 120,
}
CHARTER = {"authorise_deployment": RULES, "general_motion": RULES}


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Forge:
    """A log under construction, the documents beside it, and a clock that only we move."""

    def __init__(self, members=3, charter=CHARTER, weights=None):
        self.now = BEGIN
        self.entries = []
        self.documents = {}
        self.members = [f"member:{n:06}" for n in range(members)]
        self.weights = weights or [1] * members
        self.number = 0
        self.facts = {}
        self._found(charter)

    # -- Writing

    def tick(self, **span):
        self.now += timedelta(**span or {"seconds": 1})

    def act(self, kind, actor, subject, *, at=None, **fields):
        """Append a leaf and return its index."""
        moment = at or self.now
        self.entries.append(
            leaf.encode(type=kind, at=moment, actor=actor, subject=subject, **fields)
        )
        return len(self.entries) - 1

    def keep(self, path, value):
        """Put a document into the bundle and return its digest."""
        data = rfc8785.dumps(value)
        self.documents[path] = data
        return digest_of(data)

    def _found(self, charter):
        admin = "person:admin"
        self.act(
            "accounts.body.founded", admin, f"body:{BODY}", facts={"time_zone": "Europe/Zurich"}
        )
        for n, (member, weight) in enumerate(zip(self.members, self.weights, strict=True)):
            self.appoint(member, f"person:{n:06}", weight=weight)
        self.appoint("member:clerk", CLERK, role="clerk", weight=0)
        digest = self.keep(f"bodies/{BODY}/charter-1.json", charter)
        self.act(
            "proposals.charter.adopted",
            admin,
            f"body:{BODY}",
            digests={"charter": digest},
            facts={"number": 1},
        )
        self.charter = {"number": 1, "digest": digest}

    def appoint(self, member, person, *, role="member", weight=1, ends_at=None):
        self.act(
            "accounts.member.appointed",
            "person:admin",
            f"body:{BODY}",
            facts={
                "member": member,
                "person": person,
                "role": role,
                "weight": weight,
                "starts_at": stamp(self.now),
                "ends_at": ends_at and stamp(ends_at),
            },
        )

    def move(self, ref, before, after, actor=CLERK, **more):
        facts = {"from": before, "to": after}
        self.act("proposals.stage.moved", actor, f"proposal:{ref}", facts=facts, **more)

    def draft(self, *, kind="general_motion", deliberation=timedelta(hours=2)):
        """Bring a motion to its final text and return its reference."""
        self.number += 1
        ref = f"2026-{self.number:03}"
        subject, proposer = f"proposal:{ref}", "person:000000"
        facts = {"body": BODY, "type": kind, "deployment": None}
        self.act("proposals.proposal.drafted", proposer, subject, facts=facts)
        digest = self.keep(f"proposals/{ref}/text-1.json", self.draft_text(ref))
        self.act(
            "proposals.text.revised",
            proposer,
            subject,
            digests={"text": digest},
            facts={"number": 1},
        )
        self.move(ref, "draft", "deliberation", proposer)
        self.now += deliberation
        self.move(ref, "deliberation", "final_text")
        self.text = {"revision": 1, "digest": digest}
        return ref

    def draft_text(self, ref):
        """Return the text as its digest is taken of it."""
        return {"title": f"Motion {ref}", "summary": "Short.", "text": "Long."}

    def contract(self, ref, **changes):
        """Return the contract of a motion as the services would freeze it."""
        opens = self.now
        return {
            "v": 1,
            "proposal": ref,
            "body": BODY,
            "type": "general_motion",
            "text": self.text,
            "subject": {"deployment": None, "version": None},
            "charter": self.charter,
            "method": "yes-no",
            "options": ["yes", "no", "abstain"],
            "rules": RULES["vote"],
            "override": False,
            "roll": [
                {"member": m, "weight": w} for m, w in zip(self.members, self.weights, strict=True)
            ],
            "recusals": [],
            "delegation": "none",
            "criteria": [],
            "secrecy": "open",
            "time_zone": "Europe/Zurich",
            "sunset_days": 120,
            "opens_at": stamp(opens),
            "closes_at": stamp(opens + timedelta(hours=24)),
        } | changes

    def open(self, ref, *, notice=timedelta(hours=1), **changes):
        """Open a vote and remember its contract."""
        self.now += notice
        document = self.contract(ref, **changes)
        digest = self.keep(f"decisions/{ref}/contract.json", document)
        self.move(ref, "final_text", "voting")
        self.act(
            "proposals.vote.opened",
            CLERK,
            f"proposal:{ref}",
            digests={"contract": digest},
            facts={
                "opens_at": document["opens_at"],
                "closes_at": document["closes_at"],
                "roll": len(document["roll"]),
            },
        )
        self.vote = {"ref": ref, "contract": document, "digest": digest, "cast": {}}

    def cast(self, member, choice, *, at=None, number=None, field="choice", contract=None):
        """Cast a ballot; the last one of a member is what an honest count takes."""
        vote = self.vote
        before = vote["cast"].get(member)
        number = number or (before["number"] + 1 if before else 1)
        salt = hashlib.sha256(f"{vote['ref']} {member} {number}".encode()).digest()
        committed = commit({field: choice}, salt)
        self.act(
            "proposals.ballot.cast",
            member,
            f"proposal:{vote['ref']}",
            at=at,
            digests={"contract": contract or vote["digest"]},
            commits={"choice": committed.digest},
            facts={"number": number},
        )
        weights = {entry["member"]: entry["weight"] for entry in vote["contract"]["roll"]}
        vote["cast"][member] = {
            "member": member,
            "weight": weights.get(member, 1),
            "number": number,
            field: choice,
            "leaf": "00000000-0000-4000-8000-000000000000",
            "salt": salt.hex(),
        }

    def sheet(self):
        """Count honestly, with the server's own code."""
        contract = self.vote["contract"]
        ballots = [(b["choice"], b["weight"]) for b in self.vote["cast"].values()]
        roll = sum(entry["weight"] for entry in contract["roll"])
        rules = Rules.of(**contract["rules"])
        return count(rules, Votes.from_ballots(ballots, roll=roll)).as_json()

    def decide(self, *, sheet=None, ballots=None, outcome=None, actor=CLERK, **changes):
        """Close the vote and publish its record."""
        ref, cast = self.vote["ref"], list(self.vote["cast"].values())
        sheet = sheet or self.sheet()
        outcome = outcome or sheet["outcome"]
        record = {
            "v": 1,
            "decision": ref,
            "contract": self.vote["digest"],
            "outcome": outcome,
            "sheet": sheet,
            "ballots": cast if ballots is None else ballots,
            "decided_at": stamp(self.now),
            "effect": {"kind": "general_motion"} if outcome == "carried" else {},
            "in_force_until": None,
        } | changes
        digest = self.keep(f"decisions/{ref}/record.json", record)
        self.move(ref, "voting", "decided", actor)
        self.act(
            "proposals.decision.made",
            actor,
            f"proposal:{ref}",
            digests={"contract": self.vote["digest"], "decision": digest},
            facts={"outcome": outcome, "in_force_until": None},
        )

    def motion(self, choices=("yes", "yes", "no")):
        """Take one whole motion from draft to decision."""
        self.open(self.draft())
        self.tick()
        for member, choice in zip(self.members, choices, strict=False):
            self.cast(member, choice)
        self.tick()
        self.decide()

    # -- Packing

    def pack(self, about=None, key=LOG_KEY, **changes):
        """Return the bundle's bytes."""
        target = io.BytesIO()
        self.write(target, about, key, **changes)
        return target.getvalue()

    def write(self, target, about=None, key=LOG_KEY, *, program=b"", trusted=None):
        """Sign the log as it stands and write the bundle."""
        writer = BundleWriter(target)
        writer.add("README.txt", b"A test.\n")
        writer.add("verify.py", program)
        for path, data in log_files(self.entries, key, trusted or key):
            writer.add(path, data)
        last = json.loads(self.entries[-1])["at"]
        gate = {"v": 1, "at": last, "answers": []}
        for path, data in ({"gate.json": rfc8785.dumps(gate)} | self.documents).items():
            writer.add(path, data)
        writer.close(about or {"kind": "log"})


def log_files(entries, key=LOG_KEY, trusted=LOG_KEY):
    """Yield checkpoint, policy, keys, entries and tiles of a log with these entries."""
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    grown = tiles.extend(0, {}, hashes)
    nodes = tiles.TileNodes(lambda wanted: {each: grown[each] for each in wanted if each in grown})
    root = merkle.right_edge(len(entries), nodes).root()
    yield (
        "checkpoint",
        checkpoint.sign(checkpoint.TreeHead(key.verifier.name, len(entries), root), key).encode(),
    )
    vkey = trusted.verifier.format()
    yield "policy", f"log {vkey}\nquorum none\n".encode()
    yield "keys/log.vkeys", f"{vkey}\n".encode()
    for first in range(0, len(entries), 256):
        bundle = tiles.format_bundle(entries[first : first + 256])
        width = min(256, len(entries) - first)
        path = tiles.format_path(tiles.TilePath(None, first // 256, width))
        yield f"log/tile/{path}", bundle
    for tile, data in sorted(grown.items()):
        path = tiles.format_path(tiles.TilePath(tile.level, tile.index, len(data) // 32))
        yield f"log/tile/{path}", data


def repacked(files: Iterable[tuple[str, bytes]], about=None):
    """Pack files with a fresh manifest, as a careful forger would."""
    target = io.BytesIO()
    writer = BundleWriter(target)
    for path, data in files:
        if path != "manifest.json":
            writer.add(path, data)
    writer.close(about or {"kind": "log"})
    return target.getvalue()


def files_of(data):
    """Return path and content of every file of a bundle, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}
