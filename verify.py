#!/usr/bin/env python3
"""Verify an audit bundle of `oversight`, offline and without trusting whoever made it.

    python3 verify.py BUNDLE.zip [--policy FILE] [--json] [--full]

Exit status: 0 everything is proven, 1 something contradicts, 2 there is not enough material.

A bundle holds the whole public log of a body that decides about AI models, and the documents that
the log's entries hold digests of. This program reads both and believes neither. It derives the
tree from the entries, checks who signed it, and then plays all acts again in their order: who was
a member of which body, under which charter a vote was held, who was on the roll, which ballots
count, what they add up to, which criteria stood before which evaluation, what the signed scores
say, what was decided and what may therefore be in service.

It is one file for the standard library of Python 3.9 or newer and shares no code with the server.
It writes nothing, opens no network connection and runs nothing from the bundle. Read it from top
to bottom: each part says what it holds against what. Where it cannot repeat something, it says so
instead of calling it proven.

  1 Verdicts        4 Ed25519         7 Entries           10 A vote        13 What may serve
  2 Reading         5 Signed notes    8 Signed results    11 Counting      14 The whole
  3 The bundle      6 The tree        9 The replay        12 Statistics    15 The program
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import math
import platform
import re
import struct
import sys
import zipfile
import zlib
from datetime import datetime, timezone
from fractions import Fraction
from types import SimpleNamespace as Thing

# == 1 Verdicts ====================================================================================
#
# Every check ends as one line: a verdict, the name of the check, and what was held against what.

PROVEN, CONTRADICTS, MISSING, NOTE = "proven", "CONTRADICTS", "missing", "note"
FAULTS_SHOWN = 8


class Contradiction(Exception):
    """Something in the bundle contradicts something else; the message names the place."""


class Later(Exception):
    """Whether this holds can be told only once the entries are read."""


class NotEnough(Exception):
    """The bundle lacks what a check needs, or this program does not know a kind of act."""


MALFORMED = (
    *(LookupError, TypeError, AttributeError, ValueError, ArithmeticError),
    *(StopIteration, RecursionError),
)
"""What reading a document of another shape than its kind has ends in: its maker signed it."""


def need(condition, says):
    """Raise a contradiction unless the condition holds."""
    if not condition:
        raise Contradiction(says)


def same(found, expected, what):
    """Hold one value against another."""
    if found != expected:
        raise Contradiction(f"{what} is {shown(found)}, but it must be {shown(expected)}")


def all_same(where, *rows):
    """Hold several values of one document against what they must be."""
    for name, found, expected in rows:
        same(found, expected, f"the {name} in {where}")


def shown(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 90 else text[:87] + "…"


def plain(text):
    """Return a text that is safe to print on a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)[:600])


def count(number, one, many):
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def attempt(function, *arguments):
    """Run a check; return the verdict and what it says."""
    try:
        return PROVEN, function(*arguments)
    except Contradiction as found:
        return CONTRADICTS, str(found)
    except NotEnough as found:
        return MISSING, str(found)
    except MALFORMED as error:
        return CONTRADICTS, f"not of the form that its kind has ({type(error).__name__}: {error})"


class Report:
    """All lines of a report, in order: section, verdict, name of the check, what it says."""

    def __init__(self, section=""):
        self.section, self.lines = section, []

    def add(self, verdict, name, says):
        """Add one line; texts from the bundle cannot smuggle control characters into it."""
        self.lines.append((self.section, verdict, name, plain(says)))

    def check(self, name, function, *arguments):
        """Run one check, which returns what it proved or raises what it found; say if it held."""
        verdict, says = attempt(function, *arguments)
        self.add(verdict, name, says)
        return verdict == PROVEN

    def group(self, group):
        """Add the line of a group of small checks, or one line for each fault in it."""
        for verdict, faults in group.faults.items():
            for says in faults:
                self.add(verdict, group.name, says)
            if group.more[verdict]:
                self.add(verdict, group.name, f"and {group.more[verdict]:,} more")
        if not any(group.faults.values()):
            self.add(PROVEN, group.name, group.says.format(count(group.number, *group.noun)))

    def number(self, verdict):
        """Return how many lines have the verdict."""
        return sum(line[1] == verdict for line in self.lines)

    def status(self):
        """Return the exit status."""
        return 1 if self.number(CONTRADICTS) else 2 if self.number(MISSING) else 0


class Group:
    """Many small checks that share one line when all of them hold."""

    def __init__(self, name, noun, says):
        self.name, self.noun, self.says, self.number = name, noun, says, 0
        self.faults, self.more = {CONTRADICTS: [], MISSING: []}, {CONTRADICTS: 0, MISSING: 0}

    def take(self, place, function, *arguments):
        """Run one of the small checks; keep what it found, but only the first few."""
        self.number += 1
        verdict, says = attempt(function, *arguments)
        if verdict == PROVEN:
            return
        if len(self.faults[verdict]) < FAULTS_SHOWN:
            self.faults[verdict].append(f"{place}: {says}")
        else:
            self.more[verdict] += 1


# == 2 Reading =====================================================================================
#
# JSON from a stranger: no floats, no huge numbers, no repeated names, not nested too deeply.

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
NUMBER = re.compile(r"-?\d{1,18}(?:[./]\d{1,18})?", re.ASCII)
NEVER = math.inf


def refuse_number(text):
    raise ValueError(f"the number {text[:20]} is not a whole one; decimals are written as text")


def whole_number(text):
    if len(text) > 17:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)


def single_names(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names something twice")
    return found


NUMBERS = {"parse_int": whole_number, "parse_float": refuse_number, "parse_constant": refuse_number}
STRICT = json.JSONDecoder(object_pairs_hook=single_names, **NUMBERS)
# A document with fractions inside (settings of a task): they are read as the text they are.
LENIENT = json.JSONDecoder(object_pairs_hook=single_names, **{**NUMBERS, "parse_float": str})
# An entry is written again and compared byte by byte, so that names twice in it come out anyway.
QUICK = json.JSONDecoder(**NUMBERS)
WRITER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def read_json(data, where, decoder=STRICT):
    """Return the value that the bytes spell."""
    try:
        return decoder.decode(data.decode("utf-8"))
    except RecursionError:
        raise Contradiction(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise Contradiction(f"{where} is not usable JSON: {error}") from None


def canonical(value):
    """Write a value in the one form that is hashed (RFC 8785, for values without fractions)."""
    return WRITER.encode(value).encode("utf-8")


def read_canonical(data, where, decoder=STRICT):
    """Return the value of bytes that must be in that form."""
    value = read_json(data, where, decoder)
    verdict, written = attempt(canonical, value)
    need((verdict, written) == (PROVEN, data), f"{where} is not in the canonical form of RFC 8785")
    return value


def sha256(data):
    return hashlib.sha256(data).digest()


def digest_of(data):
    """Return the digest as the record writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def from_base64(text, where):
    """Return the bytes of standard padded base64, spelled in the one usual way."""
    verdict, data = attempt(lambda: base64.b64decode(text, validate=True))
    usual = verdict == PROVEN and base64.b64encode(data).decode() == text
    need(usual, f"{where} is not base64 in its usual spelling")
    return data


def seconds(text, where="a time"):
    """Return a time such as 2026-11-23T10:00:00Z as seconds since 1970."""
    match = INSTANT.fullmatch(text) if isinstance(text, str) else None
    try:
        return int(datetime(*map(int, match.groups()), tzinfo=timezone.utc).timestamp())
    except (AttributeError, ValueError):
        raise Contradiction(f"{where} is not a time in UTC: {text!r}") from None


def end_of(text):
    """Return when something ends, in seconds; never, where nothing is stated."""
    return seconds(text) if text else NEVER


def instant(moment):
    """Write seconds since 1970 as the record does."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fraction(value, where):
    """Return an exact number written 3, "2.5" or "2/3"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and NUMBER.fullmatch(value) and not re.search("/0+$", value):
        return Fraction(value)
    raise Contradiction(f"{where} is no exact number: {value!r}")


def opens(commitment, salt, value):
    """Say whether salt and value are what was committed to."""
    verdict, private = attempt(lambda: (bytes.fromhex(salt), canonical(value)))
    if verdict != PROVEN or len(private[0]) != 32:
        return False
    return digest_of(b"oversight/commit/v1" + b"".join(private)) == commitment


# == 3 The bundle ==================================================================================
#
# A zip may lie about names and sizes. Nothing is ever unpacked to disk; each file is read into
# memory when a check asks for it, and no more of it than the zip's own directory announced.

FORMAT = "oversight-audit-bundle"
SCOPES = {"log": ["kind"], "decision": ["kind", "ref"], "deployment": ["kind", "slug"]}
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+-]*){0,9}", re.ASCII)
MAX_FILES = 500_000
MAX_FILE_BYTES = 64 << 20
MAX_TOTAL_BYTES = 8 << 30
MAX_RATIO = 200
# What opening a damaged or hostile zip ends in; RuntimeError is also "not implemented".
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)


class Bundle:
    """The files of a zip, read one by one and held against the manifest."""

    def __init__(self, path):
        self.used, self.manifest, self.about = {"manifest.json"}, {}, {}
        try:
            self.zip = zipfile.ZipFile(path)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except UNREADABLE as error:
            says = f"this is no whole zip ({error}): a download that was cut short, or another file"
            raise NotEnough(says) from None
        self.members = self._members(self.zip.infolist())

    def _members(self, infos):
        """Refuse names, sizes and places that deceive, by what the zip's directory says."""
        need(len(infos) <= MAX_FILES, f"the zip lists {len(infos):,} files; {MAX_FILES:,} at most")
        members, names, end, total = {}, set(), 0, 0
        for info in sorted(infos, key=lambda each: each.header_offset):
            name, size, packed = info.filename, info.file_size, info.compress_size
            need(PATH.fullmatch(name) and len(name) <= 200, f"the zip has a file named {name!r}")
            need(name.lower() not in names, f"the zip has two files named {name!r}")
            need(not info.flag_bits & 1, f"{name} is encrypted")
            need(info.compress_type in (0, 8), f"{name} is packed in an unknown way")
            need(size <= MAX_FILE_BYTES, f"{name} is {size:,} bytes long")
            swells = f"{name} would swell from {packed:,} to {size:,} bytes"
            need(size <= 4096 + MAX_RATIO * packed, swells)
            # A few kilobytes that many names share could otherwise pose as terabytes.
            need(info.header_offset >= end, f"{name} overlaps another file of the zip")
            end, total = info.header_offset + 30 + len(name) + packed, total + size
            need(total <= MAX_TOTAL_BYTES, f"the zip would unpack to {total:,} bytes and more")
            names.add(name.lower())
            members[name] = info
        return members

    def check_zip(self):
        """Say what the zip holds, as far as its directory tells."""
        total = sum(info.file_size for info in self.members.values())
        return f"{count(len(self.members), 'file', 'files')}, {total:,} bytes; no name leads out"

    def check_manifest(self):
        """Take scope and list of files from manifest.json; it names what is there, and no more."""
        value = read_canonical(self.raw("manifest.json"), "manifest.json")
        need(isinstance(value, dict), "manifest.json is no object")
        same(sorted(value), ["about", "files", "format", "v"], "the fields of manifest.json")
        same((value["format"], value["v"]), (FORMAT, 1), "the format in manifest.json")
        self.about = value["about"]
        scope = SCOPES.get(self.about["kind"]), "what manifest.json says the bundle is about"
        same(sorted(self.about), *scope)
        for entry in value["files"]:
            named = isinstance(entry, dict) and sorted(entry) == ["path", "sha256", "size"]
            need(named, f"manifest.json has an entry {shown(entry)}")
            need(entry["path"] not in self.manifest, f"manifest.json names {entry['path']} twice")
            self.manifest[str(entry["path"])] = entry
        for extra in sorted(set(self.members) - set(self.manifest) - {"manifest.json"}):
            raise Contradiction(f"{extra} is in the zip and not in manifest.json")
        for gone in sorted(set(self.manifest) - set(self.members)):
            raise NotEnough(f"{gone} is named in manifest.json and not in the zip")
        return f"manifest.json names all {count(len(self.manifest), 'file', 'files')}"

    def check_files(self):
        """Read every file once and hold it against its size and SHA-256."""
        damaged = []
        for path, entry in self.manifest.items():
            data = self._read(path)
            if (len(data), hashlib.sha256(data).hexdigest()) != (entry["size"], entry["sha256"]):
                damaged.append(path)
        need(not damaged, f"altered since it was packed: {', '.join(sorted(damaged))}")
        return "every byte is as manifest.json says (size and SHA-256 of each file)"

    def check_all_used(self):
        """Refuse content that no check has looked at."""
        for left in sorted(set(self.members) - self.used - {"README.txt", "verify.py"}):
            raise Contradiction(f"{left} belongs to no act on the log")
        return "every file of the bundle was held against the log"

    def __contains__(self, path):
        return path in self.members

    def raw(self, path):
        """Return the bytes of a file, for a check that looks into it."""
        self.used.add(path)
        return self._read(path)

    def _read(self, path):
        if path not in self.members:
            raise NotEnough(f"{path} is not in the bundle")
        info = self.members[path]
        try:
            with self.zip.open(info) as file:
                data = file.read(info.file_size + 1)
        except UNREADABLE as error:
            raise Contradiction(f"{path} cannot be read: {error}") from None
        need(len(data) == info.file_size, f"{path} has another length than the zip says")
        return data

    def document(self, path, digest, decoder=STRICT):
        """Return a document whose digest is on the log."""
        data = self.raw(path)
        same(digest_of(data), digest, f"the SHA-256 of {path}")
        return read_json(data, path, decoder)

    def document_if_here(self, path, digest, decoder=STRICT):
        """Return a document whose digest is on the log; None where it is out of scope."""
        return self.document(path, digest, decoder) if path in self else None


# == 4 Ed25519 =====================================================================================
#
# RFC 8032, verification only. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, x·y = T/Z.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add_points(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply_point(scalar, point):
    result = NEUTRAL
    for bit in bin(scalar)[2:]:
        result = add_points(result, result)
        if bit == "1":
            result = add_points(result, point)
    return result


def decode_point(data):
    """Return the point of 32 bytes, or None where the bytes are not its one spelling."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def encode_point(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(public, message, signature):
    """Say whether the 64 bytes are the key's signature of the message: [S]B - [k]A is R."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key = decode_point(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus_key = (P - key[0], key[1], 1, P - key[3])
    found = add_points(multiply_point(s, BASE), multiply_point(k, minus_key))
    return encode_point(found) == signature[:32]


def ed25519_key(text):
    """Return the key that hexadecimal digits spell."""
    key = bytes.fromhex(text)
    need(len(key) == 32 and decode_point(key), "its key is no Ed25519 key")
    return key


# == 5 Signed notes: checkpoint, policy, quorum ====================================================
#
# c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy.

LOG_KEY, WITNESS_KEY = 1, 4
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([0-9A-Za-z+/=]+)")
# Origin, size and root, each on a line; a blank line; signatures: a dash, a name, base64.
CHECKPOINT = re.compile(
    r"(([^\n]+)\n(0|[1-9][0-9]{0,14})\n([^\n]+)\n)\n((?:\u2014 [^\s+]+ [0-9A-Za-z+/=]+\n){1,64})"
)


class Key:
    """A public key with its name, from `NAME+<8 hex digits>+<base64 of type and key>`."""

    def __init__(self, vkey):
        parts = VKEY.fullmatch(vkey)
        need(parts, f"{shown(vkey)} is no verifier key")
        self.vkey, (self.name, stated, material) = vkey, parts.groups()
        material = from_base64(material, f"the key of {self.name}")
        self.id = sha256(self.name.encode() + b"\n" + material)[:4]
        same(stated, self.id.hex(), f"the id in the key of {self.name}")
        self.kind, self.public = material[0], material[1:]


class Policy:
    """Whose signatures are asked for: the log's keys, witnesses, groups of them, a quorum."""

    def __init__(self, text):
        self.log_keys, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        need(not CONTROL.search(text.replace("\t", " ")), "the policy holds a control character")
        for line in text.split("\n"):
            words = line.split("#", 1)[0].split()
            if words:
                self._read(*words)
        need(self.log_keys, "the policy names no log")
        need(self.quorum is not None, "the policy has no quorum line")
        known = {"none", *self.witnesses, *self.groups}
        need(self.quorum in known, f"the policy's quorum {self.quorum} is not defined")

    def _read(self, kind, *rest):
        if kind == "log" and len(rest) in (1, 2):
            self.log_keys.append(Key(rest[0]))
        elif kind == "witness" and len(rest) in (2, 3):
            key = Key(rest[1])
            twice = any(key.vkey == other.vkey for other in self.witnesses.values())
            need(not twice, f"the policy gives the key of {rest[0]} to two witnesses")
            self.witnesses[self._new(rest[0])] = key
        elif kind == "group" and len(rest) >= 3:
            self._read_group(self._new(rest[0]), rest[1], rest[2:])
        elif kind == "quorum" and len(rest) == 1 and self.quorum is None:
            self.quorum = rest[0]
        else:
            line = " ".join([kind, *rest])
            raise Contradiction(f"the policy has a line that means nothing: {line}")

    def _read_group(self, name, wanted, members):
        for member in members:
            known = member in self.witnesses or member in self.groups
            need(known, f"the policy's group {name} names {member}, which is not defined")
        need(len(set(members)) == len(members), f"the policy's group {name} names somebody twice")
        wanted = {"all": str(len(members)), "any": "1"}.get(wanted, wanted)
        fits = re.fullmatch(r"[0-9]{1,4}", wanted) and 1 <= int(wanted) <= len(members)
        need(fits, f"the policy's group {name} asks too much, or nothing")
        self.groups[name] = (int(wanted), members)

    def _new(self, name):
        taken = {"none", *self.witnesses, *self.groups}
        need(name not in taken, f"the policy defines {name} twice")
        return name

    def met_by(self, signers):
        """Say whether the witnesses that signed make up the quorum."""
        met = {"none": True, **{name: name in signers for name in self.witnesses}}
        for name, (wanted, members) in self.groups.items():  # each names only what stands before it
            met[name] = sum(met[member] for member in members) >= wanted
        return met[self.quorum]


class Checkpoint:
    """The signed statement of a log's size and root."""

    def __init__(self, data):
        note = data[:100_000].decode("utf-8")
        parts = None if CONTROL.search(note) else CHECKPOINT.fullmatch(note)
        need(parts, "the checkpoint is no signed note of origin, size and root")
        self.text, self.origin, size, root, signatures = parts.groups()
        self.size, self.root = int(size), from_base64(root, "the checkpoint's root")
        need(len(self.root) == 32, "the checkpoint's root has not 32 bytes")
        self.signatures = []
        for line in signatures.splitlines():
            _, name, blob = line.split(" ")
            blob = from_base64(blob, f"the signature of {name}")
            need(len(blob) > 4, f"the signature of {name} is too short")
            self.signatures.append((name, blob[:4], blob[4:]))

    def signed_by(self, key, kind):
        """Say whether a key has signed; a wrong signature of a known key rejects the note."""
        found = False
        for name, key_id, blob in self.signatures:
            if (name, key_id, kind) != (key.name, key.id, key.kind):
                continue
            signed, signature, word = self.text, blob, "signature"
            if kind == WITNESS_KEY:
                moment, signature = int.from_bytes(blob[:8], "big"), blob[8:]
                signed, word = f"cosignature/v1\ntime {moment}\n{self.text}", "cosignature"
            found = ed25519_verifies(key.public, signed.encode(), signature)
            need(found, f"the {word} of {name} ({key_id.hex()}) is wrong")
        return found

    def signed_by_log(self, policy):
        """Check the log's own signature."""
        found = [key for key in policy.log_keys if self.signed_by(key, LOG_KEY)]
        asked = policy.log_keys[0].vkey
        need(found, f"no key that the policy trusts has signed (asked: {asked})")
        same(self.origin, found[-1].name, "the log that the checkpoint is of")
        size = count(self.size, "entry", "entries")
        return f"{self.origin} signed {size} (Ed25519, key {found[-1].id.hex()})"

    def cosigned(self, policy):
        """Check the witnesses' signatures and the quorum that the policy asks for."""
        signers = sorted(
            name for name, key in policy.witnesses.items() if self.signed_by(key, WITNESS_KEY)
        )
        if not policy.met_by(signers):
            raise NotEnough(f"the quorum {policy.quorum} is not met; signed: {signers}")
        return f"the quorum {policy.quorum} is met by {', '.join(signers)}"

    def unread(self, policy):
        """Return who else has signed, with keys the policy lacks or this program cannot use."""
        usable = [key for key in policy.log_keys if key.kind == LOG_KEY]
        usable += [key for key in policy.witnesses.values() if key.kind == WITNESS_KEY]
        known = {(key.name, key.id) for key in usable}
        return [name for name, key_id, _ in self.signatures if (name, key_id) not in known]


# == 6 The tree ====================================================================================
#
# RFC 6962: leaf = SHA-256(00 ‖ entry), node = SHA-256(01 ‖ left ‖ right), split at the largest
# power of two below the size. Tiles (c2sp.org/tlog-tiles) are the same hashes, 256 in a file.

WIDTH = 256
HANDOVER = re.compile(r"keys/handovers/(?:0|[1-9][0-9]{0,14})", re.ASCII)
STAMP = re.compile(r"timestamps/(?:0|[1-9][0-9]{0,14})\.tsr", re.ASCII)


def tile_path(level, index, width):
    """Return the path of a tile; `level` may be "entries"."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"log/tile/{level}/{'/'.join(reversed(groups))}{partial}"


class Tree:
    """Takes leaf hashes one by one; keeps the peaks of the perfect subtrees on its right edge."""

    def __init__(self, keep=()):
        self.size, self.peaks = 0, []
        self.roots = dict.fromkeys(keep)  # the roots of trees of these sizes, once they are known
        # By tile level: the hashes that stand in its tiles. Level 0 is compared as it comes.
        self.levels = {}

    def add(self, leaf_hash):
        """Add a leaf hash and join all subtrees of equal height."""
        height, joined = 0, leaf_hash
        while self.peaks and self.peaks[-1][0] == height:
            joined = sha256(b"\x01" + self.peaks.pop()[1] + joined)
            height += 1
            if height % 8 == 0:
                self.levels.setdefault(height // 8, []).append(joined)
        self.peaks.append((height, joined))
        self.size += 1
        if self.size in self.roots:
            self.roots[self.size] = self.root()

    def root(self):
        """Return the root: the peaks joined from the right."""
        if not self.peaks:
            return sha256(b"")
        joined = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            joined = sha256(b"\x01" + peak + joined)
        return joined


def split_entries(data, path, width):
    """Return the entries of a file: each has its length before it, in two bytes."""
    entries, position = [], 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        need(position <= len(data), f"{path} ends in the middle of an entry")
        entries.append(data[start:position])
    same(len(entries), width, f"the number of entries in {path}")
    return entries


class Tiles:
    """Holds the tiles against the entries, so that a changed entry is named by its index."""

    def __init__(self, bundle):
        self.bundle, self.compared, self.faults = bundle, 0, []

    def compare(self, level, first, hashes):
        """Compare the tile that begins with this hash of the level, if the bundle has it."""
        path = tile_path(level, first // WIDTH, len(hashes))
        if path not in self.bundle:
            return
        data = self.bundle.raw(path)
        self.compared += 1
        if data == b"".join(hashes):
            return
        equal = (data[32 * n : 32 * n + 32] == hash_ for n, hash_ in enumerate(hashes))
        wrong = first + next((n for n, fits in enumerate(equal) if not fits), len(hashes))
        what = f"entry {wrong}" if level == 0 else f"the level {level} hash {wrong}"
        self.faults.append(f"{what} does not give the hash that stands in {path}")

    def verdict(self, levels):
        """Compare the tiles above level 0 and say how all of them came out."""
        for level, hashes in levels.items():
            for first in range(0, len(hashes), WIDTH):
                self.compare(level, first, hashes[first : first + WIDTH])
        need(not self.faults, "; ".join(self.faults[:3]))
        return f"{count(self.compared, 'tile holds', 'tiles hold')} the hashes of the entries"


# == 7 Entries =====================================================================================
#
# An entry is canonical JSON under 4 KB: who did what to what when, with digests, commitments and
# short facts.

KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}(?:\.[a-z][a-z0-9_-]{0,39}){1,4}", re.ASCII)
REFERENCE = re.compile(r"[a-z][a-z0-9_-]{0,39}:[!-~]{1,160}", re.ASCII)
LEAF_FIELDS = {"v", "type", "at", "actor", "subject", "digests", "commits"}


class Leaf:
    """One act on the log."""

    __slots__ = ("actor", "at", "commits", "digests", "facts", "index", "kind", "subject")

    def __init__(self, index, data):
        need(len(data) < 4096, f"it is {len(data)} bytes long")
        value = read_canonical(data, "it", QUICK)
        need(set(value) - {"facts"} == LEAF_FIELDS and value["v"] == 1, "it has other fields")
        self.index, self.kind = index, value["type"]
        self.actor, self.subject = value["actor"], value["subject"]
        need(KIND.fullmatch(self.kind), "it has no usable type")
        for name in (self.actor, self.subject):
            need(REFERENCE.fullmatch(name), "it has no usable actor and subject")
        self.at = seconds(value["at"], "its time")
        self.digests, self.commits = value["digests"], value["commits"]
        self.facts = value.get("facts", {})
        need(isinstance(self.facts, dict), "it has no usable facts")
        for part in (self.digests, self.commits):
            for digest in part.values():
                need(DIGEST.fullmatch(digest), "it has a digest that is none")

    @property
    def name(self):
        """What the act is about, without its kind: the reference of a proposal, a slug."""
        return self.subject.partition(":")[2]


# == 8 Signed results ==============================================================================
#
# A worker signs an in-toto Statement in a DSSE envelope. The key is the one on the log.

PAYLOAD_TYPE = "application/vnd.in-toto+json"
NOT_WORSE = "not_worse"


def open_envelope(data, where, worker):
    """Return the payload of an envelope that the worker's key signed."""
    envelope = read_canonical(data, where)
    same(envelope.get("payloadType"), PAYLOAD_TYPE, f"the payload type of {where}")
    payload = from_base64(envelope.get("payload"), f"the payload of {where}")
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key_id = hashlib.sha256(worker.key).hexdigest()
    for signature in envelope.get("signatures", []):
        if signature.get("keyid") == key_id:
            blob = from_base64(signature.get("sig"), f"the signature in {where}")
            need(ed25519_verifies(worker.key, message, blob), f"the signature in {where} is wrong")
            return payload
    raise Contradiction(f"{where} is not signed by the key of {worker.name} on the log")


def check_result(bundle, run, task, result, suites):
    """Check a result: signature, what it is about, and its figures from the scores.

    Return for each metric what `interval` finds in the scores; keep the scores with the result.
    """
    folder = f"runs/{run.name}/{task}"
    where = f"{folder}.dsse.json"
    payload = open_envelope(bundle.raw(where), where, result.worker)
    same(digest_of(payload), result.digests["statement"], f"the digest of the payload of {where}")
    statement = read_json(payload, where)
    stated = statement["predicate"]
    model = {"name": "model", "digest": {"sha256": run.version.partition(":")[2]}}
    all_same(
        where,
        ("_type", statement["_type"], "https://in-toto.io/Statement/v1"),
        ("subject", statement["subject"], [model]),
        ("run", stated["run"], run.name),
        ("attempt", stated["attempt"], result.attempt),
        ("worker", stated["evaluator"]["worker"], result.worker.name),
        ("organisation", stated["evaluator"]["organisation"], result.worker.organisation),
        ("suite", stated["suite"]["digest"], run.suite),
        ("task", stated["task"]["name"], task),
        ("model", stated["model"]["digest"], run.version),
        ("limit", stated["settings"]["limit"], run.limit),
        ("samples", "sha256:" + stated["samples"]["sha256"], result.digests["samples"]),
    )
    read_scores(bundle, f"{folder}.scores.json", result)
    found = {m: interval(scores, result.clusters) for m, scores in result.scores.items()}
    claims = {claim["metric"]: claim for claim in stated["aggregates"]}
    same(sorted(claims), sorted(found), f"the metrics in {where}")
    n = len(result.ids)
    same(stated["samples"]["rows"], n, f"the number of samples in {where}")
    for metric, (_, mean, stderr, low, high) in found.items():
        claim = claims[metric]
        same(claim["n"], n, f"n of {metric} in {where}")
        near(claim["mean"], mean, f"the mean of {metric} in {where}")
        near(claim.get("stderr"), stderr, f"the standard error of {metric} in {where}")
        if "low" in claim:  # workers of before this was stated left it to the server
            near(claim["low"], low, f"the lower bound of {metric} in {where}")
            near(claim["high"], high, f"the upper bound of {metric} in {where}")
    check_task(bundle, suites, run, task, stated, result)
    return found


def read_scores(bundle, path, result):
    """Keep with a result the ids of its samples, their clusters, and by metric their scores."""
    digest = result.digests.get("scores")
    if digest is None:
        raise NotEnough(f"the log has no digest of {path}, so its scores prove nothing")
    value = bundle.document(path, digest)
    metrics, rows, clusters = value["metrics"], value["rows"], value.get("clusters")
    need(rows and metrics, f"{path} holds no scores")
    ids = [row[0] for row in rows]
    need(all(map(int.__lt__, ids, ids[1:])), f"{path} has a sample twice or out of order")
    need(all(len(row) == 1 + len(metrics) for row in rows), f"{path} has a row without a score")
    if clusters is not None:
        numbers = len(clusters) == len(rows) and all(type(number) is int for number in clusters)
        need(numbers, f"{path} has a row without a cluster")
    result.ids, result.clusters = ids, clusters
    result.scores = {m: [float(row[c + 1]) for row in rows] for c, m in enumerate(metrics)}


def task_of(bundle, suites, run, task):
    """Return the entry of a task in the document of a run's suite."""
    subject = suites[run.suite].name.replace(":", "-")
    document = bundle.document(f"suites/{subject}.json", run.suite, LENIENT)
    return next(each for each in document["tasks"] if each["name"] == task)


def check_task(bundle, suites, run, task, stated, result):
    """Hold a result against the suite: this very task, and every item of it."""
    entry, n = task_of(bundle, suites, run, task), len(result.ids)
    if "data" in entry:
        expected = min(entry["data"]["rows"], run.limit or entry["data"]["rows"])
        same(n, expected, f"the number of samples of {run.name} {task}")
        data = [each["sha256"] for each in stated["dataset"]]
        same(data, [entry["data"]["sha256"]], f"the data of {run.name} {task}")
    same(sorted(entry["metrics"]), sorted(c["metric"] for c in stated["aggregates"]), "the metrics")
    together = entry.get("clustered", False)
    same(result.clusters is not None, together, f"whether samples of {task} come in clusters")


# == 9 The replay ==================================================================================
#
# All acts in the order of the log. Each is judged by what stood before it, as the rules of the
# house say; nothing is taken from a database, only from the entries and from documents whose
# digests they hold. That an administrator was one is not on the log, so it is not judged.

NEW, OLD, ANY = "its subject begins", "its subject is on the log", "it is about anything"
WRITTEN, SETTLED = ("draft", "deliberation"), ("deliberation", "final_text")
DISCUSSED, VOTED, ENDED = ("deliberation", "final_text", "voting"), ("voting",), ("decided",)
AMENDED = ("deliberation",)
JUDGED = ("triaged", "investigating", "mitigated", "closed", "rejected")


def act(group, subject, method=None, *, names=(), during=()):
    """Describe a kind of leaf: the line of the report that it belongs to, its subject, and more.

    `method` is that of Replay which judges it and keeps what follows from it, where there is more
    to it; `names` are those facts that name what must be on the log; `during` are the stages that
    a proposal must be in.
    """
    return Thing(group=group, subject=subject, method=method, names=names, during=during)


# A new kind of leaf is taught here.
KINDS = {
    "ledger.key.rotated": act("log", ANY, "key_rotated"),
    "ledger.log.closed": act("log", ANY, "log_closed"),
    "ledger.openings.erased": act("log", ANY),  # what was committed to only cannot be shown
    "accounts.organisation.admitted": act("people", NEW),
    "accounts.body.founded": act("people", NEW, "body_founded"),
    "accounts.member.appointed": act("people", OLD, "member_appointed"),
    "accounts.membership.ended": act("people", OLD, "membership_ended"),
    "accounts.affiliation.granted": act("people", OLD, "affiliation"),
    "accounts.affiliation.ended": act("people", OLD, "affiliation"),
    "accounts.evaluator.admitted": act("people", OLD, "evaluator"),
    "accounts.evaluator.ended": act("people", OLD, "evaluator"),
    "registry.model.registered": act("registry", NEW),
    "registry.version.registered": act("registry", NEW, "version_registered", names=["model"]),
    "registry.endpoint.registered": act("registry", NEW, names=["operator"]),
    "registry.deployment.registered": act("registry", NEW, names=["endpoint"]),
    "registry.descent.stated": act("registry", OLD, "descends"),
    "registry.description.written": act("registry", OLD, "described"),
    "registry.authorisation.granted": act("in force", ANY, "authorised"),
    "registry.authorisation.superseded": act("in force", ANY, "authorised"),
    "registry.authorisation.suspended": act("in force", ANY, "authorised"),
    "registry.authorisation.revoked": act("in force", ANY, "authorised"),
    "registry.authorisation.restored": act("in force", ANY, "authorised"),
    "registry.gate_key.adopted": act("registry", ANY, "gate_key"),
    "registry.gate_key.retired": act("registry", ANY, "gate_key"),
    "evals.suite.published": act("evals", NEW, "suite_published"),
    "evals.worker.enrolled": act("evals", NEW, "worker_enrolled", names=["organisation"]),
    "evals.worker.revoked": act("evals", OLD, "worker_changed"),
    "evals.worker.key_rotated": act("evals", OLD, "worker_changed"),
    "evals.worker.paused": act("evals", OLD, "worker_changed"),
    "evals.worker.resumed": act("evals", OLD, "worker_changed"),
    "evals.replication.requested": act("evals", NEW),  # its runs are judged as runs,
    "evals.replication.concluded": act("evals", OLD),  # their agreement is not
    "evals.criterion.recorded": act("evals", OLD, "criterion_recorded", during=WRITTEN),
    "evals.budget.allocated": act("evals", NEW, "budget_allocated", names=["body"]),
    "evals.budget.ended": act("evals", OLD, "budget_changed"),
    "evals.budget.restored": act("evals", OLD, "budget_changed"),
    "evals.run.requested": act("evals", NEW, "run_requested"),
    "evals.check.planned": act("evals", OLD, "check_planned"),
    "evals.check.ended": act("evals", OLD, "check_ended"),
    "evals.check.judged": act("evals", OLD, "check_judged"),
    "evals.run.cancelled": act("evals", OLD, "run_cancelled"),
    "evals.result.accepted": act("result", OLD, "result_accepted"),
    "evals.run.finished": act("evals", OLD, "run_finished"),
    "proposals.charter.adopted": act("charter", OLD, "charter_adopted"),
    "proposals.proposal.drafted": act("proposal", NEW, "drafted", names=["body", "deployment"]),
    "proposals.text.revised": act("text", OLD, "text_revised", during=WRITTEN),
    "proposals.stage.moved": act("proposal", OLD, "stage_moved"),
    "proposals.amendment.made": act("proposal", OLD, "amendment_made", during=AMENDED),
    "proposals.amendment.revised": act("proposal", OLD, "amendment_written", during=AMENDED),
    "proposals.amendment.withdrawn": act("proposal", OLD, "amendment_written", during=AMENDED),
    "proposals.amendment.accepted": act("proposal", OLD, "amendment_answered", during=AMENDED),
    "proposals.amendment.rejected": act("proposal", OLD, "amendment_answered", during=AMENDED),
    "proposals.amendment.put": act("proposal", OLD, "amendment_put", during=AMENDED),
    "proposals.support.given": act("proposal", OLD, "supported", during=WRITTEN + SETTLED),
    "proposals.support.withdrawn": act("proposal", OLD, "supported", during=WRITTEN + SETTLED),
    "proposals.attachment.added": act("proposal", OLD, "attached", during=WRITTEN),
    "proposals.attachment.removed": act("proposal", OLD, "attached", during=WRITTEN),
    "proposals.comment.made": act("proposal", OLD, "commit", during=DISCUSSED),
    "proposals.comment.hidden": act("proposal", OLD, "moderated"),
    "proposals.comment.restored": act("proposal", OLD, "moderated"),
    "proposals.argument.made": act("proposal", OLD, "argument_made", during=DISCUSSED),
    "proposals.argument.supported": act("proposal", OLD, "argued", during=DISCUSSED),
    "proposals.argument.support_withdrawn": act("proposal", OLD, "argued", during=DISCUSSED),
    "proposals.argument.hidden": act("proposal", OLD, "moderated"),
    "proposals.argument.restored": act("proposal", OLD, "moderated"),
    "proposals.opinion_statement.made": act("proposal", OLD, "commit", during=WRITTEN[1:]),
    "proposals.opinion_statement.hidden": act("proposal", OLD, "moderated"),
    "proposals.opinion_statement.restored": act("proposal", OLD, "moderated"),
    "proposals.opinions.mapped": act("proposal", OLD, "opinions_mapped"),
    "proposals.conflict.declared": act("proposal", OLD, "conflict_declared", during=SETTLED),
    "proposals.delegation.given": act("people", OLD, "delegation_given"),
    "proposals.delegation.revoked": act("people", OLD, "delegation_revoked"),
    "proposals.vote.opened": act("proposal", OLD, "vote_opened", during=VOTED),
    "proposals.lot.committed": act("proposal", OLD, "lot_committed"),
    "proposals.lot.revealed": act("proposal", OLD, "lot_revealed"),
    "proposals.ballot.cast": act("ballot", OLD, "ballot_cast", during=VOTED),
    "proposals.vote.tied": act("proposal", OLD, "vote_tied"),
    "proposals.casting.given": act("proposal", OLD, "casting_given"),
    "proposals.decision.made": act("proposal", OLD, "decision_made", during=ENDED),
    "proposals.minutes.adopted": act("people", OLD, "minutes_adopted"),
    "proposals.decision.annulled": act("proposal", OLD, "decision_annulled", during=ENDED),
    "proposals.vote.scheduled": act("proposal", OLD, "vote_scheduled", during=("final_text",)),
    "proposals.statement.made": act("proposal", OLD, "statement_made", during=ENDED),
    "proposals.suite.adopted": act("people", OLD, "suite_adopted"),
    "proposals.suite.dropped": act("people", OLD, "suite_dropped"),
    "incidents.incident.reported": act("incident", NEW, "incident_reported"),
    "incidents.incident.added": act("incident", OLD, "incident_added"),
    "incidents.incident.moved": act("incident", OLD, "incident_moved"),
    "incidents.incident.assessed": act("incident", OLD, "incident_handled", during=JUDGED),
    "incidents.incident.published": act("incident", OLD, "incident_handled", during=JUDGED),
    "incidents.incident.noted": act("incident", OLD, "incident_handled", during=JUDGED),
    "incidents.incident.answered": act("incident", OLD, "incident_handled"),
    "incidents.incident.linked": act("incident", OLD, "incident_linked"),
    "incidents.incident.unlinked": act("incident", OLD, "incident_linked"),
    "incidents.incident.hidden": act("incident", OLD, "incident_moderated"),
    "incidents.incident.restored": act("incident", OLD, "incident_moderated"),
    "incidents.incident.erased": act("incident", OLD, "incident_erased"),
}
KNOWN_FLOORS = ("ledger.", "accounts.", "registry.", "evals.", "proposals.", "incidents.")

# The lines of the report that all acts of a sort share.
GROUPS = {
    "form": ("entries", ("entry is", "entries are"), "{} canonical leaves under 4 KB"),
    "log": ("the log itself", ("act", "acts"), "{}: keys handed on, openings erased"),
    "people": ("people", ("act", "acts"), "{}: bodies, terms and roles follow on"),
    "charter": ("charters", ("charter", "charters"), "{}, each numbered and in full"),
    "registry": ("registry", ("act", "acts"), "{}: nothing named before it is there"),
    "evals": ("evaluations", ("act", "acts"), "{}: asked, run, signed in this order"),
    "result": ("results", ("result", "results"), "{}: signed, recomputed from scores"),
    "proposal": ("proposals", ("act", "acts"), "{}: by who may, in the stages' order"),
    "text": ("texts", ("revision", "revisions"), "{}, numbered, by their proposers"),
    "ballot": ("ballots", ("ballot", "ballots"), "{} cast: numbered, vote open"),
    "in force": ("in force", ("act", "acts"), "{} on authorisations, all decided"),
    "incident": ("incidents", ("act", "acts"), "{}: in the states' order, by clerks"),
}

# Which stage of a proposal follows which, and by whom.
MOVES = {
    ("draft", "deliberation"): ("proposer", "clerk"),
    ("draft", "withdrawn"): ("proposer",),
    ("deliberation", "final_text"): ("clerk",),
    ("deliberation", "withdrawn"): ("proposer",),
    ("final_text", "voting"): ("clerk", "system:clock"),
    ("final_text", "deliberation"): ("clerk",),
    ("final_text", "withdrawn"): ("proposer",),
    ("voting", "decided"): ("clerk", "system:clock"),
    ("voting", "annulled"): ("clerk",),
}
# Which state of an incident follows which.
INCIDENT_MOVES = {
    ("received", "triaged"),
    ("received", "rejected"),
    ("triaged", "investigating"),
    ("triaged", "mitigated"),
    ("triaged", "closed"),
    ("triaged", "rejected"),
    ("investigating", "mitigated"),
    ("investigating", "closed"),
    ("investigating", "rejected"),
    ("mitigated", "investigating"),
    ("mitigated", "closed"),
    ("closed", "investigating"),
    ("rejected", "triaged"),
}
GRACE_SECONDS = 5
"""Who may act is asked just before an act is written, so the end of a term may fall between."""

DISORDER_SECONDS = 300
"""Acts under way at once may be dated out of order by a little; more would be dating back."""


class Replay:
    """What the acts so far amount to."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.size, self.leaf, self.last_at, self.latest, self.unknown = 0, None, 0, 0, {}
        self.things = {}  # by its subject, what an act began: bodies, runs, proposals, …
        self.people, self.suites, self.runs, self.criteria = set(), {}, [], {}
        self.budgets = []
        self.rotations, self.closed, self.gate_keys = [], False, {}
        self.votes, self.outside, self.carried, self.supports = [], 0, set(), set()
        self.authorisations, self.changes, self.committed, self.sides = {}, [], {}, {}
        self.acts_of, self.annulments, self.unratified = {}, {}, set()
        self.groups = {name: Group(*GROUPS[name]) for name in GROUPS}

    def take(self, index, data):
        """Take the next entry."""
        self.size, self.leaf = index + 1, None
        self.groups["form"].take(f"entry {index}", self._read, index, data)
        leaf = self.leaf
        if leaf is None:
            return
        if leaf.kind in KINDS:
            kind = KINDS[leaf.kind]
            self.groups[kind.group].take(f"entry {index}, {leaf.kind}", self._judge, leaf, kind)
        else:
            self.unknown[leaf.kind] = self.unknown.get(leaf.kind, 0) + 1

    def _read(self, index, data):
        self.leaf = leaf = Leaf(index, data)
        if leaf.at < self.latest - DISORDER_SECONDS:
            says = f"it is dated {instant(leaf.at)}, long before entries that it follows"
            raise Contradiction(says)
        need(not self.closed, "the log was closed before")
        self.latest, self.last_at = max(self.latest, leaf.at), leaf.at

    def _judge(self, leaf, kind):
        for fact in kind.names:
            noun = "organisation" if fact == "operator" else fact
            if leaf.facts[fact] is not None:
                self.thing(f"{noun}:{leaf.facts[fact]}")
        thing = self.thing(leaf.subject) if kind.subject == OLD else None
        if kind.subject == NEW:
            need(leaf.subject not in self.things, f"{leaf.subject} is on the log before")
            same(leaf.subject.partition(":")[0], leaf.kind.split(".")[1], "what it is about")
            thing = Thing(name=leaf.name, index=leaf.index)
        if kind.during:
            need(thing.status in kind.during, f"it is in {thing.status}")
        if kind.method:
            getattr(self, kind.method)(leaf, thing)
        if kind.subject == NEW:
            self.things[leaf.subject] = thing

    def thing(self, subject):
        """Return what an earlier act began."""
        need(subject in self.things, f"{subject} is not on the log before")
        return self.things[subject]

    # -- The log itself

    def key_rotated(self, leaf, _):
        before, after = leaf.facts["from"], leaf.facts["to"]
        if self.rotations:
            same(before, self.rotations[-1][1], "the key that hands over")
        self.rotations.append((Key(before).vkey, Key(after).vkey, leaf.index))

    def log_closed(self, leaf, _):  # noqa: ARG002 - every method is called alike
        self.closed = True

    # -- People, bodies, charters

    def body_founded(self, leaf, body):
        body.zone = leaf.facts["time_zone"]
        body.seats, body.charters, body.delegations = {}, [], {}
        body.minutes, body.adoptions = {}, {}

    def member_appointed(self, leaf, body):
        facts, role, weight = leaf.facts, leaf.facts["role"], leaf.facts["weight"]
        need(facts["member"] not in body.seats, "this seat was given before")
        need(role in ("member", "chair", "clerk"), f"the role {role!r} is unknown")
        fits = isinstance(weight, int) and (weight == 0 if role == "clerk" else weight > 0)
        need(fits, f"a {role} does not weigh {weight!r}")
        starts, ends = seconds(facts["starts_at"]), end_of(facts["ends_at"])
        need(ends >= starts, "the term ends before it begins")
        for seat in body.seats.values():
            twice = seat.person == facts["person"] and (seat.role == "clerk") == (role == "clerk")
            apart = seat.ends <= starts or ends <= seat.starts
            need(apart or not twice, "this person has such a term at that time already")
        seat = Thing(person=facts["person"], role=role, weight=weight, since=leaf.at)
        seat.starts, seat.ends = starts, ends
        body.seats[facts["member"]] = seat

    def membership_ended(self, leaf, body):
        seat, ends = body.seats.get(leaf.facts["member"]), seconds(leaf.facts["ends_at"])
        need(seat is not None, "nobody has this seat")
        need(ends <= leaf.at + GRACE_SECONDS, "the end lies after the act that says it has ended")
        need(seat.ends >= ends, "this term had ended already")
        seat.ends = ends

    def affiliation(self, leaf, organisation):
        entry = (organisation.name, leaf.facts["person"], leaf.facts["role"])
        ends = leaf.kind.endswith("ended")
        need((entry in self.people) == ends, "it never was" if ends else "it was so already")
        self.people ^= {entry}

    def charter_adopted(self, leaf, body):
        number, digest = leaf.facts["number"], leaf.digests["charter"]
        same(number, len(body.charters) + 1, "the charter's number")
        if number > 1:
            by = self.decided(leaf, f"charter:{body.name}:{number}")
            back = by not in self.annulments or digest == body.charters[-2][1]
            need(back, "an annulment brings back another charter than the one before")
        body.charters.append((number, digest))
        path = f"bodies/{body.name}/charter-{number}.json"
        if path in self.bundle or self.bundle.about.get("kind") == "log":
            self.bundle.document(path, digest)

    def has_seat(self, body, leaf, *roles):
        """Say whether who acts has a term in one of these roles."""
        seats = self.thing(f"body:{body}").seats.values()
        mine = [seat for seat in seats if seat.person == leaf.actor and seat.role in roles]
        return any(in_term(seat, leaf.at, GRACE_SECONDS) for seat in mine)

    def evaluator(self, leaf, organisation):
        entry = (organisation.name, leaf.facts["body"], "evaluator by decision")
        ends = leaf.kind.endswith("ended")
        need((entry in self.people) == ends, "it never was" if ends else "it was so already")
        self.people ^= {entry}
        self.decided(leaf, leaf.subject)

    def admitted(self, proposal):
        """Return the evaluators that a body has admitted; None where it asks for none."""
        rules = self.rules_of(proposal) or {}
        if proposal.version is None or rules.get("evaluators") != "admitted":
            return None
        mine = (proposal.body, "evaluator by decision")
        return sorted(entry[0] for entry in self.people if entry[1:] == mine)

    def suite_adopted(self, leaf, body):
        """Criteria that a body asks from now on of everything that it would put into service."""
        suite = leaf.digests["suite"]
        need(suite in self.suites, "the suite is not published")
        name = self.suites[suite].name.partition(":")[0]
        need(name not in body.adoptions, "an earlier version of it is still adopted")
        by = self.decided(leaf, f"suite:{suite}")
        body.adoptions[name] = Thing(by=by, suite=suite, criteria=leaf.digests["criteria"])

    def suite_dropped(self, leaf, body):
        suite = leaf.digests["suite"]
        dropped = body.adoptions.pop(self.suites[suite].name.partition(":")[0], None)
        need(dropped and dropped.suite == suite, "it was not adopted")
        same(leaf.facts["adopted_by"], f"decision:{dropped.by}", "what had adopted it")
        self.decided(leaf, f"suite:{suite}")

    def decided(self, leaf, what):
        """Keep that a decision did something; at the end it must have been carried."""
        by = leaf.actor.partition("decision:")[2]
        need(by, f"{leaf.actor} is no decision")
        self.changes.append((leaf.index, by))
        self.acts_of.setdefault(by, []).append(what)
        return by

    # -- Models and their versions

    def version_registered(self, leaf, version):
        same(version.name, leaf.digests["manifest"], "the version's name")
        self.bundle.document_if_here(f"versions/{version.name[7:]}.json", version.name)

    def gate_key(self, leaf, _):
        """Keys of the gate are adopted once and retired once, each after the other."""
        key, adopts = ed25519_key(leaf.facts["key"]).hex(), leaf.kind.endswith("adopted")
        same(self.gate_keys.get(key), None if adopts else "adopted", "what the key was before")
        self.gate_keys[key] = leaf.kind.rsplit(".", 1)[1]

    def descends(self, leaf, version):
        """What a version was made from is on the log, and was not made from it."""
        parent = self.thing(f"version:{leaf.digests['parent']}")
        parents = version.parents = getattr(version, "parents", [])
        need(parent.name not in [each.name for each in parents], "it was stated before")
        above = [parent]
        for each in above:
            need(each is not version, "a version would be its own ancestor")
            above += [more for more in getattr(each, "parents", []) if more not in above]
        parents.append(parent)

    def described(self, leaf, what):
        what.described = getattr(what, "described", 0) + 1
        same(leaf.facts["number"], what.described, "the number of the description")
        kind, _, name = leaf.subject.partition(":")
        path = f"descriptions/{kind}/{name.replace('sha256:', '')}-{what.described}.json"
        document = self.bundle.document_if_here(path, leaf.digests["description"])
        if document is not None and kind == "endpoint":
            stated = document.get("version") or None
            same(stated, leaf.digests.get("version"), "the version that the endpoint claims")

    # -- Suites, workers, criteria, runs, results

    def suite_published(self, leaf, suite):
        digest, suite.tasks = leaf.digests["document"], leaf.facts["tasks"]
        need(digest not in self.suites, "this suite was published before")
        self.suites[digest], suite.by = suite, leaf.actor
        path = f"suites/{suite.name.replace(':', '-')}.json"
        self.bundle.document_if_here(path, digest, LENIENT)

    def check_planned(self, leaf, version):
        need(leaf.digests["suite"] in self.suites, "its suite is not on the log before")
        need(not getattr(version, "checked", False), "the version is being checked already")
        version.checked = version.was_checked = True
        # A round under way when its plan ends is still judged, by that plan's share.
        version.agreements = {*getattr(version, "agreements", ()), leaf.facts["agreement"]}

    def check_ended(self, leaf, version):  # noqa: ARG002 - every method is called alike
        need(getattr(version, "checked", False), "the version is not being checked")
        version.checked = False

    def check_judged(self, leaf, version):
        """What was found follows from what was counted; the answers are with the runs."""
        need(getattr(version, "was_checked", False), "no check of the version was planned")
        digest = leaf.digests["findings"]
        document = self.bundle.document_if_here(f"checks/{digest[7:]}.json", digest)
        if document is None:
            return
        findings = document["findings"]
        verdicts = [found["verdict"] for found in findings]
        silent = verdicts.count("unanswered")
        counted = {"compared": len(findings) - silent, "alarms": silent + verdicts.count("differs")}
        for name, number in counted.items():
            same(leaf.facts[name], number, f"the number of findings that are {name}")
        for found in findings:
            self.check_found(found, version)
        fits = any(all(found_follows(f, share) for f in findings) for share in version.agreements)
        need(fits, "a verdict is not what its counts give")

    def check_found(self, found, version):
        """A finding names endpoints and runs that stand on the log, of the version checked."""
        for name in ("endpoint", "beside"):
            known = found[name] in ("", "weights") or f"endpoint:{found[name]}" in self.things
            need(known, f"there is no endpoint {shown(found[name])} on the log")
        for ref in (found["run"], found.get("beside_run", "")):
            if ref:
                same(
                    self.thing(f"run:{ref}").version, version.name, f"the version that {ref} asked"
                )

    def worker_enrolled(self, leaf, worker):
        worker.key, worker.revoked = ed25519_key(leaf.facts["public_key"]), False
        worker.organisation = leaf.facts["organisation"]

    def worker_changed(self, leaf, worker):
        """Rotated keys sign from here on; a pause changes nothing that is judged here."""
        need(not worker.revoked, "its key was revoked before")
        if leaf.kind == "evals.worker.key_rotated":
            same(leaf.facts["before"], worker.key.hex(), "the key before")
            worker.key = ed25519_key(leaf.facts["public_key"])
        worker.revoked = leaf.kind == "evals.worker.revoked"

    def criterion_recorded(self, leaf, proposal):
        by = leaf.actor.partition("decision:")[2]
        if by:
            standing = [adopted.by for adopted in proposal.adopted.values()]
            need(by in standing, f"decision {by} asks nothing of it")
        else:
            may = self.has_seat(proposal.body, leaf, "member", "chair", "clerk")
            may = may or proposal.proposer == leaf.actor
            need(may, f"{leaf.actor} has no seat in {proposal.body}")
        need(leaf.digests["suite"] in self.suites, "its suite is not published")
        admitted = self.admitted(proposal)
        if admitted is not None and not by:
            suite, body = leaf.digests["suite"], self.thing(f"body:{proposal.body}")
            theirs = any(
                (org, self.suites[suite].by, "evaluator") in self.people for org in admitted
            )
            adopted = suite in [each.suite for each in body.adoptions.values()]
            need(theirs or adopted, "its suite is of no evaluator that the body has admitted")
        names = ("task", "metric", "comparison", "threshold", "must_pass")
        asked = {"suite": leaf.digests["suite"], **{name: leaf.facts[name] for name in names}}
        need(asked["comparison"] in ("at_least", "below", NOT_WORSE), "its comparison is unknown")
        if asked["comparison"] == NOT_WORSE:
            asked["beside"] = leaf.digests["beside"]
            self.thing(f"version:{asked['beside']}")
        criterion = Thing(index=leaf.index, asked=asked, by=by)
        self.criteria.setdefault(leaf.subject, []).append(criterion)

    def run_requested(self, leaf, run):
        run.suite, run.version = leaf.digests["suite"], leaf.digests["version"]
        run.limit, run.state, run.ended, run.results = leaf.facts["limit"], "", None, {}
        need(run.suite in self.suites, "its suite is not published")
        self.thing(f"version:{run.version}")
        run.budget = leaf.facts.get("budget")
        if run.budget is not None:
            need(self.thing(run.budget).stands, "its budget does not stand")
            need(leaf.at <= self.thing(run.budget).until, "the time of its budget is over")
        self.runs.append(run)

    def run_cancelled(self, leaf, run):
        self.running(leaf, run)
        if leaf.actor == "system:budget":
            same(leaf.facts["budget"], run.budget, "the budget that is spent")

    def budget_allocated(self, leaf, budget):
        """Hours that a body votes for its evaluations; one budget stands at a time."""
        budget.body, budget.hours = leaf.facts["body"], leaf.facts["hours"]
        budget.until, budget.stands = seconds(leaf.facts["until"]), True
        self._require_one_budget(budget)
        same(self.decided(leaf, leaf.subject), budget.name, "what allocates it")
        self.budgets.append(budget)

    def budget_changed(self, leaf, budget):
        restores = leaf.kind.endswith("restored")
        need(budget.stands != restores, "it says so already")
        by = self.decided(leaf, leaf.subject)
        same(leaf.facts["by"], f"decision:{by}", "what changes it")
        budget.stands = restores
        if restores:
            self._require_one_budget(budget)

    def _require_one_budget(self, budget):
        others = [b for b in self.budgets if b is not budget and b.body == budget.body and b.stands]
        need(not others, "another budget of the body still stands")

    def running(self, leaf, run):  # noqa: ARG002
        need(not run.state, f"this run has {run.state} before")

    def result_accepted(self, leaf, run):
        self.running(leaf, run)
        task, worker = leaf.facts["task"], self.thing(leaf.actor)
        need(not worker.revoked, f"the key of {leaf.actor} was revoked before")
        need(task not in run.results, f"{task} has a result already")
        result = Thing(attempt=leaf.facts["attempt"], worker=worker, metrics=None)
        result.digests, run.results[task] = leaf.digests, result
        envelope = f"runs/{run.name}/{task}.dsse.json"
        self.bundle.used.update([envelope, f"runs/{run.name}/{task}.scores.json"])
        if self.bundle.about.get("kind") == "log" or envelope in self.bundle:
            result.metrics = check_result(self.bundle, run, task, result, self.suites)

    def run_finished(self, leaf, run):
        self.running(leaf, run)
        run.state, run.ended = leaf.facts["state"], leaf.at
        if run.state == "succeeded":
            same(len(run.results), self.suites[run.suite].tasks, "the number of results")

    # -- Proposals

    def drafted(self, leaf, proposal):
        vars(proposal).update({name: leaf.facts[name] for name in ("body", "type", "deployment")})
        proposal.version, proposal.proposer = leaf.digests.get("version"), leaf.actor
        proposal.status, proposal.opened, proposal.final = "draft", None, None
        proposal.revisions, proposal.ballots, proposal.recused = [], {}, set()
        proposal.amendments, proposal.supporters, proposal.files = {}, set(), set()
        proposal.vote = proposal.lot = proposal.seed = None
        proposal.casting = proposal.casting_until = None
        proposal.target = leaf.facts.get("target", "").partition(":")[2]
        proposal.origin = leaf.facts.get("origin", "person")
        proposal.scheduled, proposal.annulled = None, None
        proposal.amends, proposal.took = None, None
        body = self.thing(f"body:{proposal.body}")
        proposal.adopted = dict(body.adoptions) if proposal.type in GRANTING else {}
        need(body.charters, "its body has no charter")
        self._require_proposer(leaf, proposal)
        if proposal.version is not None:
            self.thing(f"version:{proposal.version}")
        if proposal.target:
            target = self.thing(f"proposal:{proposal.target}")
            same(target.body, proposal.body, "the body whose decision it is about")
            need(target.status == "decided", "what it is about is not decided")

    def _require_proposer(self, leaf, proposal):
        """Members propose, or whom the charter names; the clock a renewal, in time."""
        if proposal.origin == "clock":
            granted = self.authorisations.get(proposal.target)
            is_renewal = leaf.actor == "system:clock" and proposal.type == "renew_authorisation"
            need(is_renewal and granted, "the clock drafts nothing but renewals")
            earliest = granted.ends - (granted.ends - granted.starts) / 2
            earliest = min(earliest, self.thing(f"proposal:{proposal.target}").review)
            need(leaf.at >= earliest, "it was drafted long before the end")
            return
        rules, roles = self.rules_of(proposal), ["member", "chair"]
        if rules is None or rules.get("proposers") == "anyone":
            return
        by_clerks = proposal.origin == "emergency" or proposal.type == "amend_text"
        if rules.get("proposers") == "members_and_clerks" or by_clerks:
            roles.append("clerk")
        may = self.has_seat(proposal.body, leaf, *roles)
        need(may, f"{leaf.actor} has no seat in {proposal.body}")

    def is_proposer(self, leaf, proposal):
        """Say whether who acts made the proposal; a clerk takes up what the clock drafted."""
        if proposal.origin == "clock" and self.has_seat(proposal.body, leaf, "clerk"):
            return True
        return leaf.actor == proposal.proposer

    def in_scope(self, proposal):
        """Say whether the bundle is about this proposal's decision."""
        about = self.bundle.about
        whole = about.get("kind") not in ("decision", "deployment")
        return whole or about in (
            {"kind": "decision", "ref": proposal.name},
            {"kind": "deployment", "slug": proposal.deployment},
        )

    def text_revised(self, leaf, proposal):
        number, digest = leaf.facts["number"], leaf.digests["text"]
        number_of = leaf.facts.get("amendment")
        if number_of is None:
            need(self.is_proposer(leaf, proposal), f"{leaf.actor} is not who writes it")
        else:
            need(number_of in proposal.amendments, f"there is no amendment {number_of}")
            self._require_taker(leaf, proposal, number_of)
        same(number, len(proposal.revisions) + 1, "the revision's number")
        proposal.revisions.append((number, digest))
        folder = f"proposals/{proposal.name}"
        text = self.bundle.document_if_here(f"{folder}/text-{number}.json", digest)
        if number_of is not None and text is not None:
            edits, base = proposal.amendments[number_of].edits, proposal.revisions[-2]
            old = self.bundle.document(f"{folder}/text-{number - 1}.json", base[1])
            check_amended(old, text, edits, proposal.amendments[number_of].base == base[1])

    def _require_taker(self, leaf, proposal, number):
        """Who takes an amendment over: the proposer, a clerk, or the vote it was put to."""
        vote = self.things.get(f"proposal:{leaf.actor.partition(':')[2]}")
        if leaf.actor.startswith("decision:"):
            need(vote is not None, f"there is no {leaf.actor}")
            same(vote.amends, (proposal.name, number), "the amendment that the vote was about")
            need(vote.status == "voting" and not vote.took, "that vote has ended before")
            vote.took = (proposal.name, number, leaf.facts["number"], leaf.digests["text"])
        else:
            self.amendment_answered(leaf, proposal, number)

    # An amendment is known by its number; who asked for it is kept.

    def amendment_made(self, leaf, proposal):
        same(leaf.facts["number"], len(proposal.amendments) + 1, "the number of the amendment")
        may = self.has_seat(proposal.body, leaf, "member", "chair")
        need(may, f"{leaf.actor} has no seat in {proposal.body}")
        proposal.amendments[leaf.facts["number"]] = Thing(author=leaf.actor, base=None, edits=None)
        self.amendment_written(leaf, proposal)

    def amendment_written(self, leaf, proposal):
        amendment = proposal.amendments.get(leaf.facts["number"])
        same(leaf.actor, amendment and amendment.author, "whose amendment it is")
        self.commit(leaf, proposal)
        if "amendment" in leaf.digests:
            amendment.base = leaf.digests["base"]
            known = any(digest == amendment.base for _, digest in proposal.revisions)
            need(known, "the text that it amends is not on the log")
            name = f"amendment-{leaf.facts['number']}-{leaf.facts['version']}.json"
            path, digest = f"proposals/{proposal.name}/{name}", leaf.digests["amendment"]
            document = self.bundle.document_if_here(path, digest)
            amendment.edits = None if document is None else document["edits"]

    def amendment_answered(self, leaf, proposal, number=None):
        need((number or leaf.facts["number"]) in proposal.amendments, "there is no such amendment")
        may = leaf.actor == proposal.proposer or self.has_seat(proposal.body, leaf, "clerk")
        need(may, f"{leaf.actor} is neither the proposer nor a clerk")
        self.commit(leaf, proposal)

    def amendment_put(self, leaf, proposal):
        amendment = proposal.amendments.get(leaf.facts["number"])
        need(amendment is not None, "there is no such amendment")
        may = leaf.actor == amendment.author or self.has_seat(proposal.body, leaf, "clerk")
        need(may, f"{leaf.actor} is neither the author nor a clerk")
        vote = self.thing(f"proposal:{leaf.facts['vote']}")
        same((vote.type, vote.amends), ("amend_text", None), "what it is put to a vote by")
        vote.amends = (proposal.name, leaf.facts["number"])

    def supported(self, leaf, proposal):
        """A member is for a proposal once, until they take it back."""
        seats, is_given = self.thing(f"body:{proposal.body}").seats, leaf.kind.endswith("given")
        need(leaf.actor in seats, f"{leaf.actor} has no seat")
        need((leaf.actor in proposal.supporters) != is_given, "it says so already")
        proposal.supporters ^= {leaf.actor}

    def attached(self, leaf, proposal):
        """A file is part of a text once, until it is taken off."""
        file, is_added = leaf.digests["file"], leaf.kind.endswith("added")
        need(self.is_proposer(leaf, proposal), f"{leaf.actor} is not who attaches files")
        need((file in proposal.files) != is_added, "it is so already")
        proposal.files ^= {file}
        path = file_path(proposal, file)
        if path in self.bundle:
            same(digest_of(self.bundle.raw(path)), file, f"the SHA-256 of {path}")
        self.commit(leaf, proposal)

    def stage_moved(self, leaf, proposal):
        before, after = leaf.facts["from"], leaf.facts["to"]
        same(before, proposal.status, "the stage it moves from")
        need((before, after) in MOVES, f"no move leads from {before} to {after}")
        who, proposal.status = MOVES[before, after], after
        proposal.ended_by = leaf.actor if after in ("withdrawn", "annulled") else None
        if after == "deliberation" and proposal.opened is None:
            proposal.opened = leaf.at
            self._require_seconders(leaf, proposal)
        if after == "final_text":
            proposal.final, rules = leaf.at, self.rules_of(proposal)
            hours = 0 if rules is None else rules["deliberation_hours"]
            earliest = proposal.opened + 3600 * hours
            need(leaf.at >= earliest, f"deliberation lasts until {instant(earliest)}")
        if after == "deliberation":
            proposal.scheduled = None
        if after == "voting" and leaf.actor == "system:clock":
            need(leaf.at >= (proposal.scheduled or NEVER), "the clock was not to open it yet")
        may = (
            leaf.actor in who
            or ("proposer" in who and self.is_proposer(leaf, proposal))
            or ("clerk" in who and self.has_seat(proposal.body, leaf, "clerk"))
            or (after == "decided" and self.gave_casting_vote(proposal, leaf.actor))
        )
        need(may, f"{leaf.actor} may not move {proposal.name} from {before} to {after}")

    def gave_casting_vote(self, proposal, person):
        seats = self.thing(f"body:{proposal.body}").seats
        return proposal.casting is not None and seats[proposal.casting[0]].person == person

    def _require_seconders(self, leaf, proposal):
        """As many other members as the charter asks for support it, or all there are."""
        rules, seats = self.rules_of(proposal), self.thing(f"body:{proposal.body}").seats
        if rules is None or proposal.origin != "person" or proposal.type == "amend_text":
            return
        others = {
            member
            for member, seat in seats.items()
            if seat.role != "clerk" and in_term(seat, leaf.at) and seat.person != proposal.proposer
        }
        asked = min(rules.get("seconders", 0), len(others))
        found = len(others & proposal.supporters)
        need(found >= asked, f"{found} members supported it, and the charter asks for {asked}")

    def rules_of(self, proposal):
        """Return what the charter of this moment says about such proposals, if it is here."""
        number, digest = self.thing(f"body:{proposal.body}").charters[-1]
        path = f"bodies/{proposal.body}/charter-{number}.json"
        charter = self.bundle.document_if_here(path, digest)
        return None if charter is None else rules_for(charter, proposal.type)

    def conflict_declared(self, leaf, proposal):
        """Who declares a conflict before the vote steps off its roll."""
        seats = self.thing(f"body:{proposal.body}").seats
        need(leaf.actor in seats, f"{leaf.actor} has no seat")
        proposal.recused.add(leaf.actor)
        self.commit(leaf, proposal)

    def delegation_given(self, leaf, body):
        giver, to = leaf.actor, leaf.facts["to"]
        need(giver in body.seats and to in body.seats, "one of the two has no seat")
        need(giver not in body.delegations, "an earlier delegation stands")
        body.delegations[giver] = to
        need(giver not in chain(body.delegations, to), "the delegations go in a circle")

    def delegation_revoked(self, leaf, body):
        """A delegation holds for votes opened later; taking it back holds for open ones, too."""
        giver, to = leaf.actor, leaf.facts["to"]
        same(body.delegations.pop(giver, None), to, "whom the member had delegated to")
        for vote in self.votes:
            proposal = vote.proposal
            is_open = proposal.status == "voting" and proposal.casting_until is None
            if proposal.body == body.name and is_open and leaf.at < vote.closes:
                vote.delegations.pop(giver, None)

    def minutes_adopted(self, leaf, body):
        """A clerk adopts the versions of one number one after the other; none is adopted twice."""
        need(self.has_seat(body.name, leaf, "clerk"), f"{leaf.actor} is no clerk of the body")
        last = body.minutes.get(leaf.facts["number"], 0)
        need(leaf.facts["version"] > last, "this version of the minutes was adopted before")
        body.minutes[leaf.facts["number"]] = leaf.facts["version"]
        need(leaf.digests["minutes"], "it has no digest of the minutes")

    def commit(self, leaf, _):
        self.committed[leaf.index] = leaf.commits

    def moderated(self, leaf, proposal):
        may = self.has_seat(proposal.body, leaf, "clerk")
        need(may, f"{leaf.actor} is no clerk of the body")
        self.committed[leaf.index] = leaf.commits

    def argument_made(self, leaf, proposal):
        """The log says on which side an argument is; its words are opened beside it."""
        need(leaf.facts["side"] in ("for", "against"), "it is on no side")
        self.sides[leaf.index] = leaf.facts["side"]
        self.commit(leaf, proposal)

    def argued(self, leaf, _):
        """One person supports an argument once, until they take it back."""
        support, stands = (leaf.facts["argument"], leaf.actor), leaf.kind.endswith(".supported")
        need((support in self.supports) != stands, "it is counted twice, or was never there")
        (self.supports.add if stands else self.supports.remove)(support)

    def opinions_mapped(self, leaf, proposal):
        """A map is published after the deliberation; whoever has its input draws it again."""
        same(leaf.actor, "system:clock", "who publishes it")
        need(proposal.status not in WRITTEN, f"it is in {proposal.status}")
        need({"input", "map"} <= set(leaf.digests), "a digest is missing")

    # -- Votes

    def vote_opened(self, leaf, proposal):
        need(proposal.vote is None, "this proposal had a vote before")
        proposal.vote = Vote(self, proposal, leaf)
        if self.in_scope(proposal):
            self.votes.append(proposal.vote)
            proposal.vote.check_contract()
        else:
            self.outside += 1

    def lot_committed(self, leaf, proposal):
        """A lot's seed is committed to before the vote opens, and shown when it has ended."""
        need(proposal.vote is None and proposal.lot is None, "too late, or for the second time")
        proposal.lot = leaf.digests["seed"]

    def lot_revealed(self, leaf, proposal):
        seed = leaf.facts["seed"]
        same(digest_of(seed.encode()), proposal.lot, "what the seed was committed to as")
        need(proposal.vote.outcome is None and proposal.seed is None, "it was shown before")
        proposal.seed = seed

    def ballot_cast(self, leaf, proposal):
        need(proposal.casting_until is None, "the vote was over: tied")
        vote = proposal.vote
        same(leaf.digests["contract"], vote.digest, "the contract that the ballot names")
        if leaf.at >= vote.closes:
            says = f"cast {instant(leaf.at)}, and the close was {instant(vote.closes)}"
            raise Contradiction(f"the ballot is late: {says}")
        need(leaf.at >= vote.opens, "the ballot was cast before the opening")
        known = vote.roll is None or leaf.actor in vote.roll
        need(known, f"{leaf.actor} is not on the roll of {proposal.name}")
        number = proposal.ballots.get(leaf.actor, (0,))[0] + 1
        same(leaf.facts["number"], number, f"the number of the ballot of {leaf.actor}")
        proposal.ballots[leaf.actor] = (number, leaf.index, leaf.commits["choice"])

    def vote_tied(self, leaf, proposal):
        """A tied vote waits for the chair, and takes no more ballots."""
        same(leaf.digests["contract"], proposal.vote.digest, "the contract that it names")
        need(proposal.casting_until is None, "it was tied before")
        proposal.casting_until = seconds(leaf.facts["casting_until"])

    def casting_given(self, leaf, proposal):
        same(leaf.digests["contract"], proposal.vote.digest, "the contract that it names")
        need(leaf.at < (proposal.casting_until or 0), "the chair was not asked, or too late")
        need(proposal.casting is None, "the chair has spoken before")
        proposal.casting = (leaf.actor, leaf.commits["choice"])

    def vote_scheduled(self, leaf, proposal):
        """A clerk sets when the clock opens the vote."""
        may = self.has_seat(proposal.body, leaf, "clerk")
        need(may, f"{leaf.actor} is no clerk of the body")
        proposal.scheduled = seconds(leaf.facts["opens_at"])

    def decision_annulled(self, leaf, proposal):
        """A decision counts as never made; what it did is taken back in the entries after this."""
        by, actor = leaf.facts["by"].partition(":")[2], leaf.actor.partition("decision:")[2]
        same(leaf.digests["decision"], proposal.vote.decided, "the decision that it annuls")
        need(proposal.annulled is None, "it was annulled before")
        if actor:
            same(by, actor, "what annuls it")
            same(self.thing(f"proposal:{by}").target, proposal.name, "what that is about")
        else:
            same(by, proposal.name, "whose annulment this is")
            may = self.has_seat(proposal.body, leaf, "clerk")
            need(may, f"{leaf.actor} is no clerk of the body")
        proposal.annulled, self.annulments[by] = by, proposal.name
        self.commit(leaf, proposal)

    def statement_made(self, leaf, proposal):
        """Reasons by a clerk; what a member says about a vote by who was on its roll."""
        vote, kind = proposal.vote, leaf.facts["kind"]
        same(leaf.digests["decision"], vote.decided, "the decision that it is about")
        if kind == "reasons":
            may = self.has_seat(proposal.body, leaf, "clerk")
            need(may, f"{leaf.actor} is no clerk of the body")
        elif vote.choices is not None:
            choice = vote.choices.get(leaf.actor)
            need(choice is not None, f"no vote of {leaf.actor} was counted")
            lost = ("no", "object") if vote.outcome == "carried" else ("yes", "consent")
            fits = kind != "dissent" or choice in lost or choice == "ranked"
            need(fits, f"{leaf.actor} dissents and was not on the losing side")
        self.commit(leaf, proposal)

    def decision_made(self, leaf, proposal):
        need(proposal.vote.outcome is None, "the vote was decided before")
        proposal.review = end_of(leaf.facts.get("review_at"))
        proposal.vote.decide(leaf)
        proposal.ballots = {}

    # -- Incidents

    def incident_reported(self, leaf, incident):
        same(leaf.actor, "public:reporter", "who reports")
        incident.status, incident.body, incident.links = "received", leaf.facts["body"], set()
        incident.hidden, incident.erased = False, False
        if incident.body is not None:
            self.thing(f"body:{incident.body}")
        self.committed[leaf.index] = leaf.commits

    def incident_added(self, leaf, incident):
        same(leaf.actor, "public:reporter", "who adds to a report")
        need(not incident.erased, "the report was erased before")
        self.committed[leaf.index] = leaf.commits

    def incident_handled(self, leaf, incident):
        """A clerk of its body acts; one that no body has is taken up by whoever acts first."""
        body = leaf.facts["body"]
        same(body, incident.body or body, "the body that handles it")
        may = body is not None and self.has_seat(body, leaf, "clerk")
        need(may, f"{leaf.actor} is no clerk of the body")
        incident.body = body
        self.committed[leaf.index] = leaf.commits

    def incident_moved(self, leaf, incident):
        before, after = leaf.facts["from"], leaf.facts["to"]
        same(before, incident.status, "the state it moves from")
        need((before, after) in INCIDENT_MOVES, f"no move leads from {before} to {after}")
        self.incident_handled(leaf, incident)
        incident.status = after

    def incident_linked(self, leaf, incident):
        """To what it is about by a clerk; to a proposal by whoever drafted that."""
        to, stands = leaf.facts["to"], leaf.kind.endswith(".linked")
        target = self.thing(to)
        need((to in incident.links) != stands, "it says so already")
        incident.links ^= {to}
        if leaf.facts.get("kind") == "review":
            same(leaf.actor, target.proposer, "who drafted the proposal")
            self.committed[leaf.index] = leaf.commits
        else:
            self.incident_handled(leaf, incident)

    def incident_moderated(self, leaf, incident):
        hides = leaf.kind.endswith(".hidden")
        need(incident.hidden != hides, "it says so already")
        self.incident_handled(leaf, incident)
        incident.hidden = hides

    def incident_erased(self, leaf, incident):
        same(leaf.actor, "system:operator", "who erases")
        need(not incident.erased, "it was erased before")
        incident.erased = True

    # -- Authorisations

    def authorised(self, leaf, _):
        ref, word = leaf.name, leaf.kind.rsplit(".", 1)[1]
        known = self.authorisations.get(ref)
        if word == "suspended" and not leaf.actor.startswith("decision:"):
            self._suspended_at_once(leaf, known)
            return
        if word == "restored" and not leaf.actor.startswith("decision:"):
            self._called_off(leaf, known)
            return
        by = self.decided(leaf, leaf.subject)
        if known is None:
            same((word, by), ("granted", ref), "how the authorisation begins")
            self._granted(leaf, ref)
            return
        self._require_change(leaf, known, word, by)
        state = known.state_at(leaf.at)
        ratified = word == state == "suspended" and known.until < NEVER
        if not ratified:
            known.before = state
        known.state, known.by = STATES[word], by
        known.until = end_of(leaf.facts.get("until"))

    def _granted(self, leaf, ref):
        granted = Authorisation(version=leaf.digests["version"], state="granted", by=ref)
        granted.index, granted.before, granted.until = leaf.index, None, NEVER
        granted.deployment = leaf.facts["deployment"]
        granted.conditions = leaf.digests.get("conditions")
        granted.starts = seconds(leaf.facts["starts_at"])
        granted.ends, granted.was_suspended_at_once = end_of(leaf.facts["ends_at"]), False
        for other, standing in self.authorisations.items():
            apart = standing.deployment != granted.deployment or standing.state not in STANDING
            need(apart, f"{other} still stands for {granted.deployment}")
        self.authorisations[ref] = granted

    def _require_change(self, leaf, known, word, by):
        """What stands can be changed; what does not only comes back by an annulment."""
        state = known.state_at(leaf.at)
        if by in self.annulments:
            annulled = self.annulments[by]
            own = annulled in (known.by, leaf.name)
            need(own, f"the annulment of {annulled} changes what that did not do")
            due = "revoked" if leaf.name == annulled else known.before
            same(STATES[word], due, "what it is again")
            return
        need(state in STANDING, f"it was {known.state} before")
        if word == "restored":
            unratified = known.until < NEVER and known.by == by
            need(unratified, "nothing but a suspension that was not ratified is lifted so")
            self.changes.pop()
            self.unratified.add(by)

    def _suspended_at_once(self, leaf, known):
        """In an emergency whom the charter names suspends alone, until the charter's time."""
        need(known is not None and known.state_at(leaf.at) == "granted", "it was not in force")
        need(not known.was_suspended_at_once, "it was suspended at once before")
        proposal = self.thing(leaf.facts["by"])
        asked = (proposal.origin, proposal.target, proposal.proposer, proposal.status)
        same(asked, ("emergency", leaf.name, leaf.actor, "deliberation"), "what asks to ratify it")
        known.until, rules = seconds(leaf.facts["until"]), self.rules_of(proposal)
        if rules is not None:
            who = rules.get("emergency", "none")
            roles = [role for role in ("clerk", "chair") if role in who.split("_or_")]
            may = self.has_seat(proposal.body, leaf, *roles)
            need(may, f"the charter does not let {leaf.actor} suspend it")
            late = leaf.at + 3600 * rules.get("emergency_hours", 336) - known.until
            need(0 <= late <= GRACE_SECONDS, "it lapses at another time than the charter says")
        known.state, known.before, known.by = "suspended", "granted", proposal.name
        known.was_suspended_at_once = True
        self.commit(leaf, None)

    def _called_off(self, leaf, known):
        """Who ends what would have ratified a suspension lifts it, too."""
        need(known is not None, "it was never authorised")
        proposal = self.thing(leaf.facts["by"])
        asks = (proposal.origin, proposal.target, proposal.name)
        same(asks, ("emergency", leaf.name, known.by), "what asked to ratify it")
        same(leaf.actor, proposal.ended_by, "who ended what would have ratified it")
        need(known.state_at(leaf.at) == "suspended" and known.until < NEVER, "it was not suspended")
        known.state, known.before, known.until = "granted", "suspended", NEVER


class Authorisation(Thing):
    """What a decision allowed, and what has become of it."""

    def state_at(self, moment):
        """Return the state at a moment: a suspension at once lapses by the clock alone."""
        lapsed = self.state == "suspended" and moment >= self.until
        return "granted" if lapsed else self.state


STATES = {
    "granted": "granted",
    "restored": "granted",
    "suspended": "suspended",
    "revoked": "revoked",
    "superseded": "superseded",
}
GRANTING = ("authorise_deployment", "renew_authorisation")
FOLLOWS = {
    "renew_authorisation": "authorise_deployment",
    "suspend_authorisation": "authorise_deployment",
    "retire_deployment": "authorise_deployment",
    "adopt_suite": "authorise_deployment",
    "amend_charter": "authorise_deployment",
    "admit_evaluator": "general_motion",
    "annul_decision": "authorise_deployment",
    "amend_text": "general_motion",
    "allocate_compute": "authorise_deployment",
}
"""Whose rules hold where a charter has none of a type's own."""


def rules_for(charter, kind):
    """Return the rules of a charter for a type of decision."""
    return charter[kind] if kind in charter else charter[FOLLOWS.get(kind, kind)]


def check_amended(old, new, edits, is_base):
    """Hold a revision against the amendment that it took over; nothing else may have changed."""
    if edits is None:
        raise NotEnough("the amendment that the revision took over is not in the bundle")
    before, after = old["text"], new["text"]
    same({**old, "text": ""}, {**new, "text": ""}, "title, summary and terms of the revision")
    if is_base:
        for edit in reversed(edits):
            same(before[edit["start"] : edit["end"]], edit["passage"], "the passage amended")
            before = before[: edit["start"]] + edit["text"] + before[edit["end"] :]
        same(after, before, "the text with the amendment in it")
        return
    # An earlier text was amended; its passages stand elsewhere now, and are as long.
    grown = sum(len(edit["text"]) - len(edit["passage"]) for edit in edits)
    same(len(after) - len(before), grown, "by how much the amendment makes the text longer")
    for edit in edits:
        need(edit["passage"] in before, "a passage amended did not stand in the text")
        need(edit["text"] in after, "a passage of the amendment does not stand in the text")


STANDING = ("granted", "suspended")


def file_path(proposal, digest):
    """Where a bundle has a file that stands beside a text, if it has it."""
    return f"proposals/{proposal.name}/files/{digest[7:]}"


def chain(delegations, member):
    """Return whom a vote goes to, one after the other, until it stops or would repeat."""
    found = []
    while member in delegations and delegations[member] not in found:
        member = delegations[member]
        found.append(member)
    return found


def in_term(seat, moment, grace=0):
    """Say whether a term covers the moment; one that began with its appointment has begun."""
    return seat.starts <= max(moment, seat.since) and moment < seat.ends + grace


# == 10 A vote: from contract to effect ============================================================

CHOICES = {"yes-no": ["yes", "no", "abstain"], "consent": ["consent", "abstain", "object"]}
PUBLIC_FIELDS = {"member", "weight", "number", "leaf", "salt", "carries"}
"""What a record says about a ballot beside what was on it."""

USUAL_RULES = {
    "threshold": "1/2",
    "base": "yes_and_no",
    "comparison": "more_than",
    "quorum": "0",
    "quorum_base": "roll",
    "tie_rule": "status_quo",
}


class Vote(Report):
    """One vote, checked when it opens and again when it is decided."""

    def __init__(self, replay, proposal, leaf):
        super().__init__()
        self.replay, self.proposal, self.bundle = replay, proposal, replay.bundle
        self.body = replay.thing(f"body:{proposal.body}")
        self.index, self.digest = leaf.index, leaf.digests["contract"]
        self.opens, self.closes = seconds(leaf.facts["opens_at"]), seconds(leaf.facts["closes_at"])
        self.entitled, self.delegations = leaf.facts["roll"], {}
        self.contract = self.record = self.rules = self.roll = self.outcome = None
        self.title, self.asked, self.terms = "", {}, {}
        self.decided, self.choices, self.counted = None, None, None

    def check_contract(self):
        """Check what was frozen when the vote opened, against the log up to there."""
        if not self.check("contract", self._open_contract):
            return
        self.check("text", self._text)
        self.check("roll", self._roll)
        self.check("criteria", self._criteria)
        if self.check("charter", self._charter):
            self.check("periods", self._periods)
            self.check("rules", self._rules)

    def _open_contract(self):
        path = f"decisions/{self.proposal.name}/contract.json"
        contract, proposal = self.bundle.document(path, self.digest), self.proposal
        all_same(
            path,
            ("version", contract["v"], 1),
            ("proposal", contract["proposal"], proposal.name),
            ("body", contract["body"], proposal.body),
            ("type", contract["type"], proposal.type),
            ("deployment", contract["subject"]["deployment"], proposal.deployment),
            ("model version", contract["subject"]["version"], proposal.version),
            ("opening", seconds(contract["opens_at"]), self.opens),
            ("close", seconds(contract["closes_at"]), self.closes),
            ("time zone", contract["time_zone"], self.body.zone),
            ("target", contract.get("target", ""), proposal.target),
        )
        self.contract, self.terms = contract, contract.get("terms", {})
        return f"frozen at entry {self.index}, before any ballot; its digest is on the log"

    def _text(self):
        number, digest = self.contract["text"]["revision"], self.contract["text"]["digest"]
        same((number, digest), self.proposal.revisions[-1], "the revision that is voted on")
        path = f"proposals/{self.proposal.name}/text-{number}.json"
        text = self.bundle.document(path, digest)
        self.title = plain(text["title"])
        files = {row["digest"] for row in self.contract.get("attachments", [])}
        same(files, self.proposal.files, "the files beside the text")
        self.asked = {name: text[name] for name in ("options", "seats") if name in text}
        same(self.terms, text.get("terms", {}), "what it would do, as data")
        says = f"revision {number} is the last that was written before the text was final"
        here = sum(file_path(self.proposal, file) in self.bundle for file in files)
        return f"{says}; {here} of {count(len(files), 'file', 'files')} are here" if files else says

    def _charter(self):
        contract, (number, digest) = self.contract, self.body.charters[-1]
        stated = (contract["charter"]["number"], contract["charter"]["digest"])
        same(stated, (number, digest), "the charter in force")
        charter = f"charter {number} of {self.body.name}"
        self.rules = self.replay.rules_of(self.proposal)
        if self.rules is None:
            raise NotEnough(f"{charter} is not in the bundle")
        rules = {"delegation": "none", "recusal": "none", **self.rules}
        for name in ("secrecy", "sunset_days", "delegation"):
            same(contract[name], rules[name], f"{name} in the contract")
        fits = rules["recusal"] != "none" or not contract["recusals"]
        need(fits, "the contract has recusals, which the charter does not know")
        return f"{charter} was in force; its rules are the contract's"

    def _periods(self):
        notice, hours = self.rules.get("notice_hours", 0), self.rules["deliberation_hours"]
        earliest = self.proposal.final + 3600 * notice
        need(self.opens >= earliest, f"the notice of the final text ran until {instant(earliest)}")
        span = self.closes - self.opens
        need(0 < span <= 90 * 86400, "the vote is not open for up to 90 days")
        kept = f"deliberation {hours} h and notice {notice} h were kept"
        return f"{kept}; closes {instant(self.closes)}"

    def _roll(self):
        contract, seats = self.contract, self.body.seats
        stated = self.roll = {row["member"]: row["weight"] for row in contract["roll"]}
        voting = {member: seat for member, seat in seats.items() if seat.role != "clerk"}
        due = {m: seat.weight for m, seat in voting.items() if in_term(seat, self.opens)}
        recused = sorted(self.proposal.recused & set(due))
        off = [{"member": member, "weight": due.pop(member)} for member in recused]
        same(sorted(contract["recusals"], key=lambda row: row["member"]), off, "who is recused")
        if contract["delegation"] == "transitive":
            to = self.body.delegations
            self.delegations = {m: to[m] for m in stated if to.get(m) in stated}
            given = {row["from"]: row["to"] for row in contract["delegations"]}
            same(given, self.delegations, "the delegations")
        same(len(contract["roll"]), len(stated), "the number of different members on the roll")
        same(self.entitled, len(stated), "the number of members in the entry")
        for member in sorted(set(due) | set(stated)):
            need(member in due, f"{member} is on the roll and was not in term")
            need(member in stated, f"{member} was in term and is not on the roll")
            same(stated[member], due[member], f"the weight of {member}")
        members = count(len(stated), "member", "members")
        less = f"; {len(off)} recused" if off else ""
        return f"the {members} in term then, of weight {sum(stated.values()):,}{less}"

    def _criteria(self):
        recorded = self.replay.criteria.get(f"proposal:{self.proposal.name}", [])
        rows, self.counted = self.contract["criteria"], self.replay.admitted(self.proposal)
        same(self.contract.get("evaluators"), self.counted, "the evaluators that count")
        same(len(rows), len(recorded), "the number of criteria")
        for number, (row, criterion) in enumerate(zip(rows, recorded)):
            asked = {name: row[name] for name in criterion.asked}
            same(asked, criterion.asked, f"criterion {number + 1}")
            self._evidence(row, criterion)
        for adopted in self.proposal.adopted.values():
            by = [criterion.asked for criterion in recorded if criterion.by == adopted.by]
            rest = [{name: row[name] for name in row if name != "suite"} for row in by]
            same(digest_of(canonical(rest)), adopted.criteria, "what the body asks of all such")
        if not rows:
            return "none was recorded"
        met = sum(row["outcome"] == "met" for row in rows)
        return f"{met} of {len(rows)} met; each recorded before its run, judged from its scores"

    def _evidence(self, row, criterion):
        """Check one criterion: the newest finished run asked for after it, and its interval."""
        what = f"{row['task']} {row['metric']} (entry {criterion.index})"
        version, beside = self.proposal.version, row.get("beside")
        run = self._newest(row, row["run"], version, criterion.index, what)
        other = beside and self._newest(row, row["beside_run"], beside, -1, what)
        if row["run"] is None:
            has_result = run is not None and (beside is None or other is not None)
            need(not has_result, f"{what} has no result in the contract, and one on the log")
            same(row["outcome"], "no_result", f"the outcome of {what}")
            return
        found = self._proven(row, row["run"], run, row["statement"], what)
        line, side = float(fraction(row["threshold"], "a threshold")), row["comparison"]
        if beside is None:
            n, _, _, low, high = found.metrics[row["metric"]]
        else:
            other = self._proven(row, row["beside_run"], other, row["beside_statement"], what)
            n, mean, low, high = self._beside(found, other, row["metric"])
            near(row["difference"], mean, f"the difference of {what}")
            up = better_up(task_of(self.replay.bundle, self.replay.suites, run, row["task"]), row)
            line, side = (-line, "at_least") if up else (line, "below")
        same(row["n"], n, f"n of {what}")
        near(row["low"], low, f"the lower bound of {what}")
        near(row["high"], high, f"the upper bound of {what}")
        # A standing criterion may meet the version that it names: nothing is worse than itself.
        outcome = "met" if beside == version else judge(side, line, low, high)
        same(row["outcome"], outcome, f"the outcome of {what}")

    def _newest(self, row, name, version, index, what):
        """Return the newest whole run of a version, asked for after an entry; None for none."""
        best = None
        for run in self.replay.runs:
            if (run.state, run.suite) != ("succeeded", row["suite"]):
                continue
            if row["task"] not in run.results:
                continue
            by = run.results[row["task"]].worker.organisation
            if self.counted is not None and by not in self.counted:
                need(run.name != name, f"{run.name} is by no evaluator that the body admitted")
                continue
            if run.name == name:
                early = f"{run.name} (entry {run.index}) was requested before its criterion {what}"
                need(run.index > index, early)
                same(run.version, version, f"the model evaluated by {run.name}")
                need(not run.limit, f"{run.name} was cut short by a limit and counts for nothing")
            # One that ended in the very second of the opening may or may not have been seen.
            seen = run.ended < self.opens or run.name == name
            if seen and run.index > index and run.version == version and not run.limit:
                best = run
        return best

    def _proven(self, row, name, run, statement, what):
        """Return the result that a criterion is judged by, if its scores are proven."""
        newest = run is not None and run.name == name
        need(newest, f"{what} is judged by {name}, not the newest run")
        result = run.results[row["task"]]
        same(statement, result.digests["statement"], f"the statement for {what}")
        if result.metrics is None:
            raise NotEnough(f"the result of {name} {row['task']} is not proven")
        return result

    def _beside(self, found, other, metric):
        """Return the difference of two results on the samples that both scored."""
        theirs = dict(zip(other.ids, other.scores[metric]))
        both = [place for place, doc_id in enumerate(found.ids) if doc_id in theirs]
        first = [theirs[found.ids[place]] for place in both]
        second = [found.scores[metric][place] for place in both]
        clusters = found.clusters and [found.clusters[place] for place in both]
        return difference(first, second, clusters)

    def _rules(self):
        contract, method = self.contract, self.rules.get("method", "yes-no")
        failed = any(row["must_pass"] and row["outcome"] != "met" for row in contract["criteria"])
        same(contract["override"], failed, "whether a criterion calls for the override")
        same(contract["method"], method, "the method")
        rules = {**USUAL_RULES, **self.rules["vote"]}
        for name in ("threshold", "quorum"):
            rules[name] = str(fraction(rules[name], name))
        override = fraction(self.rules["override_threshold"], "the override threshold")
        if failed and override > Fraction(rules["threshold"]):
            rules.update(threshold=str(override), comparison="at_least")
        asked = {"options": CHOICES[method]} if method in CHOICES else dict(self.asked)
        if method == "score":
            asked["highest"] = self.rules.get("highest", 5)
        for name, value in asked.items():
            same(contract[name], value, f"the {name}")
        if rules["tie_rule"] == "lot" and method != "consent":
            same(contract["lot"]["commitment"], self.proposal.lot, "the lot")
        if rules["tie_rule"] == "chair" and contract["chair"]:
            chair = contract["chair"]
            fits = chair in self.roll and self.body.seats[chair].role == "chair"
            need(fits, f"{chair} is named as the chair and is not")
        same(contract["rules"], rules, "the rules of the vote")
        line = f"{rules['comparison']} {rules['threshold']} of {rules['base']}".replace("_", " ")
        line = f"; {line}" if method == "yes-no" else ""
        raised = " (raised: a must-pass criterion is not met)" if failed else ""
        return f"{method}{line}{raised}; quorum {rules['quorum']} of the {rules['quorum_base']}"

    def decide(self, leaf):
        """Check ballots, count, outcome and effect of a vote that has ended."""
        self.outcome, self.decided = leaf.facts["outcome"], leaf.digests["decision"]
        self.impossible = leaf.facts.get("impossible")
        if self.outcome == "carried" and not self.impossible:
            self.replay.carried.add(self.proposal.name)
        if not self.replay.in_scope(self.proposal):
            self._in_force(leaf)
            return
        self.check("record", self._open_record, leaf)
        self.check("in force", self._in_force, leaf)
        if self.record is None or self.contract is None or self.roll is None:
            self.add(MISSING, "count", "without contract, roll and record it cannot be repeated")
            return
        self.check("close", self._close, leaf)
        if self.check("ballots", self._ballots):
            self._keep_choices()
            self.check("count", self._count)
        self.check("effect", self._effect, leaf)
        self.contract = self.record = self.roll = None  # large, and not needed any more

    def _open_record(self, leaf):
        path = f"decisions/{self.proposal.name}/record.json"
        record = self.bundle.document(path, leaf.digests["decision"])
        same(leaf.digests["contract"], self.digest, "the contract that the decision names")
        all_same(
            path,
            ("version", record["v"], 1),
            ("reference", record["decision"], self.proposal.name),
            ("contract", record["contract"], self.digest),
            ("outcome", record["outcome"], self.outcome),
        )
        self.record = record
        return f"{self.outcome.replace('_', ' ')}, at entry {leaf.index}; its digest is on the log"

    def _close(self, leaf):
        waiting = sorted(set(self.roll) - set(self.proposal.ballots))
        if leaf.at >= self.closes:
            voted, roll = len(self.roll) - len(waiting), len(self.roll)
            return f"after its deadline; {voted} of {roll} members had voted"
        early = f"closed before its deadline though {', '.join(waiting[:1])} had not voted"
        need(not waiting, early)
        return "early, because every member had voted"

    def _ballots(self):
        """The ballots that count are the last of each member, each opened as it was committed."""
        counted, cast = {}, self.proposal.ballots
        if self.contract["secrecy"] == "secret":
            raise NotEnough("the vote is secret: no outsider can repeat who voted how")
        for ballot in self.record["ballots"]:
            member = ballot["member"]
            need(member in self.roll, f"{member} has a counted ballot and is not on the roll")
            need(member not in counted, f"{member} has two counted ballots")
            need(member in cast, f"{member} has a counted ballot and cast none")
            number, index, commitment = cast[member]
            where = f"the ballot of {member} (entry {index})"
            same(ballot["number"], number, f"the number of {where}")
            same(ballot["weight"], self.roll[member], f"the weight of {where}")
            said = {name: ballot[name] for name in ballot if name not in PUBLIC_FIELDS}
            if not opens(commitment, ballot["salt"], said):
                says = f"{where} does not open as {shown(said)}: it was committed otherwise"
                raise Contradiction(says)
            counted[member] = ballot
        for member, carried in self._carried(counted).items():
            said = sorted(row["member"] for row in counted[member].get("carries", []))
            same(said, sorted(carried), f"whose votes the ballot of {member} carries")
        for left in sorted(set(cast) - set(counted)):
            raise Contradiction(f"the ballot of {left} was left out of the count")
        return f"{count(len(counted), 'ballot opens', 'ballots open')} as committed; none left out"

    def _keep_choices(self):
        """Keep how each member's vote was counted: later statements are held against it."""
        ballots = {ballot["member"]: ballot for ballot in self.record["ballots"]}
        self.choices = {}
        for member, carried in self._carried(ballots).items():
            for each in [member, *carried]:
                self.choices[each] = ballots[member].get("choice", "ranked")

    def _carried(self, counted):
        """Return for each ballot who delegated to it and cast none of their own."""
        carried = {member: [] for member in counted}
        for giver in set(self.delegations) - set(counted):
            chained = (each for each in chain(self.delegations, giver) if each in counted)
            carrier = next(chained, None)
            if carrier is not None:
                carried[carrier].append(giver)
        return carried

    def _count(self):
        contract, ballots, roll = self.contract, self.record["ballots"], self.roll
        method, options, draw = contract["method"], contract["options"], self._draw()
        carried = self._carried({ballot["member"] for ballot in ballots})
        for ballot in ballots:
            ballot["weight"] += sum(roll[giver] for giver in carried[ballot["member"]])
        recused = sum(row["weight"] for row in contract["recusals"])
        heads = (len(ballots) + sum(map(len, carried.values())), len(roll), recused)
        counting = (contract["rules"], ballots, sum(roll.values()), heads)
        if method in MOTIONS:
            own = MOTIONS[method](*counting, draw)
            said = ", ".join(f"{own['votes'][choice]} {choice}" for choice in options)
        elif method in METHODS:
            papers = [read_ranks(ballot) for ballot in ballots]
            own = METHODS[method](options, contract["seats"], papers, draw)
            own["quorum"] = quorum_of(*counting)
            if not own["quorum"]["met"]:
                own.update(outcome="no_quorum", elected=[])
            said = f"elected {', '.join(own['elected']) or 'nobody'}"
        else:
            raise NotEnough(f"the method {method!r} is not known to this program")
        same(self.outcome, own["outcome"], "the outcome on the log")
        matches(self.record["sheet"], own, "sheet")
        return f"{method}, counted anew: {said}; outcome {self.outcome.replace('_', ' ')}"

    def _draw(self):
        """Return what breaks a tie: the lot of the revealed seed, or the chair's casting vote."""
        proposal, record, rule = self.proposal, self.record, self.contract["rules"]["tie_rule"]
        same(record.get("lot_seed"), proposal.seed, "the seed of the lot in the record")
        if rule == "lot" and self.contract["method"] != "consent":
            need(proposal.seed is not None, "the seed of the lot was never revealed")
            return lot_of(proposal.seed)
        given = record.get("casting_vote")
        need((given is None) == (proposal.casting is None), "the chair's casting vote is left out")
        if given is None:
            return None
        same(proposal.casting[0], self.contract["chair"], "who gave the casting vote")
        good = opens(proposal.casting[1], given["salt"], {"casting_vote": given["names"]})
        need(good, "the casting vote does not open as it was committed")
        names = given["names"]
        return order_of(names if len(names) > 1 else [*names, "yes", "no"])

    # -- What was decided, and what it does

    def _in_force(self, leaf):
        """Tie what stands on the log to the decision; one without the other is a contradiction."""
        if self.outcome == "carried" and not self.impossible:
            return self._effects()[0](self, leaf)
        return self.nothing_stands(leaf)

    def _effect(self, leaf):
        """What was carried took effect as the record says, and nothing else did."""
        record, effect, until = self.record, {}, NEVER
        same(seconds(record["decided_at"]), leaf.at, "the time of the decision")
        same(record["in_force_until"], leaf.facts["in_force_until"], "the end that the log states")
        if self.outcome == "carried" and not self.impossible:
            fields, until = self._effects()[1](self, leaf)
            effect = {"kind": self.proposal.type, **fields}
        elif self.outcome == "carried":
            effect = {"kind": self.proposal.type, "impossible": self.impossible}
        elif self.proposal.name in self.replay.unratified:
            effect = {"kind": self.proposal.type, "restored": self.proposal.target}
        stated = record["in_force_until"]
        same(end_of(stated), until, "the end of what was decided")
        days = self.terms.get("review_days") if until < NEVER else None
        review = leaf.at + 86400 * days if days else NEVER
        same(end_of(record.get("review_at")), review, "the review of what was decided")
        same(self.proposal.review, review, "the review that the log states")
        same(record["effect"], effect, "the effect")
        if self.impossible:
            return f"carried, and not possible any more ({self.impossible}): nothing changed"
        return f"in force until {stated}" if stated else "as the record states it"

    def _effects(self):
        if self.proposal.type not in EFFECTS:
            raise NotEnough(f"what a carried {self.proposal.type!r} does is not known here")
        return EFFECTS[self.proposal.type]

    def nothing_stands(self, leaf):  # noqa: ARG002
        name = self.proposal.name
        need(self.proposal.took is None, "it amends nothing, and yet a revision is its work")
        granted = self.replay.authorisations.get(name)
        need(not granted, f"it authorises nothing, and yet entry {granted and granted.index} does")
        for index, by in self.replay.changes:
            need(by != name, f"it does nothing, and yet entry {index} is its work")
        if name in self.replay.unratified:
            return "not ratified: what was suspended at once is in force again"
        return "no authorisation, as none was decided"

    def text_stands(self, leaf):  # noqa: ARG002
        need(self.proposal.took is not None, "it was carried, and no revision has the amendment")
        return f"revision {self.proposal.took[2]} of {self.proposal.took[0]} has the amendment"

    def text_stated(self, leaf):  # noqa: ARG002
        parent, number, revision, digest = self.proposal.took
        terms = {name: self.terms[name] for name in ("proposal", "amendment")}
        same(terms, {"proposal": parent, "amendment": number}, "the amendment that it is about")
        return {**terms, "revision": revision, "text": digest}, NEVER

    def nothing_stated(self, leaf):  # noqa: ARG002
        return {}, NEVER

    def authorisation_stands(self, leaf):
        proposal, granted = self.proposal, self.replay.authorisations.get(self.proposal.name)
        need(granted is not None, "it was carried and no authorisation is on the log")
        same(granted.version, proposal.version, "the version authorised")
        same(granted.deployment, proposal.deployment, "the deployment it is authorised for")
        same(granted.ends, end_of(leaf.facts["in_force_until"]), "the end of the authorisation")
        return f"entry {granted.index}: {proposal.deployment} may run {proposal.version[:19]}…"

    def authorisation_stated(self, leaf):
        proposal, granted = self.proposal, self.replay.authorisations[self.proposal.name]
        days = min(self.terms.get("days", NEVER), self.contract["sunset_days"])
        until, conditions = leaf.at + 86400 * days, self.terms.get("conditions")
        same((granted.starts, granted.ends), (leaf.at, until), "when the authorisation holds")
        digest = digest_of(canonical(conditions)) if conditions else None
        same(granted.conditions, digest, "the conditions of the authorisation")
        fields = {"deployment": proposal.deployment, "version": proposal.version}
        if conditions:
            fields["conditions"] = conditions
        if proposal.target:
            fields["authorisation"] = proposal.target
        return fields, until

    def change_stands(self, leaf):  # noqa: ARG002
        """A suspension or an end: what the earlier decision authorised is in that state now."""
        target = self.replay.authorisations[self.proposal.target]
        state = "suspended" if self.proposal.type == "suspend_authorisation" else "revoked"
        found = (target.state, target.by, target.until)
        same(found, (state, self.proposal.name, NEVER), "what became of the authorisation")
        return f"the authorisation {self.proposal.target} is {state}"

    def change_stated(self, leaf):  # noqa: ARG002
        return {"authorisation": self.proposal.target}, NEVER

    def work_stands(self, leaf):  # noqa: ARG002
        """What it did stands on the log, entry by entry as its own."""
        done = self.replay.acts_of.get(self.proposal.name, [])
        need(done or self._may_do_nothing(), "it was carried and nothing on the log is its work")
        return f"its work on the log: {', '.join(done) or 'nothing was left to take back'}"

    def _may_do_nothing(self):
        return self.proposal.type == "annul_decision" or not self.terms.get("criteria", True)

    def suite_stated(self, leaf):  # noqa: ARG002
        suite, criteria = self.terms["suite"], self.terms["criteria"]
        adopted = self.body.adoptions.get(self.replay.suites[suite].name.partition(":")[0])
        stands = (adopted.by, adopted.suite, adopted.criteria) if adopted else None
        due = (self.proposal.name, suite, digest_of(canonical(criteria))) if criteria else None
        same(stands, due, "what the body asks from now on")
        return {"suite": suite, "criteria": criteria}, NEVER

    def charter_stated(self, leaf):  # noqa: ARG002
        number, digest = self.terms["base"] + 1, digest_of(canonical(self.terms["charter"]))
        same(self.body.charters[-1], (number, digest), "the charter in force from now on")
        return {"charter": number, "digest": digest}, NEVER

    def evaluator_stated(self, leaf):  # noqa: ARG002
        slug = self.terms["organisation"]
        entry = (slug, self.body.name, "evaluator by decision")
        need(entry in self.replay.people, f"{slug} was not admitted")
        return {"organisation": slug}, NEVER

    def budget_stated(self, leaf):
        name, longest = self.proposal.name, self.contract["sunset_days"]
        budget = self.replay.thing(f"budget:{name}")
        same(budget.hours, self.terms["hours"], "the hours that it allocated")
        days = min(self.terms.get("days", longest), longest)
        same(budget.until, leaf.at + 86_400 * days, "the end of the budget")
        return {"budget": name, "hours": budget.hours, "until": instant(budget.until)}, NEVER

    def annulment_stated(self, leaf):  # noqa: ARG002
        name, target = self.proposal.name, self.proposal.target
        annulled = self.replay.thing(f"proposal:{target}").annulled
        same(annulled, name, "what annulled the decision")
        changed = self.replay.acts_of.get(name, [])
        return {"annulled": target, "changed": changed}, NEVER


# What a carried decision does is taught here, by the type of its proposal: how what stands on the
# log is tied to it, and which fields of the effect its record states and until when they hold.
EFFECTS = {
    "authorise_deployment": (Vote.authorisation_stands, Vote.authorisation_stated),
    "renew_authorisation": (Vote.authorisation_stands, Vote.authorisation_stated),
    "suspend_authorisation": (Vote.change_stands, Vote.change_stated),
    "retire_deployment": (Vote.change_stands, Vote.change_stated),
    "adopt_suite": (Vote.work_stands, Vote.suite_stated),
    "amend_charter": (Vote.work_stands, Vote.charter_stated),
    "admit_evaluator": (Vote.work_stands, Vote.evaluator_stated),
    "allocate_compute": (Vote.work_stands, Vote.budget_stated),
    "annul_decision": (Vote.work_stands, Vote.annulment_stated),
    "general_motion": (Vote.nothing_stands, Vote.nothing_stated),
    "election": (Vote.nothing_stands, Vote.nothing_stated),
    "amend_text": (Vote.text_stands, Vote.text_stated),
}


# == 11 Counting ===================================================================================
#
# Written anew from docs/reference/counting.md: whole numbers and fractions only. `draw` breaks
# ties, where anything may: it sorts names, the luckiest or preferred first.

NOBODY = Fraction(0)


def quorum_of(rules, ballots, roll, heads):
    """Return what must have taken part, and whether it did.

    `heads` are the members who took part, those on the roll, and the weight of those recused.
    """
    present, whole = sum(Fraction(ballot["weight"]) for ballot in ballots), roll
    if rules["quorum_base"] == "members":
        present, whole = heads[:2]
    elif rules["quorum_base"] == "roll_and_recused":
        whole = roll + heads[2]
    needed = Fraction(rules["quorum"]) * whole
    return {"needed": needed, "met": present >= needed}


def votes_of(choices, ballots, roll):
    """Add up the weight behind each choice."""
    votes = dict.fromkeys(choices, NOBODY)
    for ballot in ballots:
        votes[ballot["choice"]] += ballot["weight"]
    return {**votes, "cast": sum(votes.values()), "roll": Fraction(roll)}


def count_motion(rules, ballots, roll, heads, draw):
    """Judge yes, no and abstain by weight against quorum and threshold."""
    votes = votes_of(("yes", "no", "abstain"), ballots, roll)
    yes, no = votes["yes"], votes["no"]
    base = {"votes_cast": votes["cast"], "yes_and_no": yes + no, "roll": votes["roll"]}
    base = base[rules["base"]]
    line = Fraction(rules["threshold"]) * base
    met = yes > line if rules["comparison"] == "more_than" else yes >= line and yes > 0
    quorum = quorum_of(rules, ballots, roll, heads)
    outcome = "no_quorum" if not quorum["met"] else "carried" if met else "not_carried"
    if outcome == "not_carried" and yes == no == line and yes > 0:
        side = draw(["yes", "no"])[0] if draw else None
        outcome = {"yes": "carried", "no": "not_carried", None: "tied"}[side]
    share = yes / base if base else None
    judged = {"base_weight": base, "line": line, "share": share, "met": met}
    found = {"rules": rules, "votes": votes, "quorum": quorum, "threshold": judged}
    return {**found, "outcome": outcome}


def count_consent(rules, ballots, roll, heads, draw):  # noqa: ARG001 - every method is called alike
    """Judge by consent: one objection with a reason is enough to stop a motion."""
    votes = votes_of(("consent", "abstain", "object"), ballots, roll)
    reasons = [b.get("reason", "") for b in ballots if b["choice"] == "object"]
    standing = sum(bool(reason.strip()) for reason in reasons)
    quorum = quorum_of(rules, ballots, roll, heads)
    carried = "carried" if votes["consent"] and not standing else "not_carried"
    outcome = carried if quorum["met"] else "no_quorum"
    return {"votes": votes, "quorum": quorum, "standing": standing, "outcome": outcome}


def lot_of(seed):
    """Return the order of a lot: names by SHA-256 of seed and name, the luckiest first."""
    return lambda names: sorted(names, key=lambda name: (sha256((seed + name).encode()), name))


def order_of(casting_vote):
    """Return the chair's order."""
    return lambda names: sorted(names, key=casting_vote.index)


def read_ranks(ballot):
    """Return a ballot's weight with its points, or with its ranks: each a name or several."""
    if "scores" in ballot:
        return Fraction(ballot["weight"]), ballot["scores"]
    ranking = [[rank] if isinstance(rank, str) else list(rank) for rank in ballot["ranking"]]
    names = [name for rank in ranking for name in rank]
    need(all(ranking) and len(set(names)) == len(names), "a ballot ranks somebody twice, or nobody")
    return Fraction(ballot["weight"]), ranking


def weighed(papers):
    """Return the weight of the papers that say something, and of those that do not."""
    valid = sum((weight for weight, said in papers if said), NOBODY)
    return valid, sum((weight for weight, said in papers if not said), NOBODY)


def result_of(outcome, elected, papers, **more):
    valid, void = weighed(papers)
    return {"outcome": outcome, "elected": elected, "valid": valid, "void": void, **more}


class Transfers:
    """A count by stages: each paper lies with one name, and moves on when that name is done."""

    def __init__(self, names, ballots, draw):
        self.names, self.draw, self.inside = names, draw, list(names)
        self.luck = draw(names) if draw else sorted(names)
        self.papers = [(weight, self.until_shared(ranking)) for weight, ranking in ballots]
        self.valid, self.void = weighed(self.papers)
        self.piles = {name: [] for name in names}
        for weight, order in self.papers:
            if order:
                self.piles[order[0]].append((weight, 10**5, order))
        self.totals = {n: sum((p[0] for p in pile), NOBODY) for n, pile in self.piles.items()}
        self.elected, self.history, self.stages = [], [], []

    def until_shared(self, ranking):
        """Return a ballot's order up to its first shared rank, which ends it."""
        shared = next((n for n, rank in enumerate(ranking) if len(rank) > 1), len(ranking))
        return [rank[0] for rank in ranking[:shared]]

    def pass_on(self, giver, revalue=lambda value: value):
        """Move every paper of a name to its next one inside; values are in hundred-thousandths."""
        for weight, value, order in self.piles.pop(giver):
            after = order[order.index(giver) + 1 :]
            heir = next((name for name in after if name in self.inside), None)
            if heir is not None:
                self.piles[heir].append((weight, revalue(value), order))
                self.totals[heir] += weight * Fraction(revalue(value), 10**5)

    def exclude(self, names):
        """Take names out of the count, all before any paper of theirs moves."""
        self.inside = [name for name in self.inside if name not in names]
        for name in names:
            self.totals[name] = NOBODY
            self.pass_on(name)

    def furthest(self, names, extreme):
        """Return who has the most (or fewest) votes, looking back stage by stage where equal."""
        for totals in [self.totals, *reversed(self.history)]:
            wanted = extreme(totals[name] for name in names)
            names = [name for name in names if totals[name] == wanted]
        return names

    def close_stage(self, new, excluded=()):
        """Write down a stage with those whom it elected and those whom it began by excluding."""
        self.elected += new
        held = {n: t for n, t in self.totals.items() if n in self.inside or n in self.elected}
        left = self.valid - sum(self.totals.values())
        stage = {"totals": held, "exhausted": left, "elected": new, "excluded": sorted(excluded)}
        self.stages.append(stage)

    def result(self, outcome, quota=None):
        return result_of(outcome, self.elected, self.papers, quota=quota, stages=self.stages)


def count_stv(names, seats, ballots, draw):
    """Count by the Scottish rules: weighted inclusive Gregory, values cut to five decimals."""
    c, surplus = Transfers(names, ballots, draw), set()
    quota = int(c.valid // (seats + 1) + 1)

    def ranked(some):
        past = [c.totals, *reversed(c.history)]
        return sorted(some, key=lambda n: ([-totals[n] for totals in past], c.luck.index(n)))

    def elect(excluded=()):
        reached = [name for name in c.inside if c.totals[name] >= quota]
        surplus.update(name for name in reached if c.totals[name] > quota)
        rest = [name for name in c.inside if name not in reached]
        new = ranked(reached)
        if len(rest) <= seats - len(c.elected) - len(new):
            new += ranked(rest)
        c.close_stage(new, excluded)
        c.history.append(dict(c.totals))
        c.inside = [name for name in c.inside if name not in new]

    if not c.valid and len(names) > seats:
        c.close_stage([])
        return c.result("no_votes", quota)
    elect()
    while c.inside and len(c.elected) < seats:
        tied = c.furthest([n for n in names if n in surplus] or c.inside, max if surplus else min)
        if len(tied) > 1 and draw is None:
            return c.result("tied", quota)
        if surplus:
            giver = min(tied, key=c.luck.index)
            surplus.discard(giver)
            share = (c.totals[giver] - quota) / c.totals[giver]
            c.pass_on(giver, lambda value, share=share: value * share // 1)
            c.totals[giver] = Fraction(quota)
            elect()
        else:
            out = [max(tied, key=c.luck.index)]
            c.exclude(out)
            elect(out)
    return c.result("elected", quota)


def count_irv(names, seats, ballots, draw):  # noqa: ARG001
    """Exclude whoever has the fewest votes until someone has more than half of those held."""
    c, out = Transfers(names, ballots, draw), []
    while True:
        held = sum(c.totals.values())
        c.close_stage([name for name in c.inside if 2 * c.totals[name] > held], out)
        if c.elected or not c.valid:
            return c.result("elected" if c.elected else "no_votes")
        out = c.furthest(c.inside, min)
        others = [c.totals[name] for name in c.inside if name not in out]
        if len(out) > 1 and not (others and sum(c.totals[n] for n in out) < min(others)):
            if draw is None:
                return c.result("tied")
            out = [max(out, key=c.luck.index)]
        c.history.append(dict(c.totals))
        c.exclude(out)


def count_schulze(names, seats, ballots, draw):  # noqa: ARG001
    """Compare in pairs; the strongest path by winning votes decides."""
    wins = {a: dict.fromkeys(names, NOBODY) for a in names}
    for weight, ranking in ballots:
        place = {name: number for number, rank in enumerate(ranking) for name in rank}
        for a, rank in place.items():
            for b in names:
                if rank < place.get(b, len(ranking)):
                    wins[a][b] += weight
    path = {a: {b: wins[a][b] * (wins[a][b] > wins[b][a]) for b in names} for a in names}
    for middle in names:
        for a in names:
            for b in names:
                if a != b:
                    path[a][b] = max(path[a][b], min(path[a][middle], path[middle][b]))
    levels, left = [], list(names)
    while left:
        best = [a for a in left if all(path[a][b] >= path[b][a] for b in left)]
        levels.append(sorted(best))
        left = [a for a in left if a not in best]
    valid, _ = weighed(ballots)
    elected = levels[0] if valid else []
    if len(elected) > 1:
        elected = draw(elected)[:1] if draw else []
    outcome = "no_votes" if not valid else "elected" if elected else "tied"
    beats = [a for a in names if valid and all(wins[a][b] > wins[b][a] for b in names if b != a)]
    found = result_of(outcome, elected, ballots, ranking=levels, quota=None)
    for name, matrix in (("pairwise", wins), ("strongest_paths", path)):
        found[name] = {a: {b: matrix[a][b] for b in names if b != a} for a in names}
    return {**found, "condorcet_winner": beats[0] if beats else None}


def count_approval(names, seats, ballots, draw):
    """Give each ballot's weight to everybody on it."""
    marks = [(w, {name: 1 for rank in ranking for name in rank}) for w, ranking in ballots]
    return seat_the_highest(names, seats, marks, draw)


def count_plurality(names, seats, ballots, draw):
    """Give each ballot's weight to its first name; a shared first place is void."""
    firsts = [(w, ranking[0] if ranking else []) for w, ranking in ballots]
    marks = [(w, {first[0]: 1} if len(first) == 1 else {}) for w, first in firsts]
    return seat_the_highest(names, seats, marks, draw)


def seat_the_highest(names, seats, marks, draw):
    """Add up points, and give the seats to the highest totals above zero."""
    totals = dict.fromkeys(names, NOBODY)
    for weight, points in marks:
        for name, number in points.items():
            totals[name] += weight * number
    order = [name for name in (draw(names) if draw else sorted(names)) if totals[name] > 0]
    order.sort(key=lambda name: -totals[name])
    elected, outcome = order[:seats], "elected" if order else "no_votes"
    if len(order) > seats and totals[order[seats - 1]] == totals[order[seats]] and draw is None:
        elected = [name for name in order if totals[name] > totals[order[seats]]]
        outcome = "tied"
    stages = [{"totals": totals, "elected": elected}]
    return result_of(outcome, elected, marks, quota=None, stages=stages)


MOTIONS = {"yes-no": count_motion, "consent": count_consent}
METHODS = {
    "scottish-stv": count_stv,
    "irv": count_irv,
    "schulze": count_schulze,
    "approval": count_approval,
    "plurality": count_plurality,
    "score": seat_the_highest,
}


def matches(stated, own, where):
    """Hold a published sheet against our own count; votes are compared as exact numbers."""
    if isinstance(own, Fraction):
        same(fraction(stated, where), own, where)
    elif isinstance(own, dict):
        need(isinstance(stated, dict), f"{where} is no object")
        for name, value in own.items():
            matches(stated.get(name), value, f"{where}.{name}")
        if where.endswith("totals"):
            same(sorted(stated), sorted(own), f"the names in {where}")
    elif isinstance(own, list) and isinstance(stated, list):
        same(len(stated), len(own), f"the length of {where}")
        for number, (one, other) in enumerate(zip(stated, own)):
            matches(one, other, f"{where}.{number}")
    else:
        same(stated, own, where)


# == 12 Statistics =================================================================================
#
# Mean, standard error and 95 % interval of the scores of one metric. IEEE doubles, as published.

Z = 1.959963984540054
NEAR = 1e-9
RESAMPLES, TAIL, BOTH_TAILS = 4999, 125, 4750
DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,400})?(e-\d{1,3})?", re.ASCII)


def units(scores, clusters=None):
    """Return mean and its standard error, and of each independent unit its error and size.

    A unit is a score, or a cluster of them; sorted by total, then size.
    """
    kept = {}
    for cluster, score in zip(clusters or range(len(scores)), scores):
        kept.setdefault(cluster, []).append(score)
    pairs = sorted((math.fsum(each), len(each)) for each in kept.values())
    n, g, mean = len(scores), len(pairs), math.fsum(total for total, _ in pairs) / len(scores)
    errors, sizes = [total - mean * size for total, size in pairs], [size for _, size in pairs]
    stderr = math.sqrt(g / (g - 1) * math.fsum(e * e for e in errors)) / n if g > 1 else None
    means = [total / size for total, size in pairs]
    if max(means) - min(means) <= 1e-14 * max(map(abs, means)):
        stderr = stderr and 0.0
    return mean, stderr, errors, sizes


def interval(scores, clusters=None):
    """Return n, mean, standard error, low and high."""
    mean, stderr, errors, sizes = units(scores, clusters)
    found = len(scores), mean, stderr
    bits = set(scores) <= {0, 1}
    if bits and (clusters is None or not stderr):
        return (*found, *wilson(mean, len(sizes)))
    if not stderr:
        return (*found, None, None)
    drawn = bootstrap(errors, sizes)
    above, below = (drawn[-TAIL], drawn[TAIL - 1]) if drawn else skewed_t(errors)
    low, high = mean - above * stderr, mean - below * stderr
    return (*found, max(0.0, low), min(1.0, high)) if bits else (*found, low, high)


def difference(first, second, clusters=None):
    """Return n, mean, low and high of second less first, sample by sample."""
    changes = [b - a for a, b in zip(first, second)]
    n, (mean, stderr, errors, sizes) = len(changes), units(changes, clusters)
    if clusters is None and set(first) | set(second) <= {0, 1}:  # Bonett and Price 2012
        gained, lost = ((changes.count(sign) + 1) / (n + 2) for sign in (1, -1))
        centre = gained - lost
        half = Z * math.sqrt((gained + lost - centre**2) / (n + 2))
        return n, mean, max(-1.0, centre - half), min(1.0, centre + half)
    if not stderr:
        return n, mean, None, None
    drawn = bootstrap(errors, sizes)
    reach = sorted(map(abs, drawn))[BOTH_TAILS - 1] if drawn else student(len(sizes) - 1)
    return n, mean, mean - reach * stderr, mean + reach * stderr


def wilson(p, n):
    """Return the score interval of a proportion (Wilson 1927)."""
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return 0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half)


def found_follows(found, agreement):
    """Say whether the verdict about two that claim one version follows from its counts."""
    if found["verdict"] == "unanswered":
        return True
    alike, compared, p = found["alike"], found["compared"], found["p_value"]
    need(0 <= alike <= compared, f"{alike} of {compared} are alike")
    low, high = wilson(alike / compared, compared) if compared else (0.0, 1.0)
    same((found["low"], found["high"]), (f"{low:.4f}", f"{high:.4f}"), "the interval of a finding")
    if high < float(agreement) or (p is not None and float(p) < 0.01):
        return found["verdict"] == "differs"
    return found["verdict"] == ("alike" if low >= float(agreement) else "undecided")


def bootstrap(errors, sizes):
    """Return the sorted statistics of the studentised bootstrap; SHAKE-128 alone draws for it.

    None for fewer than 10 units or more than 500, and where too many resamples lose the spread
    that a few of them carry.
    """
    n, most = len(errors), max(map(abs, errors))
    if not 10 <= n <= 500:
        return None
    drawn_from = [(error / most, size) for error, size in zip(errors, sizes)]
    variance = math.fsum(e * e for e, _ in drawn_from) / sum(sizes) ** 2
    lost, statistics = 0, []
    for row in range(RESAMPLES):
        drawn = hashlib.shake_128(b"oversight bootstrap v1 %d %d" % (n, row)).digest(4 * n)
        sample = [drawn_from[u * n >> 32] for u in struct.unpack(f"<{n}I", drawn)]
        count = sum(k for _, k in sample)
        shift = math.fsum(e for e, _ in sample) / count
        spread = max(math.fsum((e - shift * k) ** 2 for e, k in sample), 0.0) / count**2
        if spread < 0.01 * variance:
            lost, spread = lost + 1, 0.01 * variance
        statistics.append(shift / math.sqrt(n / (n - 1) * spread))
    return None if lost > 0.005 * RESAMPLES else sorted(statistics)


def skewed_t(errors):
    """Return the tails of Student's distribution, bent for skewness (Hall 1992)."""
    n = len(errors)
    second = math.fsum(e * e for e in errors) / n
    g = math.fsum((e / math.sqrt(second)) ** 3 for e in errors) / n / math.sqrt(n)
    t = student(n - 1)

    def bent(y):  # the cube root of x, less 1, as (x - 1) / (root² + root + 1): nothing cancels
        inner = y - g / 6
        x = 1 + g * inner
        root = math.copysign(abs(x) ** (1 / 3), x)
        return 3 * inner / (root * root + root + 1)

    return bent(t), bent(-t)


def student(v):
    """Return the 97.5 % quantile of Student's t, by halving and Simpson's rule on its density."""
    if v > 1000:  # the two logarithms would cancel; this is the series of their difference
        scale = (1 - 1 / (4 * v) + 1 / (32 * v**2) + 5 / (128 * v**3)) / math.sqrt(2 * math.pi)
    else:
        scale = math.exp(math.lgamma((v + 1) / 2) - math.lgamma(v / 2)) / math.sqrt(v * math.pi)

    def half_mass(t):
        xs = [t * i / 2000 for i in range(2001)]
        ys = [scale * math.exp(-(v + 1) / 2 * math.log1p(x * x / v)) for x in xs]
        weights = [1] + [4, 2] * 999 + [4, 1]
        return math.fsum(w * y for w, y in zip(weights, ys)) * t / 6000

    low, high = 1.0, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if half_mass(middle) < 0.475 else (low, middle)
    return low


def near(stated, own, what):
    """Hold a stated decimal against a number of ours."""
    if own is None or stated is None:
        same(stated, own, what)
        return
    good = isinstance(stated, str) and DECIMAL.fullmatch(stated)
    need(good, f"{what} is no decimal: {shown(stated)}")
    need(abs(float(stated) - own) <= NEAR, f"{what} is stated as {stated}; the scores give {own!r}")


def better_up(entry, row):
    """Say whether more of a metric is better, by its own word where it has one."""
    listed = entry.get("config", {}).get("metric_list", [])
    own = [each for each in listed if each["metric"] == row["metric"]]
    return (own or [entry])[0].get("higher_is_better", entry["higher_is_better"])


def judge(comparison, line, low, high):
    """Judge an interval against a line: met, not met, or undecided."""
    if low is None or high is None:
        return "undecided"
    above, below = low >= line, high < line
    if comparison == "below":
        above, below = below, above
    return "met" if above else "not_met" if below else "undecided"


# == 13 What may serve =============================================================================


def check_authorisations(replay):
    """Nothing may serve, or stop serving, that was not decided."""
    for index, ref in replay.changes:
        carried = ref in replay.carried
        need(carried, f"entry {index} acts on decision {ref}, which was never carried")
    for vote in replay.votes:
        ended = vote.proposal.status == "decided" and vote.outcome is None
        need(not ended, f"the vote on {vote.proposal.name} ended and no decision is on the log")
    for ref, granted in replay.authorisations.items():
        ratifies = replay.things.get(f"proposal:{granted.by}")
        ended = ratifies is not None and ratifies.status in ("withdrawn", "annulled")
        lasts = granted.state == "suspended" and replay.latest < granted.until < NEVER
        need(not (ended and lasts), f"{ref} is suspended, and what asked to ratify that has ended")
    number = len(replay.authorisations)
    if not number:
        return "nothing was ever authorised"
    return f"{count(number, 'authorisation comes', 'authorisations come')} from carried decisions"


def gate_code(granted, moment):
    """Answer as the gate does, from the authorisation of exactly this pair that decides."""
    state = granted.state_at(moment)
    if state != "granted":
        return state
    if moment < granted.starts:
        return "not-yet"
    return "expired" if moment >= granted.ends else "authorised"


def check_gate(bundle, replay):
    """Hold the gate's published answers against those that follow from the log."""
    stated = read_canonical(bundle.raw("gate.json"), "gate.json")
    same((stated["v"], stated["at"]), (1, instant(replay.last_at)), "the time of gate.json")
    scope, about = None, bundle.about
    if about["kind"] == "decision":
        scope = replay.thing(f"proposal:{about['ref']}").deployment or ""
    if about["kind"] == "deployment":
        scope = about["slug"]
    newest, answers = {}, []
    for ref, granted in replay.authorisations.items():
        pair = (granted.deployment, granted.version)
        # The one that stands decides, at most one does; else the newest says why not.
        key = (granted.state in STANDING, granted.starts, granted.index)
        if scope in (None, granted.deployment):
            newest[pair] = max(newest.get(pair, (key, ref)), (key, ref))
    for (deployment, version), (_, ref) in sorted(newest.items()):
        code = gate_code(replay.authorisations[ref], replay.last_at)
        answer = {"deployment": deployment, "version": version, "code": code, "decision": ref}
        answers.append({**answer, "result": "PASSED" if code == "authorised" else "FAILED"})
    same(len(stated["answers"]), len(answers), "the number of answers in gate.json")
    for found, own in zip(stated["answers"], answers):
        same(found, own, f"the answer for {own['deployment']}")
    serving = [f"{a['deployment']}: {a['decision']}" for a in answers if a["result"] == "PASSED"]
    return f"as of {stated['at']}, in service by decision: {', '.join(serving) or 'nothing'}"


# == 14 The whole ==================================================================================


def verify(report, bundle, policy_text, full):
    """Run all checks in order; return the log's origin and size, as far as they are known."""
    report.check("zip", bundle.check_zip)
    if not report.check("manifest", bundle.check_manifest):
        return {}
    report.check("files", bundle.check_files)
    report.section, replay = "The log", Replay(bundle)
    log = verify_log(report, bundle, replay, policy_text)
    if log and replay.size == log["size"]:
        verify_acts(report, bundle, replay, full)
        add_limits(report, bundle, replay, policy_text)
    elif log:
        says = f"entries from {replay.size} on cannot be read: not replayed"
        report.add(MISSING, "the acts", says)
    return log


def open_checkpoint(report, bundle, policy_text, handovers):
    """Open checkpoint and policy; say if the policy's key has signed, or what follows may tell."""
    found = []

    def check_signature():
        own = bundle.raw("policy").decode("utf-8", "replace")
        found.append(Checkpoint(bundle.raw("checkpoint")))
        found.append(Policy(own if policy_text is None else policy_text))
        if handovers and not any(found[0].signed_by(key, LOG_KEY) for key in found[1].log_keys):
            raise Later
        return found[0].signed_by_log(found[1])

    try:
        report.check("signature", check_signature)
    except Later:
        return found, False
    return found, True


def verify_log(report, bundle, replay, policy_text):
    """Check signature, quorum, tree, tiles and keys; return which log this is."""
    handovers = {int(name[15:]): name for name in bundle.members if HANDOVER.fullmatch(name)}
    found, is_signed = open_checkpoint(report, bundle, policy_text, handovers)
    if len(found) < 2:
        return {}
    checkpoint, policy = found
    if policy.quorum == "none":
        says = "the policy asks for none, so only the log itself vouches for one history"
        report.add(NOTE, "witnesses", says)
    else:
        report.check("witnesses", checkpoint.cosigned, policy)
    unread = checkpoint.unread(policy)
    if unread:
        of = count(len(unread), "signature", "signatures")
        says = f"{of} by keys outside the policy, not looked at: {', '.join(unread)}"
        if checkpoint.origin in unread:
            says += " (the log's own name is on its ML-DSA signature, which is not read here)"
        report.add(NOTE, "other keys", says)
    stamps = {int(name[11:-4]): name for name in bundle.members if STAMP.fullmatch(name)}
    tree, tiles = Tree(keep={**stamps, **handovers}), Tiles(bundle)
    report.check("tree", derive_tree, bundle, checkpoint, replay, tree, tiles)
    report.check("tiles", tiles.verdict, tree.levels)
    if stamps:
        report.check("timestamps", check_stamps, bundle, checkpoint.origin, tree, stamps)
        says = "who signed them is not checked here; `openssl ts -verify` can"
        report.add(NOTE, "timestamps", says)
    followed = []
    if handovers:
        given = bundle, checkpoint.origin, replay, tree, handovers
        if report.check("handovers", check_handovers, *given):
            followed = follow_keys(policy, replay, handovers)
    if not is_signed:
        report.check("signature", check_followed, checkpoint, followed)
    report.check("keys", check_keys, bundle, policy, replay, followed)
    return {"origin": checkpoint.origin, "size": checkpoint.size}


def derive_tree(bundle, checkpoint, replay, tree, tiles):
    """Read all entries once: derive the tree, hold the tiles against it, replay the acts."""
    for first in range(0, checkpoint.size, WIDTH):
        width = min(WIDTH, checkpoint.size - first)
        path = tile_path("entries", first // WIDTH, width)
        entries = split_entries(bundle.raw(path), path, width)
        hashes = [sha256(b"\x00" + entry) for entry in entries]
        tiles.compare(0, first, hashes)
        for offset, entry in enumerate(entries):
            tree.add(hashes[offset])
            replay.take(first + offset, entry)
    own, signed = tree.root().hex()[:16], checkpoint.root.hex()[:16]
    need(tree.root() == checkpoint.root, f"the entries give the root {own}…, not {signed}…")
    return f"root {own}… derived from {count(tree.size, 'entry', 'entries')}, as signed"


def check_stamps(bundle, origin, tree, stamps):
    """Look in each timestamp (RFC 3161) for the SHA-256 of what the log signed at that size.

    The number before it says that 32 bytes follow. An authority's signature is one of many kinds,
    and most of them are not in the standard library.
    """
    for size, path in stamps.items():
        need(tree.roots[size], f"{path} is about entries that are not here")
        root = base64.b64encode(tree.roots[size]).decode()
        text = f"{origin}\n{size}\n{root}\n".encode()
        need(b"\x04\x20" + sha256(text) in bundle.raw(path), f"{path} is of another tree")
    return f"{count(len(stamps), 'names', 'name')} the tree of {max(stamps):,} entries or before"


def check_keys(bundle, policy, replay, followed):
    """The history of keys is the one that the log's own entries tell, and the policy knows it."""
    lines = bundle.raw("keys/log.vkeys").decode("ascii", "replace").split("\n")
    need(lines.pop() == "" and lines, "keys/log.vkeys holds no key")
    keys = [Key(line).vkey for line in lines]
    handed = dict.fromkeys([keys[-1], *[before for before, *_ in reversed(replay.rotations)]])
    same(keys, list(handed)[::-1], "the history of keys")
    known = not replay.rotations or keys[-1] in replay.rotations[-1]
    need(known, "the newest key is not the one that the last rotation named")
    says = f"{count(len(keys), 'key', 'keys')} since the log began; the newest"
    if keys[-1] in [key.vkey for key in policy.log_keys]:
        return f"{says} is the policy's"
    need(keys[-1] in followed, "the newest key is not the policy's")
    return f"{says} is one to which the policy's has handed over"


def check_handovers(bundle, origin, replay, tree, handovers):
    """Each rotation stands in a tree that the key which hands over has signed."""
    notes = {size: Checkpoint(bundle.raw(path)) for size, path in handovers.items()}
    for size, note in notes.items():
        need(tree.roots[size], f"{handovers[size]} is about entries that are not here")
        same((note.origin, note.size), (origin, size), f"the log that {handovers[size]} is of")
        need(note.root == tree.roots[size], f"{handovers[size]} is of another tree")
        before = [one for one, _, index in replay.rotations if index < size]
        need(before, f"{handovers[size]} stands before any rotation")
        signed = note.signed_by(Key(before[-1]), LOG_KEY)
        need(signed, f"{handovers[size]} is not signed by the key that hands over")
    return f"{count(len(notes), 'rotation', 'rotations')} signed by the key that handed over"


def follow_keys(policy, replay, handovers):
    """Return the keys that the policy's have handed over to, where each step was signed."""
    trusted = [key.vkey for key in policy.log_keys]
    ends = [*(index for *_, index in replay.rotations[1:]), replay.size]
    for (before, after, index), end in zip(replay.rotations, ends):
        # A handover of a later rotation is signed by a later key.
        is_signed = any(index < size <= end for size in handovers)
        if is_signed and before in trusted and after not in trusted:
            trusted.append(after)
    return trusted[len(policy.log_keys) :]


def check_followed(checkpoint, followed):
    """Check the log's own signature by a key to which the policy's has handed over."""
    found = [key for key in map(Key, followed) if checkpoint.signed_by(key, LOG_KEY)]
    need(found, "no key that the policy trusts has signed, nor one to which it has handed over")
    same(checkpoint.origin, found[-1].name, "the log that the checkpoint is of")
    size = count(checkpoint.size, "entry", "entries")
    return f"{checkpoint.origin} signed {size} with a key that the policy's has handed over to"


def verify_acts(report, bundle, replay, full):
    """Say how the acts, the votes among them, and what may serve came out."""
    report.section = "The acts, played again"
    report.check("scope", check_scope, bundle, replay)
    for group in replay.groups.values():
        if group.number:
            report.group(group)
    report.check("openings", check_openings, bundle, replay)
    for kind in replay.unknown:
        if kind.startswith(KNOWN_FLOORS):
            report.add(MISSING, "unknown acts", f"{kind}: not known to this program; try a newer")
    for vote in replay.votes:
        if vote.outcome is None:
            vote.add(NOTE, "ballots", f"none is opened: the proposal is {vote.proposal.status}")
        if len(replay.votes) > 10 and not full and vote.status() == 0:
            report.section = "Votes"
            says = f"{vote.outcome or vote.proposal.status}: {vote.title}".replace("_", " ")
            report.add(PROVEN, vote.proposal.name, says)
            continue
        report.section = f"Decision {vote.proposal.name}: {vote.title}"
        for _, verdict, name, says in vote.lines:
            report.add(verdict, name, says)
    report.section = "What may be in service"
    report.check("decided", check_authorisations, replay)
    report.check("gate", check_gate, bundle, replay)
    report.section = "At last"
    report.check("nothing else", bundle.check_all_used)


def check_scope(bundle, replay):
    """The bundle is about something that is on the log."""
    about = bundle.about
    if about["kind"] == "log":
        return "the whole log and every vote on it"
    name = about.get("ref") or about.get("slug")
    if about["kind"] == "decision":
        proposal = replay.things.get(f"proposal:{name}")
        need(proposal and proposal.vote, f"there is no vote on {name} on the log")
    else:
        need(f"deployment:{name}" in replay.things, f"no deployment {name} is on the log")
    return f"{about['kind']} {name}, with the whole log that it stands in"


def check_openings(bundle, replay):
    """Open what else was committed to, such as the text of a comment."""
    if "openings.jsonl" not in bundle:
        return "nothing else was opened"
    lines = bundle.raw("openings.jsonl").split(b"\n")
    need(lines.pop() == b"", "openings.jsonl does not end with a line feed")
    for number, line in enumerate(lines, start=1):
        where = f"openings.jsonl line {number}"
        one = read_canonical(line, where)
        same(sorted(one), ["field", "index", "salt", "value"], f"the fields of {where}")
        commitment = replay.committed.get(one["index"], {}).get(one["field"])
        need(commitment, f"{where} opens what entry {one['index']} does not commit to")
        need(opens(commitment, one["salt"], one["value"]), f"{where} is not what was committed to")
        if one["index"] in replay.sides:
            side = replay.sides[one["index"]]
            same(one["value"]["side"], side, f"the side of the argument in {where}")
    return f"{count(len(lines), 'opening shows', 'openings show')} what was committed to"


def add_limits(report, bundle, replay, policy_text):
    """Say what was not judged, and why."""
    report.section = "What this does not prove"
    if policy_text is None:
        says = "it came with the bundle: compare it with the one you keep, or give --policy"
        report.add(NOTE, "the key", says)
    if replay.outside:
        report.add(NOTE, "other votes", f"{replay.outside:,} on the log, outside this bundle")
    other = sum(n for kind, n in replay.unknown.items() if not kind.startswith(KNOWN_FLOORS))
    if other:
        report.add(NOTE, "other entries", f"{other:,} of kinds that are no acts of this system")
    report.add(NOTE, "people", "that administrators were entitled is not on the log")
    report.add(NOTE, "samples", "the scores are proven as signed; to doubt them, run them again")
    with open(__file__, "rb") as file:
        own = file.read()
    if attempt(bundle.raw, "verify.py") != (PROVEN, own):
        says = "the verify.py in the bundle is another one than you are running, which is fine"
        report.add(NOTE, "this program", says)


# == 15 The program ================================================================================

MARKS = {PROVEN: "✓", CONTRADICTS: "✗", MISSING: "?", NOTE: "·"}


def print_lines(report, path, log, took):
    """Print the report for a reader: each section, and under it one line for each verdict."""
    print(f"\n{plain(path)}")
    if log:
        print("{origin} · {size:,} entries".format(**log))
    section = None
    for here, verdict, name, says in report.lines:
        if here != section:
            section = here
            print(f"\n{section}")
        print(f"  {MARKS[verdict]} {verdict:<11}  {name:<14}  {says}")
    print(f"\n{verdict_words(report)}")
    print(f"Python {platform.python_version()}, {took.total_seconds():.1f} s, offline")


def verdict_words(report):
    """Return the verdict on the whole in words."""
    proven = count(report.number(PROVEN), "check", "checks")
    against, lacking = report.number(CONTRADICTS), report.number(MISSING)
    if against:
        says = f"CONTRADICTED: {count(against, 'finding', 'findings')} above; {proven} proven"
        return says + (f", {lacking} without enough material." if lacking else ".")
    if lacking:
        says = f"NOT ENOUGH MATERIAL for {count(lacking, 'check', 'checks')}; {proven} proven, "
        return says + "nothing contradicts."
    return f"PROVEN: all {proven} hold, nothing contradicts, nothing is missing."


def as_json(report, bundle, log):
    """Return the report for a program."""
    names = ("section", "check", "verdict", "says")
    return {
        "v": 1,
        "verdict": ("proven", "contradicted", "incomplete")[report.status()],
        "about": bundle.about if bundle else {},
        "log": log,
        "checks": [dict(zip(names, (s, n, v.lower(), t))) for s, v, n, t in report.lines],
    }


def main(arguments=None):
    """Verify the bundle that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Verify an audit bundle, offline. Exit 0: proven, 1: contradicts, 2: lacks.",
    )
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--policy", metavar="FILE", help="whom you trust, instead of the bundle's")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--full", action="store_true", help="all lines of every vote")
    options = parser.parse_args(arguments)
    begun = datetime.now(timezone.utc)
    report, bundle, policy, log = Report("The bundle"), None, None, {}
    try:
        if options.policy:
            with open(options.policy, encoding="utf-8") as file:
                policy = file.read(1_000_000)
        bundle = Bundle(options.bundle)
        log = verify(report, bundle, policy, options.full)
    except OSError as error:
        report.add(MISSING, "file", f"cannot read {error.filename}: {error.strerror}")
    except NotEnough as found:
        report.add(MISSING, "zip", str(found))
    except Contradiction as found:
        report.add(CONTRADICTS, "zip", str(found))
    sys.stdout.reconfigure(errors="replace")
    if options.json:
        print(json.dumps(as_json(report, bundle, log), indent=1, ensure_ascii=True))
    else:
        print_lines(report, options.bundle, log, datetime.now(timezone.utc) - begun)
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
