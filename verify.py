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

  1 The report        4 Ed25519           7 Leaves         10 Signed results    13 The gate
  2 Reading           5 Signed notes      8 Counting       11 The replay        14 The program
  3 The bundle        6 The tree          9 Statistics     12 A vote
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import math
import os
import platform
import re
import shutil
import struct
import sys
import textwrap
import zipfile
import zlib
from datetime import datetime, timezone
from fractions import Fraction

# == 1 The report ==================================================================================
#
# Every check ends as one line: a verdict, the name of the check, and what was held against what.

PROVEN, CONTRADICTS, MISSING, NOTE = "proven", "CONTRADICTS", "missing", "note"
COLOURS = {PROVEN: "32", CONTRADICTS: "1;31", MISSING: "1;33", NOTE: "2"}
MARKS = {PROVEN: "✓", CONTRADICTS: "✗", MISSING: "?", NOTE: "·"}
FAULTS_SHOWN = 8


class Contradiction(Exception):
    """Something in the bundle contradicts something else; the message names the place."""


class NotEnough(Exception):
    """The bundle lacks what a check needs, or this program does not know a kind of act."""


class Report:
    """All lines of the report, in order."""

    def __init__(self):
        self.lines = []
        self.section = ""

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
        for verdict in (CONTRADICTS, MISSING):
            for says in group.found[verdict]:
                self.add(verdict, group.name, says)
            if group.more[verdict]:
                self.add(verdict, group.name, f"and {group.more[verdict]:,} more")
        if not group.found[CONTRADICTS] and not group.found[MISSING]:
            self.add(PROVEN, group.name, group.says.format(count(group.number, *group.noun)))

    def number(self, verdict):
        """Return how many lines have the verdict."""
        return sum(line[1] == verdict for line in self.lines)

    def status(self):
        """Return the exit status."""
        if self.number(CONTRADICTS):
            return 1
        return 2 if self.number(MISSING) else 0


class Group:
    """Many small checks that share one line when all of them hold."""

    def __init__(self, name, noun, says):
        self.name, self.noun, self.says = name, noun, says
        self.number = 0
        self.found, self.more = {CONTRADICTS: [], MISSING: []}, {CONTRADICTS: 0, MISSING: 0}

    def take(self, place, function, *arguments):
        """Run one of the small checks; keep what it found, but only the first few."""
        self.number += 1
        verdict, says = attempt(function, *arguments)
        if verdict != PROVEN:
            if len(self.found[verdict]) < FAULTS_SHOWN:
                self.found[verdict].append(f"{place}: {says}")
            else:
                self.more[verdict] += 1


def attempt(function, *arguments):
    """Run a check; return the verdict and what it says.

    A document of another shape than its kind has is a contradiction, too: its maker signed it.
    """
    try:
        return PROVEN, function(*arguments)
    except Contradiction as found:
        return CONTRADICTS, str(found)
    except NotEnough as found:
        return MISSING, str(found)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        return CONTRADICTS, f"not of the form that its kind has ({type(error).__name__}: {error})"
    except (StopIteration, RecursionError) as error:
        return CONTRADICTS, f"not of the form that its kind has ({type(error).__name__})"


def plain(text):
    """Return a text that is safe to print on a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)[:600])


def count(number, one, many):
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


# == 2 Reading =====================================================================================
#
# JSON from a stranger: no floats, no huge numbers, no repeated names, not nested too deeply.

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
NUMBER = re.compile(r"-?\d{1,18}(?:[./]\d{1,18})?", re.ASCII)


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
    try:
        same = canonical(value) == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Contradiction(f"{where} is not in the canonical form of RFC 8785")
    return value


def sha256(data):
    return hashlib.sha256(data).digest()


def digest_of(data):
    """Return the digest as the record writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def from_base64(text, where):
    """Return the bytes of standard padded base64, spelled in the one usual way."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Contradiction(f"{where} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Contradiction(f"{where} is base64 in an unusual spelling")
    return data


def seconds(text, where="a time"):
    """Return a time such as 2026-11-23T10:00:00Z as seconds since 1970."""
    match = INSTANT.fullmatch(text) if isinstance(text, str) else None
    try:
        return int(datetime(*map(int, match.groups()), tzinfo=timezone.utc).timestamp())
    except (AttributeError, ValueError):
        raise Contradiction(f"{where} is not a time in UTC: {text!r}") from None


def instant(moment):
    """Write seconds since 1970 as the record does."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fraction(value, where):
    """Return an exact number written 3, "2.5" or "2/3"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and NUMBER.fullmatch(value):
        try:
            return Fraction(value)
        except ZeroDivisionError:
            pass
    raise Contradiction(f"{where} is no exact number: {value!r}")


def need(condition, says):
    """Raise a contradiction unless the condition holds."""
    if not condition:
        raise Contradiction(says)


def same(found, expected, what):
    """Hold one value against another."""
    if found != expected:
        raise Contradiction(f"{what} is {shown(found)}, but it must be {shown(expected)}")


def shown(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 90 else text[:87] + "…"


def short(digest):
    return digest[:19] + "…" if isinstance(digest, str) else "none"


# == 3 The bundle ==================================================================================
#
# A zip may lie about names and sizes. Nothing is ever unpacked to disk; each file is read into
# memory when a check asks for it, and no more of it than the zip's own directory announced.

FORMAT = "oversight-audit-bundle"
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(?:/[A-Za-z0-9_][A-Za-z0-9._+-]*){0,9}", re.ASCII)
MAX_FILES = 500_000
MAX_FILE_BYTES = 64 << 20
MAX_TOTAL_BYTES = 8 << 30
MAX_RATIO = 200


class Bundle:
    """The files of a zip, read one by one and held against the manifest."""

    def __init__(self, path):
        self.path = path
        self.used = {"manifest.json"}
        self.damaged = set()
        try:
            self.zip = zipfile.ZipFile(path)
            self.members = self._members()
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise Contradiction(f"this is no usable zip: {error}") from None
        self.manifest = {}
        self.about = {}

    def _members(self):
        infos = self.zip.infolist()
        need(len(infos) <= MAX_FILES, f"the zip lists {len(infos):,} files; {MAX_FILES:,} at most")
        members = {}
        for info in infos:
            name = info.filename
            need(PATH.fullmatch(name) and len(name) <= 200, f"the zip has a file named {name!r}")
            need(name.lower() not in members, f"the zip has two files named {name!r}")
            need(not info.flag_bits & 1, f"{name} is encrypted")
            need(info.compress_type in (0, 8), f"{name} is packed in an unknown way")
            need(info.file_size <= MAX_FILE_BYTES, f"{name} is {info.file_size:,} bytes long")
            need(
                info.file_size <= 4096 + MAX_RATIO * info.compress_size,
                f"{name} would swell from {info.compress_size:,} to {info.file_size:,} bytes",
            )
            members[name.lower()] = info
        total = sum(info.file_size for info in infos)
        need(total <= MAX_TOTAL_BYTES, f"the zip would unpack to {total:,} bytes")
        self._need_apart(infos)
        return {info.filename: info for info in infos}

    def _need_apart(self, infos):
        """Files must not overlap in the zip: a few kilobytes could otherwise pose as terabytes."""
        end = 0
        for info in sorted(infos, key=lambda each: each.header_offset):
            need(info.header_offset >= end, f"{info.filename} overlaps another file of the zip")
            end = info.header_offset + 30 + len(info.filename) + info.compress_size

    def check_zip(self):
        """Say what the zip holds, as far as its directory tells."""
        total = sum(info.file_size for info in self.members.values())
        return f"{count(len(self.members), 'file', 'files')}, {total:,} bytes; no name leads out"

    def check_manifest(self):
        """Hold every file against its size and SHA-256 in manifest.json, and take the scope."""
        value = read_canonical(self.raw("manifest.json"), "manifest.json")
        need(isinstance(value, dict), "manifest.json is no object")
        same(sorted(value), ["about", "files", "format", "v"], "the fields of manifest.json")
        same((value["format"], value["v"]), (FORMAT, 1), "the format in manifest.json")
        self.about = self._scope(value["about"])
        need(isinstance(value["files"], list), "the files in manifest.json are no list")
        for entry in value["files"]:
            named = isinstance(entry, dict) and sorted(entry) == ["path", "sha256", "size"]
            need(named, f"manifest.json has an entry {shown(entry)}")
            need(entry["path"] not in self.manifest, f"manifest.json names {entry['path']} twice")
            self.manifest[str(entry["path"])] = entry
        extra = sorted(set(self.members) - set(self.manifest) - {"manifest.json"})
        need(not extra, f"{extra[0] if extra else ''} is in the zip and not in manifest.json")
        gone = sorted(set(self.manifest) - set(self.members))
        if gone:
            raise NotEnough(f"{gone[0]} is named in manifest.json and not in the zip")
        return f"manifest.json names all {count(len(self.manifest), 'file', 'files')}"

    def _scope(self, about):
        kinds = {"log": ["kind"], "decision": ["kind", "ref"], "deployment": ["kind", "slug"]}
        kind = about.get("kind") if isinstance(about, dict) else None
        need(kind in kinds, "manifest.json does not say what the bundle is about")
        same(sorted(about), kinds[kind], "what manifest.json says the bundle is about")
        return about

    def check_files(self):
        """Read every file once and compare its digest."""
        for path, entry in self.manifest.items():
            data = self._read(path)
            if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
                self.damaged.add(path)
        need(not self.damaged, f"altered since it was packed: {', '.join(sorted(self.damaged))}")
        return "every byte is as manifest.json says (size and SHA-256 of each file)"

    def check_all_used(self):
        """Refuse content that no check has looked at."""
        left = sorted(set(self.members) - self.used - {"README.txt", "verify.py"})
        need(not left, f"{left[0] if left else ''} belongs to no act on the log")
        return "every file of the bundle was held against the log"

    def check_program(self):
        """Say whether the copy of this program in the bundle is this program."""
        if "verify.py" not in self.members:
            raise NotEnough("the bundle has no verify.py")
        with open(__file__, "rb") as file:
            own = file.read()
        need(own == self._read("verify.py"), "differs")
        return "verify.py in the bundle is the program you are running"

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
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, zlib.error) as error:
            raise Contradiction(f"{path} cannot be read: {error}") from None
        except (NotImplementedError, RuntimeError) as error:
            raise Contradiction(f"{path} is packed in an unknown way: {error}") from None
        need(len(data) == info.file_size, f"{path} has another length than the zip says")
        return data

    def document(self, path, digest, decoder=STRICT):
        """Return a document whose digest is on the log."""
        data = self.raw(path)
        same(digest_of(data), digest, f"the SHA-256 of {path}")
        return read_json(data, path, decoder)


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


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = decode_point(BASE_Y.to_bytes(32, "little"))


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


# == 5 Signed notes: checkpoint, policy, quorum ====================================================
#
# c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy.

LOG_KEY, WITNESS_KEY = 1, 4
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Key:
    """A public key with its name, from `NAME+<8 hex digits>+<base64 of type and key>`."""

    def __init__(self, vkey):
        parts = vkey.split("+", 2)
        need(len(parts) == 3, f"{shown(vkey)} is no verifier key")
        self.vkey, self.name = vkey, parts[0]
        material = from_base64(parts[2], f"the key of {self.name}")
        need(self.name and not re.search(r"\s", self.name), "a key has no usable name")
        self.id = sha256(self.name.encode() + b"\n" + material)[:4]
        same(parts[1], self.id.hex(), f"the id in the key of {self.name}")
        self.kind, self.public = material[0], material[1:]


class Policy:
    """Whose signatures are asked for: the log's keys, witnesses, groups of them, a quorum."""

    def __init__(self, text):
        self.log_keys, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        need(not CONTROL.search(text.replace("\t", " ")), "the policy holds a control character")
        for line in text.split("\n"):
            words = line.split("#", 1)[0].split()
            if words:
                self._read(words)
        need(self.log_keys, "the policy names no log")
        need(self.quorum is not None, "the policy has no quorum line")
        known = {"none", *self.witnesses, *self.groups}
        need(self.quorum in known, f"the policy's quorum {self.quorum} is not defined")

    def _read(self, words):
        kind, rest = words[0], words[1:]
        if kind == "log" and 1 <= len(rest) <= 2:
            self.log_keys.append(Key(rest[0]))
        elif kind == "witness" and 2 <= len(rest) <= 3:
            self._define(rest[0])
            self.witnesses[rest[0]] = Key(rest[1])
        elif kind == "group" and len(rest) >= 3:
            self._define(rest[0])
            members = rest[2:]
            for name in members:
                known = name in self.witnesses or name in self.groups
                need(known, f"the policy's group {rest[0]} names {name}, which is not defined")
            wanted = {"all": len(members), "any": 1}.get(rest[1])
            if wanted is None and re.fullmatch(r"[0-9]{1,4}", rest[1]):
                wanted = int(rest[1])
            need(wanted and wanted <= len(members), f"the policy's group {rest[0]} asks too much")
            self.groups[rest[0]] = (wanted, members)
        elif kind == "quorum" and len(rest) == 1 and self.quorum is None:
            self.quorum = rest[0]
        else:
            raise Contradiction(f"the policy has a line that means nothing: {' '.join(words)}")

    def _define(self, name):
        twice = name in self.witnesses or name in self.groups or name == "none"
        need(not twice, f"the policy defines {name} twice")

    def met_by(self, signers, name=None):
        """Say whether the witnesses that signed make up the quorum."""
        name = name or self.quorum
        if name == "none":
            return True
        if name in self.groups:
            wanted, members = self.groups[name]
            return sum(self.met_by(signers, member) for member in members) >= wanted
        return name in signers


class Checkpoint:
    """The signed statement of a log's size and root."""

    def __init__(self, data):
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Contradiction("the checkpoint is not UTF-8") from None
        need(len(data) <= 100_000 and not CONTROL.search(note), "the checkpoint is no signed note")
        end = note.rfind("\n\n")
        need(end > 0 and note.endswith("\n"), "the checkpoint has no blank line and signatures")
        self.text = note[: end + 1]
        lines = note[end + 2 : -1].split("\n")
        need(len(lines) <= 64, "the checkpoint has more than 64 signatures")
        self.signatures = [self._signature(line) for line in lines]
        stated = self.text.split("\n")[:-1]
        need(len(stated) == 3, "a checkpoint is three lines: origin, size, root")
        self.origin, size, root = stated
        need(re.fullmatch(r"0|[1-9][0-9]{0,14}", size), f"the checkpoint's size is {size!r}")
        self.size = int(size)
        self.root = from_base64(root, "the checkpoint's root")
        need(len(self.root) == 32, "the checkpoint's root has not 32 bytes")

    def _signature(self, line):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", f"{shown(line)} is no signature line")
        blob = from_base64(parts[2], f"the signature of {parts[1]}")
        need(len(blob) > 4, f"the signature of {parts[1]} is too short")
        return parts[1], blob[:4], blob[4:]

    def signed_by_log(self, policy):
        """Check the log's own signature; a wrong one of a known key rejects the whole note."""
        found = None
        for key in policy.log_keys:
            for name, key_id, signature in self.signatures:
                if (name, key_id) != (key.name, key.id) or key.kind != LOG_KEY:
                    continue
                good = ed25519_verifies(key.public, self.text.encode(), signature)
                need(good, f"the signature of {name} ({key_id.hex()}) is wrong")
                found = key
        need(found, f"no key that the policy trusts has signed (asked: {policy.log_keys[0].vkey})")
        same(self.origin, found.name, "the log that the checkpoint is of")
        size = count(self.size, "entry", "entries")
        return f"{found.name} signed {size} (Ed25519, key {found.id.hex()})"

    def unread(self, policy):
        """Return who else has signed, with keys the policy lacks or this program cannot use."""
        usable = [key for key in policy.log_keys if key.kind == LOG_KEY]
        usable += [key for key in policy.witnesses.values() if key.kind == WITNESS_KEY]
        known = {(key.name, key.id) for key in usable}
        return [name for name, key_id, _ in self.signatures if (name, key_id) not in known]

    def cosigned(self, policy):
        """Check the witnesses' signatures and the quorum that the policy asks for."""
        signers = set()
        for witness, key in policy.witnesses.items():
            for name, key_id, blob in self.signatures:
                if (name, key_id) != (key.name, key.id) or key.kind != WITNESS_KEY:
                    continue
                moment = int.from_bytes(blob[:8], "big")
                message = f"cosignature/v1\ntime {moment}\n{self.text}".encode()
                good = ed25519_verifies(key.public, message, blob[8:])
                need(good, f"the cosignature of {name} ({key_id.hex()}) is wrong")
                signers.add(witness)
        if not policy.met_by(signers):
            raise NotEnough(f"the quorum {policy.quorum} is not met; signed: {sorted(signers)}")
        return f"the quorum {policy.quorum} is met by {', '.join(sorted(signers))}"


# == 6 The tree ====================================================================================
#
# RFC 6962: leaf = SHA-256(00 ‖ entry), node = SHA-256(01 ‖ left ‖ right), split at the largest
# power of two below the size. Tiles (c2sp.org/tlog-tiles) are the same hashes, 256 in a file.

WIDTH = 256


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

    def __init__(self):
        self.size = 0
        self.peaks = []
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

    def root(self):
        """Return the root: the peaks joined from the right."""
        if not self.peaks:
            return sha256(b"")
        joined = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            joined = sha256(b"\x01" + peak + joined)
        return joined


def entries_of(bundle, size):
    """Yield the path of each file of entries, its first index, and the entries in it."""
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        path = tile_path("entries", first // WIDTH, width)
        yield path, first, split_entries(bundle.raw(path), path, width)


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


class TileCheck:
    """Holds the tiles against the entries, so that a changed entry is named by its index."""

    def __init__(self, bundle):
        self.bundle, self.compared, self.faults = bundle, 0, []

    def compare(self, level, index, hashes):
        """Compare one tile, if the bundle has it."""
        path = tile_path(level, index, len(hashes))
        if path not in self.bundle:
            return
        data = self.bundle.raw(path)
        self.compared += 1
        if data == b"".join(hashes):
            return
        stored = [data[start : start + 32] for start in range(0, len(data), 32)]
        wrong = [n for n, hash_ in enumerate(hashes) if n >= len(stored) or stored[n] != hash_]
        first = index * WIDTH + (wrong[0] if wrong else len(hashes))
        what = "entry" if level == 0 else f"the level {level} hash"
        self.faults.append(f"{what} {first} does not give the hash that stands in {path}")

    def verdict(self, levels):
        """Compare the tiles above level 0 and say how all of them came out."""
        for level, hashes in levels.items():
            for first in range(0, len(hashes), WIDTH):
                self.compare(level, first // WIDTH, hashes[first : first + WIDTH])
        need(not self.faults, "; ".join(self.faults[:3]))
        return f"{count(self.compared, 'tile holds', 'tiles hold')} the hashes of the entries"


# == 7 Leaves ======================================================================================
#
# An entry is canonical JSON under 4 KB: who did what to what when, with digests, commitments and
# short facts.

KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}(?:\.[a-z][a-z0-9_-]{0,39}){1,4}", re.ASCII)
REFERENCE = re.compile(r"[a-z][a-z0-9_-]{0,39}:[!-~]{1,160}", re.ASCII)
LEAF_FIELDS = {"v", "type", "at", "actor", "subject", "digests", "commits"}


class Leaf:
    """One act on the log."""

    __slots__ = ("actor", "at", "commits", "digests", "facts", "index", "kind", "subject")

    def __init__(self, data):
        need(len(data) < 4096, f"it is {len(data)} bytes long")
        value = read_canonical(data, "it", QUICK)
        need(set(value) - {"facts"} == LEAF_FIELDS and value["v"] == 1, "it has other fields")
        self.kind, self.actor, self.subject = value["type"], value["actor"], value["subject"]
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


def opens(commitment, salt, value):
    """Say whether salt and value are what was committed to."""
    try:
        bare = bytes.fromhex(salt)
        private = canonical(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return len(bare) == 32 and digest_of(b"oversight/commit/v1" + bare + private) == commitment


# == 8 Counting ====================================================================================
#
# Written anew from docs/reference/counting.md: whole numbers and fractions only.


def quorum_of(rules, cast, roll, heads):
    """Return what must have taken part, and whether it did.

    `heads` are the members who took part, those on the roll, and the weight of those recused.
    """
    base = rules["quorum_base"]
    whole, present = (heads[1], heads[0]) if base == "members" else (roll, cast)
    whole += heads[2] if base == "roll_and_recused" else 0
    needed = Fraction(rules["quorum"]) * whole
    return {"needed": needed, "met": present >= needed}


def count_motion(rules, ballots, roll, heads, draw):
    """Judge yes, no and abstain by weight against quorum and threshold."""
    votes = dict.fromkeys(("yes", "no", "abstain"), Fraction(0))
    for ballot in ballots:
        votes[ballot["choice"]] += ballot["weight"]
    yes, no, cast, roll = votes["yes"], votes["no"], sum(votes.values()), Fraction(roll)
    base = {"votes_cast": cast, "yes_and_no": yes + no, "roll": roll}[rules["base"]]
    line = Fraction(rules["threshold"]) * base
    met = yes > line if rules["comparison"] == "more_than" else yes >= line and yes > 0
    quorum = quorum_of(rules, cast, roll, heads)
    outcome = "no_quorum" if not quorum["met"] else "carried" if met else "not_carried"
    if outcome == "not_carried" and yes == no == line and yes > 0:
        side = draw(["yes", "no"])[0] if draw else None
        outcome = {"yes": "carried", "no": "not_carried", None: "tied"}[side]
    share = yes / base if base else None
    judged = {"base_weight": base, "line": line, "share": share, "met": met}
    votes.update(cast=cast, roll=roll)
    return {
        "rules": rules,
        "votes": votes,
        "quorum": quorum,
        "threshold": judged,
        "outcome": outcome,
    }


def count_consent(rules, ballots, roll, heads, draw):  # noqa: ARG001
    """Judge by consent: one objection with a reason is enough to stop a motion."""
    votes = dict.fromkeys(("consent", "abstain", "object"), Fraction(0))
    for ballot in ballots:
        votes[ballot["choice"]] += ballot["weight"]
    reasons = [b.get("reason", "") for b in ballots if b["choice"] == "object"]
    standing = sum(bool(reason.strip()) for reason in reasons)
    cast = sum(votes.values())
    quorum = quorum_of(rules, cast, roll, heads)
    carried = "carried" if votes["consent"] and not standing else "not_carried"
    outcome = carried if quorum["met"] else "no_quorum"
    votes.update(cast=cast, roll=Fraction(roll))
    return {"votes": votes, "quorum": quorum, "standing": standing, "outcome": outcome}


def lot_of(seed):
    """Return the order of a lot: names by SHA-256 of seed and name, the luckiest first."""
    return lambda names: sorted(names, key=lambda name: (sha256((seed + name).encode()), name))


def order_of(casting_vote):
    """Return the chair's order."""
    return lambda names: sorted(names, key=casting_vote.index)


def drawn(names, draw):
    """Sort names by whatever breaks ties; alphabetically where nothing may."""
    return sorted(names) if draw is None else draw(names)


def narrow(tied, history, extreme):
    """Look back stage by stage, each time keeping those who had the most (or fewest) votes."""
    for totals in reversed(history):
        wanted = extreme(totals[name] for name in tied)
        tied = [name for name in tied if totals[name] == wanted]
    return tied


def until_shared(ranking):
    """Return a ballot's order up to its first shared rank, where counts by transfer end it."""
    order = []
    for rank in ranking:
        if len(rank) > 1:
            break
        order.append(rank[0])
    return order


def count_stv(names, seats, ballots, draw):
    """Count by the Scottish rules: weighted inclusive Gregory, values cut to five decimals."""
    papers = [[weight, 10**5, until_shared(ranking)] for weight, ranking in ballots]
    valid = sum((paper[0] for paper in papers if paper[2]), Fraction(0))
    void = sum((weight for weight, _ in ballots), Fraction(0)) - valid
    quota = valid // (seats + 1) + 1
    piles = {name: [p for p in papers if p[2] and p[2][0] == name] for name in names}
    totals = {name: sum((p[0] for p in piles[name]), Fraction(0)) for name in names}
    luck = drawn(names, draw)
    inside, elected, surplus, history, stages = list(names), [], set(), [], []

    def ranked(some):
        return sorted(some, key=lambda n: ([-t[n] for t in reversed(history)], luck.index(n)))

    def close_stage(excluded=()):
        history.append(dict(totals))
        reached = [name for name in inside if totals[name] >= quota]
        surplus.update(name for name in reached if totals[name] > quota)
        rest = [name for name in inside if name not in reached]
        new = ranked(reached)
        if len(rest) <= seats - len(elected) - len(new):
            new += ranked(rest)
        elected.extend(new)
        inside[:] = [name for name in inside if name not in new]
        held = {n: t for n, t in totals.items() if n in inside or n in elected}
        left = valid - sum(totals.values())
        stages.append({"totals": held, "exhausted": left, "elected": new, "excluded": [*excluded]})

    def pass_on(giver, revalue):
        for weight, value, order in piles.pop(giver):
            after = order[order.index(giver) + 1 :]
            heir = next((name for name in after if name in inside), None)
            if heir is not None:
                piles[heir].append([weight, revalue(value), order])
                totals[heir] += weight * Fraction(revalue(value), 10**5)

    def result(outcome):
        return ranked_result(outcome, elected, valid, void, stages, int(quota))

    if not valid and len(names) > seats:
        stages.append({"totals": totals, "exhausted": valid, "elected": [], "excluded": []})
        return result("no_votes")
    close_stage()
    while inside and len(elected) < seats:
        if surplus:
            most = max(totals[name] for name in surplus)
            tied = narrow([n for n in names if n in surplus and totals[n] == most], history, max)
            if len(tied) > 1 and draw is None:
                return result("tied")
            giver = min(tied, key=luck.index)
            surplus.discard(giver)
            spare = totals[giver] - quota
            share = spare / totals[giver]
            pass_on(giver, lambda value, share=share: value * share // 1)
            totals[giver] = Fraction(quota)
            close_stage()
        else:
            fewest = min(totals[name] for name in inside)
            tied = narrow([name for name in inside if totals[name] == fewest], history, min)
            if len(tied) > 1 and draw is None:
                return result("tied")
            out = max(tied, key=luck.index)
            inside.remove(out)
            totals[out] = Fraction(0)
            pass_on(out, lambda value: value)
            close_stage([out])
    return result("elected")


def count_irv(names, seats, ballots, draw):  # noqa: ARG001 - every method is called alike
    """Exclude whoever has the fewest votes until someone has more than half of those held."""
    papers = [(weight, until_shared(ranking)) for weight, ranking in ballots]
    valid = sum((weight for weight, order in papers if order), Fraction(0))
    void = sum((weight for weight, _ in papers), Fraction(0)) - valid
    luck = drawn(names, draw)
    inside, history, stages, winner, excluded = list(names), [], [], None, []
    while True:
        totals = dict.fromkeys(names, Fraction(0))
        for weight, order in papers:
            heir = next((name for name in order if name in inside), None)
            if heir is not None:
                totals[heir] += weight
        history.append(totals)
        held = sum(totals.values())
        winner = next((name for name in inside if 2 * totals[name] > held), None)
        stages.append(
            {
                "totals": {name: totals[name] for name in inside},
                "exhausted": valid - held,
                "elected": [winner] if winner else [],
                "excluded": sorted(excluded),
            }
        )
        if winner or not valid:
            outcome = "elected" if winner else "no_votes"
            return ranked_result(outcome, [winner] if winner else [], valid, void, stages)
        fewest = min(totals[name] for name in inside)
        tied = narrow([name for name in inside if totals[name] == fewest], history, min)
        others = [totals[name] for name in inside if name not in tied]
        if len(tied) > 1 and not (others and sum(totals[n] for n in tied) < min(others)):
            if draw is None:
                return ranked_result("tied", [], valid, void, stages)
            tied = [max(tied, key=luck.index)]
        excluded = tied
        inside = [name for name in inside if name not in tied]


def count_schulze(names, seats, ballots, draw):  # noqa: ARG001
    """Compare in pairs; the strongest path by winning votes decides."""
    wins = {a: dict.fromkeys(names, Fraction(0)) for a in names}
    valid = sum((weight for weight, ranking in ballots if ranking), Fraction(0))
    void = sum((weight for weight, ranking in ballots if not ranking), Fraction(0))
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
    elected = levels[0] if valid else []
    if len(elected) > 1:
        elected = drawn(elected, draw)[:1] if draw is not None else []
    outcome = "no_votes" if not valid else "elected" if elected else "tied"
    beats = [a for a in names if valid and all(wins[a][b] > wins[b][a] for b in names if b != a)]
    found = ranked_result(outcome, elected, valid, void, None)
    for name, matrix in (("pairwise", wins), ("strongest_paths", path)):
        found[name] = {a: {b: matrix[a][b] for b in names if b != a} for a in names}
    found["condorcet_winner"] = beats[0] if beats else None
    found["ranking"] = levels
    return found


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
    totals = dict.fromkeys(names, Fraction(0))
    for weight, points in marks:
        for name, number in points.items():
            totals[name] += weight * number
    valid = sum((weight for weight, points in marks if points), Fraction(0))
    void = sum((weight for weight, points in marks if not points), Fraction(0))
    order = [name for name in drawn(names, draw) if totals[name] > 0]
    order.sort(key=lambda name: -totals[name])
    elected, outcome = order[:seats], "elected" if order else "no_votes"
    if len(order) > seats and totals[order[seats - 1]] == totals[order[seats]] and draw is None:
        elected = [name for name in order if totals[name] > totals[order[seats]]]
        outcome = "tied"
    stage = {"totals": totals, "elected": elected}
    return ranked_result(outcome, elected, valid, void, [stage])


def read_ranks(ballot):
    """Return a ballot's weight with its points, or with its ranks: each a name or several."""
    if "scores" in ballot:
        return Fraction(ballot["weight"]), ballot["scores"]
    ranking = [[rank] if isinstance(rank, str) else list(rank) for rank in ballot["ranking"]]
    names = [name for rank in ranking for name in rank]
    need(all(ranking) and len(set(names)) == len(names), "a ballot ranks somebody twice, or nobody")
    return Fraction(ballot["weight"]), ranking


def ranked_result(outcome, elected, valid, void, stages, quota=None):
    found = {"outcome": outcome, "elected": elected, "valid": valid, "void": void, "quota": quota}
    return found if stages is None else {**found, "stages": stages}


METHODS = {
    "scottish-stv": count_stv,
    "irv": count_irv,
    "schulze": count_schulze,
    "approval": count_approval,
    "plurality": count_plurality,
    "score": seat_the_highest,
}
MOTIONS = {"yes-no": count_motion, "consent": count_consent}


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


# == 9 Statistics ==================================================================================
#
# Mean, standard error and 95 % interval of the scores of one metric. IEEE doubles, as published.

Z = 1.959963984540054
NEAR = 1e-9
RESAMPLES, TAIL = 4999, 125


def interval(scores):
    """Return n, mean, standard error, low and high."""
    n, scores = len(scores), sorted(scores)
    mean = math.fsum(scores) / n
    errors = [score - mean for score in scores]
    stderr = math.sqrt(math.fsum(e * e for e in errors) * n / (n - 1)) / n if n > 1 else None
    if scores[-1] - scores[0] <= 1e-14 * max(abs(scores[0]), abs(scores[-1])):
        stderr = stderr and 0.0
    if set(scores) <= {0, 1}:
        return (n, mean, stderr, *wilson(scores.count(1), n))
    if not stderr:
        return n, mean, stderr, None, None
    low, high = (bootstrap(errors) if 10 <= n <= 500 else None) or skewed_t(errors)
    return n, mean, stderr, mean - low * stderr, mean - high * stderr


def wilson(right, n):
    """Return the score interval of a proportion (Wilson 1927)."""
    p = right / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    low = 0.0 if right == 0 else max(0.0, centre - half)
    return low, 1.0 if right == n else min(1.0, centre + half)


def bootstrap(errors):
    """Return the tails of the studentised bootstrap; its draws come from SHAKE-128 alone.

    None where too many resamples lose the spread that a few scores carry.
    """
    n, most = len(errors), max(map(abs, errors))
    e = [error / most for error in errors]
    variance, lost, statistics = math.fsum(x * x for x in e) / n**2, 0, []
    for row in range(RESAMPLES):
        drawn = hashlib.shake_128(b"oversight bootstrap v1 %d %d" % (n, row)).digest(4 * n)
        sample = [e[u * n >> 32] for u in struct.unpack(f"<{n}I", drawn)]
        shift = math.fsum(sample) / n
        spread = max(math.fsum(x * x for x in sample) - n * shift * shift, 0.0) / n**2
        if spread < 0.01 * variance:
            lost, spread = lost + 1, 0.01 * variance
        statistics.append(shift / math.sqrt(n / (n - 1) * spread))
    statistics.sort()
    return None if lost > 0.005 * RESAMPLES else (statistics[-TAIL], statistics[TAIL - 1])


def skewed_t(errors):
    """Return the tails of Student's distribution, bent for skewness (Hall 1992)."""
    n = len(errors)
    second = math.fsum(e * e for e in errors) / n
    g = math.fsum((e / math.sqrt(second)) ** 3 for e in errors) / n / math.sqrt(n)
    t = student(n - 1)
    if abs(g) < 1e-8:
        return t, -t

    def bent(y):
        x = 1 + g * (y - g / 6)
        return 3 / g * (math.copysign(abs(x) ** (1 / 3), x) - 1)

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
    good = isinstance(stated, str) and re.fullmatch(r"-?\d{1,20}(\.\d{1,400})?(e-\d{1,3})?", stated)
    need(good, f"{what} is no decimal: {shown(stated)}")
    need(abs(float(stated) - own) <= NEAR, f"{what} is stated as {stated}; the scores give {own!r}")


def judge(comparison, threshold, low, high):
    """Judge an interval against a threshold: met, not met, or undecided."""
    if low is None or high is None:
        return "undecided"
    limit = float(fraction(threshold, "a threshold"))
    met, missed = (low >= limit, high < limit)
    if comparison == "below":
        met, missed = (high < limit, low >= limit)
    return "met" if met else "not_met" if missed else "undecided"


# == 10 Signed results =============================================================================
#
# A worker signs an in-toto Statement in a DSSE envelope. The key is the one on the log.

PAYLOAD_TYPE = "application/vnd.in-toto+json"


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

    Return for each metric what `interval` finds in the scores.
    """
    folder = f"runs/{run.name}/{task}"
    where = f"{folder}.dsse.json"
    payload = open_envelope(bundle.raw(where), where, result.worker)
    same(digest_of(payload), result.digests["statement"], f"the digest of the payload of {where}")
    statement = read_json(payload, where)
    stated = statement["predicate"]
    model = {"name": "model", "digest": {"sha256": run.version.partition(":")[2]}}
    about = (
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
    for name, found, expected in about:
        same(found, expected, f"the {name} in {where}")
    found = read_scores(bundle, f"{folder}.scores.json", result.digests.get("scores"))
    claims = {claim["metric"]: claim for claim in stated["aggregates"]}
    same(sorted(claims), sorted(found), f"the metrics in {where}")
    for metric, (n, mean, stderr, _, _) in found.items():
        claim = claims[metric]
        same(claim["n"], n, f"n of {metric} in {where}")
        near(claim["mean"], mean, f"the mean of {metric} in {where}")
        near(claim.get("stderr"), stderr, f"the standard error of {metric} in {where}")
        same(stated["samples"]["rows"], n, f"the number of samples in {where}")
    check_task(bundle, suites, run, task, stated, n)
    return found


def read_scores(bundle, path, digest):
    """Return for each metric what its scores give."""
    if digest is None:
        raise NotEnough(f"the log has no digest of {path}, so its scores prove nothing")
    value = bundle.document(path, digest)
    metrics, rows = value["metrics"], value["rows"]
    need(rows and metrics, f"{path} holds no scores")
    ids = [row[0] for row in rows]
    need(all(map(int.__lt__, ids, ids[1:])), f"{path} has a sample twice or out of order")
    need(all(len(row) == 1 + len(metrics) for row in rows), f"{path} has a row without a score")
    return {m: interval([float(row[c + 1]) for row in rows]) for c, m in enumerate(metrics)}


def check_task(bundle, suites, run, task, stated, n):
    """Hold a result against the suite: this very task, and every item of it."""
    subject = suites[run.suite].name.replace(":", "-")
    document = bundle.document(f"suites/{subject}.json", run.suite, LENIENT)
    entry = next(each for each in document["tasks"] if each["name"] == task)
    if "data" in entry:
        expected = min(entry["data"]["rows"], run.limit or entry["data"]["rows"])
        same(n, expected, f"the number of samples of {run.name} {task}")
        data = [each["sha256"] for each in stated["dataset"]]
        same(data, [entry["data"]["sha256"]], f"the data of {run.name} {task}")
    same(sorted(entry["metrics"]), sorted(c["metric"] for c in stated["aggregates"]), "the metrics")


# == 11 The replay =================================================================================
#
# All acts in the order of the log. Each is judged by what stood before it, as the rules of the
# house say; nothing is taken from a database, only from the entries and from documents whose
# digests they hold. That an administrator was one is not on the log, so it is not judged.

MOVES = {
    ("draft", "deliberation"): ("proposer", "clerk"),
    ("draft", "withdrawn"): ("proposer",),
    ("deliberation", "final_text"): ("clerk",),
    ("deliberation", "withdrawn"): ("proposer",),
    ("final_text", "voting"): ("clerk",),
    ("final_text", "deliberation"): ("clerk",),
    ("final_text", "withdrawn"): ("proposer",),
    ("voting", "decided"): ("clerk", "system:clock"),
    ("voting", "annulled"): ("clerk",),
}
GRACE_SECONDS = 5
"""Who may act is asked just before an act is written, so the end of a term may fall between."""

DISORDER_SECONDS = 300
"""Acts under way at once may be dated out of order by a little; more would be dating back."""


class Record:
    """Plain state with named fields."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Replay:
    """What the acts so far amount to."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.size, self.leaf, self.last_at, self.latest, self.unknown = 0, None, 0, 0, {}
        self.organisations, self.bodies, self.people = set(), {}, set()
        self.models, self.versions, self.endpoints, self.deployments = set(), {}, set(), {}
        self.suites, self.workers, self.runs, self.criteria = {}, {}, {}, {}
        self.replications, self.rotations, self.closed = set(), [], None
        self.proposals, self.votes, self.authorisations = {}, [], {}
        self.committed, self.outside, self.carried, self.changes = {}, 0, set(), []
        self.groups = {
            "form": Group("entries", ("entry is", "entries are"), "{} canonical leaves under 4 KB"),
            "log": Group("the log itself", ("act", "acts"), "{}: keys handed on, openings erased"),
            "people": Group("people", ("act", "acts"), "{}: bodies, terms and roles follow on"),
            "charter": Group("charters", ("charter", "charters"), "{}, each numbered and in full"),
            "registry": Group("registry", ("act", "acts"), "{}: nothing named before it is there"),
            "evals": Group("evaluations", ("act", "acts"), "{}: asked, run, signed in this order"),
            "result": Group("results", ("result", "results"), "{}: signed, recomputed from scores"),
            "proposal": Group("proposals", ("act", "acts"), "{}: by who may, in the stages' order"),
            "text": Group("texts", ("revision", "revisions"), "{}, numbered, by their proposers"),
            "ballot": Group("ballots", ("ballot", "ballots"), "{} cast: numbered, vote open"),
            "in force": Group("in force", ("act", "acts"), "{} on authorisations, all decided"),
        }

    def take(self, index, data):
        """Take the next entry."""
        self.size = index + 1
        self.groups["form"].take(f"entry {index}", self._read, index, data)
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        group, method = KINDS.get(leaf.kind, (None, None))
        if group is None:
            self.unknown[leaf.kind] = self.unknown.get(leaf.kind, 0) + 1
        else:
            self.groups[group].take(f"entry {index}, {leaf.kind}", getattr(self, method), leaf)

    def _read(self, index, data):
        self.leaf = leaf = Leaf(data)
        if leaf.at < self.latest - DISORDER_SECONDS:
            says = f"it is dated {instant(leaf.at)}, long before entries that it follows"
            raise Contradiction(says)
        need(self.closed is None, "the log was closed before")
        self.latest, self.last_at = max(self.latest, leaf.at), leaf.at
        leaf.index = index

    # -- The log itself

    def key_rotated(self, leaf):
        before, after = leaf.facts["from"], leaf.facts["to"]
        if self.rotations:
            same(before, self.rotations[-1][1], "the key that hands over")
        self.rotations.append((Key(before).vkey, Key(after).vkey))

    def log_closed(self, leaf):
        self.closed = leaf.index

    def openings_erased(self, leaf):
        """What was committed to stays so; it only cannot be shown any more."""

    # -- People, bodies, charters

    def organisation_admitted(self, leaf):
        need(leaf.name not in self.organisations, "this organisation was admitted before")
        self.organisations.add(leaf.name)

    def body_founded(self, leaf):
        need(leaf.name not in self.bodies, "this body was founded before")
        zone = leaf.facts["time_zone"]
        self.bodies[leaf.name] = Record(name=leaf.name, zone=zone, seats={}, charters=[], to={})

    def member_appointed(self, leaf):
        seats, facts = self.body(leaf.name).seats, leaf.facts
        need(facts["member"] not in seats, "this seat was given before")
        role, weight = facts["role"], facts["weight"]
        need(role in ("member", "chair", "clerk"), f"the role {role!r} is unknown")
        fits = isinstance(weight, int) and (weight == 0 if role == "clerk" else weight > 0)
        need(fits, f"a {role} does not weigh {weight!r}")
        starts = seconds(facts["starts_at"])
        ends = seconds(facts["ends_at"]) if facts["ends_at"] else None
        need(ends is None or ends >= starts, "the term ends before it begins")
        for seat in seats.values():
            twice = seat.person == facts["person"] and (seat.role == "clerk") == (role == "clerk")
            apart = (seat.ends is not None and seat.ends <= starts) or (
                ends is not None and ends <= seat.starts
            )
            need(not twice or apart, "this person has such a term at that time already")
        seats[facts["member"]] = Record(
            person=facts["person"],
            role=role,
            weight=weight,
            starts=starts,
            ends=ends,
            since=leaf.at,
        )

    def membership_ended(self, leaf):
        seat = self.body(leaf.name).seats.get(leaf.facts["member"])
        need(seat is not None, "nobody has this seat")
        ends = seconds(leaf.facts["ends_at"])
        need(ends <= leaf.at + GRACE_SECONDS, "the end lies after the act that says it has ended")
        need(seat.ends is None or seat.ends >= ends, "this term had ended already")
        seat.ends = ends

    def affiliation(self, leaf):
        need(leaf.name in self.organisations, "no such organisation was admitted")
        entry = (leaf.name, leaf.facts["person"], leaf.facts["role"])
        ended = leaf.kind.endswith("ended")
        need((entry in self.people) == ended, "it was so already" if not ended else "it never was")
        (self.people.discard if ended else self.people.add)(entry)

    def charter_adopted(self, leaf):
        body = self.body(leaf.name)
        number, digest = leaf.facts["number"], leaf.digests["charter"]
        same(number, len(body.charters) + 1, "the charter's number")
        body.charters.append((number, digest))
        path = f"bodies/{leaf.name}/charter-{number}.json"
        if path in self.bundle or self.bundle.about.get("kind") == "log":
            self.bundle.document(path, digest)

    def body(self, slug):
        need(slug in self.bodies, f"no body {slug} was founded")
        return self.bodies[slug]

    def has_seat(self, body, person, moment, roles):
        """Say whether the person has a term in one of these roles then."""
        return any(
            seat.person == person and seat.role in roles and in_term(seat, moment, GRACE_SECONDS)
            for seat in self.body(body).seats.values()
        )

    # -- Models, endpoints, deployments

    def registered(self, leaf):
        kind = leaf.kind.split(".")[1]
        known = {"model": self.models, "version": self.versions, "endpoint": self.endpoints}
        known = known.get(kind, self.deployments)
        need(leaf.name not in known, f"this {kind} was registered before")
        if kind == "version":
            same(leaf.name, leaf.digests["manifest"], "the version's name")
            need(leaf.facts["model"] in self.models, "its model is not registered")
            path = f"versions/{leaf.name[7:]}.json"
            if path in self.bundle:
                self.bundle.document(path, leaf.name)
            self.versions[leaf.name] = leaf.index
        elif kind == "deployment":
            need(leaf.facts["endpoint"] in self.endpoints, "its endpoint is not registered")
            self.deployments[leaf.name] = leaf.index
        else:
            operated = kind == "model" or leaf.facts["operator"] in self.organisations
            need(operated, "its operator was not admitted")
            known.add(leaf.name)

    # -- Suites, workers, criteria, runs, results

    def suite_published(self, leaf):
        digest = leaf.digests["document"]
        need(digest not in self.suites, "this suite was published before")
        self.suites[digest] = Record(name=leaf.name, tasks=leaf.facts["tasks"])
        path = f"suites/{leaf.name.replace(':', '-')}.json"
        if path in self.bundle:
            self.bundle.document(path, digest, LENIENT)

    def worker_enrolled(self, leaf):
        organisation, key = leaf.facts["organisation"], bytes.fromhex(leaf.facts["public_key"])
        need(leaf.subject not in self.workers, "this worker was enrolled before")
        need(organisation in self.organisations, "its organisation was not admitted")
        need(decode_point(key) if len(key) == 32 else None, "its key is no Ed25519 key")
        self.workers[leaf.subject] = Record(
            name=leaf.name, key=key, organisation=organisation, revoked=False
        )

    def worker_changed(self, leaf):
        """Rotated keys sign from here on; a pause changes nothing that is judged here."""
        worker = self.workers.get(leaf.subject)
        need(worker and not worker.revoked, "no such worker is enrolled")
        if leaf.kind == "evals.worker.key_rotated":
            same(leaf.facts["before"], worker.key.hex(), "the key before")
            worker.key = bytes.fromhex(leaf.facts["public_key"])
            need(len(worker.key) == 32 and decode_point(worker.key), "no Ed25519 key")
        worker.revoked = leaf.kind == "evals.worker.revoked"

    def criterion_recorded(self, leaf):
        proposal = self.proposals.get(leaf.subject)
        if proposal is not None:
            need(proposal.status in ("draft", "deliberation"), f"it is in {proposal.status}")
            roles = ("member", "chair", "clerk")
            own = proposal.proposer == leaf.actor
            may = own or self.has_seat(proposal.body, leaf.actor, leaf.at, roles)
            need(may, f"{leaf.actor} has no seat in {proposal.body}")
        need(leaf.digests["suite"] in self.suites, "its suite is not published")
        names = ("task", "metric", "comparison", "threshold", "must_pass")
        asked = {"suite": leaf.digests["suite"], **{name: leaf.facts[name] for name in names}}
        need(asked["comparison"] in ("at_least", "below"), "its comparison is unknown")
        self.criteria.setdefault(leaf.subject, []).append(Record(index=leaf.index, asked=asked))

    def run_requested(self, leaf):
        suite, version = leaf.digests["suite"], leaf.digests["version"]
        need(leaf.subject not in self.runs, "this run was requested before")
        need(suite in self.suites, "its suite is not published")
        need(version in self.versions, "its model version is not registered")
        self.runs[leaf.subject] = Record(
            name=leaf.name,
            index=leaf.index,
            suite=suite,
            version=version,
            limit=leaf.facts["limit"],
            state="",
            ended=None,
            results={},
        )

    def run_cancelled(self, leaf):
        self.running(leaf)

    def running(self, leaf):
        run = self.runs.get(leaf.subject)
        need(run is not None, "no such run was requested")
        need(not run.state, f"this run has {run.state} before")
        return run

    def result_accepted(self, leaf):
        run, task = self.running(leaf), leaf.facts["task"]
        worker = self.workers.get(leaf.actor)
        need(worker is not None, f"{leaf.actor} is not enrolled")
        need(not worker.revoked, f"the key of {leaf.actor} was revoked before")
        need(task not in run.results, f"{task} has a result already")
        result = Record(
            digests=leaf.digests, attempt=leaf.facts["attempt"], worker=worker, metrics=None
        )
        run.results[task] = result
        folder = f"runs/{run.name}/{task}"
        self.bundle.used.update([f"{folder}.dsse.json", f"{folder}.scores.json"])
        if self.bundle.about.get("kind") == "log" or f"{folder}.dsse.json" in self.bundle:
            result.metrics = check_result(self.bundle, run, task, result, self.suites)

    def replication(self, leaf):
        """Several runs of one question; each is judged as a run, their agreement is not."""
        begins = leaf.kind.endswith("requested")
        need((leaf.subject in self.replications) != begins, "it began twice, or never")
        self.replications.add(leaf.subject)

    def run_finished(self, leaf):
        run = self.running(leaf)
        run.state, run.ended = leaf.facts["state"], leaf.at
        if run.state == "succeeded":
            same(len(run.results), self.suites[run.suite].tasks, "the number of results")

    # -- Proposals

    def proposal(self, leaf):
        need(leaf.subject in self.proposals, "no such proposal was drafted")
        return self.proposals[leaf.subject]

    def proposal_drafted(self, leaf):
        need(leaf.subject not in self.proposals, "this proposal was drafted before")
        facts, version = leaf.facts, leaf.digests.get("version")
        need(self.body(facts["body"]).charters, "its body has no charter")
        may = self.has_seat(facts["body"], leaf.actor, leaf.at, ("member", "chair"))
        need(may, f"{leaf.actor} has no seat in {facts['body']}")
        need(version is None or version in self.versions, "its model version is not registered")
        known = facts["deployment"] is None or facts["deployment"] in self.deployments
        need(known, "its deployment is not registered")
        self.proposals[leaf.subject] = Record(
            ref=leaf.name,
            subject=leaf.subject,
            body=facts["body"],
            type=facts["type"],
            deployment=facts["deployment"],
            version=version,
            proposer=leaf.actor,
            status="draft",
            opened=None,
            final=None,
            revisions=[],
            vote=None,
            ballots={},
            recused=set(),
            lot=None,
            seed=None,
            casting_until=None,
            casting=None,
        )

    def in_scope(self, proposal):
        """Say whether the bundle is about this proposal's decision."""
        about = self.bundle.about
        if about.get("kind") == "decision":
            return proposal.ref == about["ref"]
        if about.get("kind") == "deployment":
            return proposal.deployment == about["slug"]
        return True

    def text_revised(self, leaf):
        proposal, number = self.proposal(leaf), leaf.facts["number"]
        need(proposal.status in ("draft", "deliberation"), f"it is in {proposal.status}")
        same(leaf.actor, proposal.proposer, "who writes")
        same(number, len(proposal.revisions) + 1, "the revision's number")
        proposal.revisions.append((number, leaf.digests["text"]))
        path = f"proposals/{proposal.ref}/text-{number}.json"
        if path in self.bundle:
            self.bundle.document(path, leaf.digests["text"])

    def stage_moved(self, leaf):
        proposal = self.proposal(leaf)
        move = (leaf.facts["from"], leaf.facts["to"])
        same(move[0], proposal.status, "the stage it moves from")
        need(move in MOVES, f"no move leads from {move[0]} to {move[1]}")
        proposal.status = move[1]
        if move[1] == "deliberation" and proposal.opened is None:
            proposal.opened = leaf.at
        if move[1] == "final_text":
            proposal.final = leaf.at
            rules = self.rules_of(proposal)
            if rules is not None:
                earliest = proposal.opened + 3600 * rules["deliberation_hours"]
                need(leaf.at >= earliest, f"deliberation lasts until {instant(earliest)}")
        may = (
            (leaf.actor == proposal.proposer and "proposer" in MOVES[move])
            or leaf.actor in MOVES[move]
            or ("clerk" in MOVES[move] and self.has_clerk(proposal, leaf))
            or (move[1] == "decided" and self.gave_casting_vote(proposal, leaf.actor))
        )
        need(may, f"{leaf.actor} may not move {proposal.ref} from {move[0]} to {move[1]}")

    def gave_casting_vote(self, proposal, person):
        seats = self.body(proposal.body).seats
        return proposal.casting is not None and seats[proposal.casting[0]].person == person

    def has_clerk(self, proposal, leaf):
        return self.has_seat(proposal.body, leaf.actor, leaf.at, ("clerk",))

    def rules_of(self, proposal):
        """Return what the charter of this moment says about such proposals, if it is here."""
        number, digest = self.body(proposal.body).charters[-1]
        path = f"bodies/{proposal.body}/charter-{number}.json"
        if path not in self.bundle:
            return None
        return self.bundle.document(path, digest)[proposal.type]

    def conflict_declared(self, leaf):
        """Who declares a conflict before the vote steps off its roll."""
        proposal = self.proposal(leaf)
        need(proposal.status in ("deliberation", "final_text"), f"it is in {proposal.status}")
        need(leaf.actor in self.body(proposal.body).seats, f"{leaf.actor} has no seat")
        proposal.recused.add(leaf.actor)
        self.committed[leaf.index] = leaf.commits

    def delegation(self, leaf):
        """A delegation holds for votes opened later; taking it back holds for open ones, too."""
        body, giver, to = self.body(leaf.name), leaf.actor, leaf.facts["to"]
        need(giver in body.seats and to in body.seats, "one of the two has no seat")
        if leaf.kind.endswith("given"):
            need(giver not in body.to, "an earlier delegation stands")
            body.to[giver] = to
            need(giver not in chain(body.to, to), "the delegations go in a circle")
            return
        same(body.to.pop(giver, None), to, "whom the member had delegated to")
        for vote in self.votes:
            proposal = vote.proposal
            is_open = proposal.status == "voting" and proposal.casting_until is None
            if proposal.body == body.name and is_open and leaf.at < vote.closes:
                vote.to.pop(giver, None)

    def commented(self, leaf):
        proposal = self.proposal(leaf)
        need(
            proposal.status in ("deliberation", "final_text", "voting"), f"it is {proposal.status}"
        )
        self.committed[leaf.index] = leaf.commits

    def comment_hidden(self, leaf):
        need(self.has_clerk(self.proposal(leaf), leaf), f"{leaf.actor} is no clerk of the body")

    # -- Votes

    def vote_opened(self, leaf):
        proposal = self.proposal(leaf)
        same(proposal.status, "voting", "the stage of the proposal")
        need(proposal.vote is None, "this proposal had a vote before")
        proposal.vote = Vote(self, proposal, leaf)
        if self.in_scope(proposal):
            self.votes.append(proposal.vote)
            proposal.vote.check_contract()
        else:
            self.outside += 1

    def lot(self, leaf):
        """A lot's seed is committed to before the vote opens, and shown when it has ended."""
        proposal = self.proposal(leaf)
        if leaf.kind.endswith("committed"):
            need(proposal.vote is None and proposal.lot is None, "too late, or for the second time")
            proposal.lot = leaf.digests["seed"]
            return
        seed = leaf.facts["seed"]
        same(digest_of(seed.encode()), proposal.lot, "what the seed was committed to as")
        need(proposal.vote.outcome is None and proposal.seed is None, "it was shown before")
        proposal.seed = seed

    def tie(self, leaf):
        """A tied vote waits for the chair, and takes no more ballots."""
        proposal = self.proposal(leaf)
        same(leaf.digests["contract"], proposal.vote.digest, "the contract that it names")
        if leaf.kind.endswith("tied"):
            need(proposal.casting_until is None, "it was tied before")
            proposal.casting_until = seconds(leaf.facts["casting_until"])
            return
        need(leaf.at < (proposal.casting_until or 0), "the chair was not asked, or too late")
        need(proposal.casting is None, "the chair has spoken before")
        proposal.casting = (leaf.actor, leaf.commits["choice"])

    def ballot_cast(self, leaf):
        proposal = self.proposal(leaf)
        same(proposal.status, "voting", "the stage of the proposal")
        need(proposal.casting_until is None, "the vote was over: tied")
        vote = proposal.vote
        same(leaf.digests["contract"], vote.digest, "the contract that the ballot names")
        if leaf.at >= vote.closes:
            says = f"cast {instant(leaf.at)}, and the close was {instant(vote.closes)}"
            raise Contradiction(f"the ballot is late: {says}")
        need(leaf.at >= vote.opens, "the ballot was cast before the opening")
        known = vote.roll is None or leaf.actor in vote.roll
        need(known, f"{leaf.actor} is not on the roll of {proposal.ref}")
        before = proposal.ballots.get(leaf.actor)
        number = before[0] + 1 if before else 1
        same(leaf.facts["number"], number, f"the number of the ballot of {leaf.actor}")
        proposal.ballots[leaf.actor] = (number, leaf.index, leaf.commits["choice"])

    def decision_made(self, leaf):
        proposal = self.proposal(leaf)
        same(proposal.status, "decided", "the stage of the proposal")
        vote = proposal.vote
        need(vote.outcome is None, "the vote was decided before")
        vote.decide(leaf)
        proposal.ballots = {}

    # -- Authorisations

    def authorised(self, leaf):
        ref, word = leaf.name, leaf.kind.rsplit(".", 1)[1]
        by, known = leaf.actor.partition("decision:")[2], self.authorisations.get(ref)
        need(by, f"{leaf.actor} is no decision")
        self.changes.append((leaf.index, by))
        if known is not None:
            need(known.state in ("granted", "suspended"), f"it was {known.state} before")
            known.state = word
            return
        same((word, by), ("granted", ref), "how the authorisation begins")
        version, deployment = leaf.digests["version"], leaf.facts["deployment"]
        for other, standing in self.authorisations.items():
            apart = standing.deployment != deployment or standing.state not in (
                "granted",
                "suspended",
            )
            need(apart, f"{other} still stands for {deployment}")
        ends = leaf.facts["ends_at"]
        self.authorisations[ref] = Record(
            version=version,
            deployment=deployment,
            starts=seconds(leaf.facts["starts_at"]),
            ends=seconds(ends) if ends else None,
            state="granted",
            index=leaf.index,
        )


KINDS = {
    "ledger.key.rotated": ("log", "key_rotated"),
    "ledger.log.closed": ("log", "log_closed"),
    "ledger.openings.erased": ("log", "openings_erased"),
    "accounts.organisation.admitted": ("people", "organisation_admitted"),
    "accounts.body.founded": ("people", "body_founded"),
    "accounts.member.appointed": ("people", "member_appointed"),
    "accounts.membership.ended": ("people", "membership_ended"),
    "accounts.affiliation.granted": ("people", "affiliation"),
    "accounts.affiliation.ended": ("people", "affiliation"),
    "registry.model.registered": ("registry", "registered"),
    "registry.version.registered": ("registry", "registered"),
    "registry.endpoint.registered": ("registry", "registered"),
    "registry.deployment.registered": ("registry", "registered"),
    "registry.authorisation.granted": ("in force", "authorised"),
    "registry.authorisation.superseded": ("in force", "authorised"),
    "registry.authorisation.suspended": ("in force", "authorised"),
    "registry.authorisation.revoked": ("in force", "authorised"),
    "evals.suite.published": ("evals", "suite_published"),
    "evals.worker.enrolled": ("evals", "worker_enrolled"),
    "evals.worker.revoked": ("evals", "worker_changed"),
    "evals.worker.key_rotated": ("evals", "worker_changed"),
    "evals.worker.paused": ("evals", "worker_changed"),
    "evals.worker.resumed": ("evals", "worker_changed"),
    "evals.replication.requested": ("evals", "replication"),
    "evals.replication.concluded": ("evals", "replication"),
    "evals.criterion.recorded": ("evals", "criterion_recorded"),
    "evals.run.requested": ("evals", "run_requested"),
    "evals.run.cancelled": ("evals", "run_cancelled"),
    "evals.result.accepted": ("result", "result_accepted"),
    "evals.run.finished": ("evals", "run_finished"),
    "proposals.charter.adopted": ("charter", "charter_adopted"),
    "proposals.proposal.drafted": ("proposal", "proposal_drafted"),
    "proposals.text.revised": ("text", "text_revised"),
    "proposals.stage.moved": ("proposal", "stage_moved"),
    "proposals.comment.made": ("proposal", "commented"),
    "proposals.comment.hidden": ("proposal", "comment_hidden"),
    "proposals.vote.opened": ("proposal", "vote_opened"),
    "proposals.ballot.cast": ("ballot", "ballot_cast"),
    "proposals.conflict.declared": ("proposal", "conflict_declared"),
    "proposals.delegation.given": ("people", "delegation"),
    "proposals.delegation.revoked": ("people", "delegation"),
    "proposals.lot.committed": ("proposal", "lot"),
    "proposals.lot.revealed": ("proposal", "lot"),
    "proposals.vote.tied": ("proposal", "tie"),
    "proposals.casting.given": ("proposal", "tie"),
    "proposals.decision.made": ("proposal", "decision_made"),
}
KNOWN_FLOORS = ("ledger.", "accounts.", "registry.", "evals.", "proposals.")


def chain(to, member):
    """Return whom a vote goes to, one after the other, until it stops or would repeat."""
    found = []
    while member in to and to[member] not in found:
        member = to[member]
        found.append(member)
    return found


def in_term(seat, moment, grace=0):
    """Say whether a term covers the moment; one that began with its appointment has begun."""
    begun = seat.starts <= max(moment, seat.since)
    return begun and (seat.ends is None or moment < seat.ends + grace)


# == 12 A vote: from contract to effect ============================================================


class Vote(Report):
    """One vote, checked when it opens and again when it is decided."""

    def __init__(self, replay, proposal, leaf):
        super().__init__()
        self.replay, self.proposal, self.bundle = replay, proposal, replay.bundle
        self.index, self.digest = leaf.index, leaf.digests["contract"]
        self.opens = seconds(leaf.facts["opens_at"])
        self.closes, self.entitled = seconds(leaf.facts["closes_at"]), leaf.facts["roll"]
        self.contract, self.rules, self.roll, self.outcome = None, None, None, None
        self.asked, self.to = {}, {}
        self.section = f"{'Decision' if proposal.type else 'Vote'} {proposal.ref}"
        self.title = ""

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
        path = f"decisions/{self.proposal.ref}/contract.json"
        contract, proposal = self.bundle.document(path, self.digest), self.proposal
        stated = (
            ("version", contract["v"], 1),
            ("proposal", contract["proposal"], proposal.ref),
            ("body", contract["body"], proposal.body),
            ("type", contract["type"], proposal.type),
            ("deployment", contract["subject"]["deployment"], proposal.deployment),
            ("model version", contract["subject"]["version"], proposal.version),
            ("opening", seconds(contract["opens_at"]), self.opens),
            ("close", seconds(contract["closes_at"]), self.closes),
            ("time zone", contract["time_zone"], self.replay.body(proposal.body).zone),
        )
        for name, found, expected in stated:
            same(found, expected, f"the {name} in {path}")
        self.contract = contract
        return f"frozen at entry {self.index}, before any ballot; its digest is on the log"

    def _text(self):
        number, digest = self.contract["text"]["revision"], self.contract["text"]["digest"]
        same((number, digest), self.proposal.revisions[-1], "the revision that is voted on")
        path = f"proposals/{self.proposal.ref}/text-{number}.json"
        text = self.bundle.document(path, digest)
        self.title = plain(text["title"])
        self.asked = {name: text[name] for name in ("options", "seats") if name in text}
        return f"revision {number} is the last that was written before the text was final"

    def _charter(self):
        charter = self.contract["charter"]
        last = self.replay.body(self.proposal.body).charters[-1]
        same((charter["number"], charter["digest"]), last, "the charter in force")
        self.rules = self.replay.rules_of(self.proposal)
        if self.rules is None:
            raise NotEnough(f"charter {last[0]} of {self.proposal.body} is not in the bundle")
        rules = {"delegation": "none", "recusal": "none", **self.rules}
        for name in ("secrecy", "sunset_days", "delegation"):
            same(self.contract[name], rules[name], f"{name} in the contract")
        none = rules["recusal"] == "none" and self.contract["recusals"]
        need(not none, "the contract has recusals, which the charter does not know")
        return (
            f"charter {last[0]} of {self.proposal.body} was in force; its rules are the contract's"
        )

    def _periods(self):
        notice = self.rules.get("notice_hours", 0)
        earliest = self.proposal.final + 3600 * notice
        need(self.opens >= earliest, f"the notice of the final text ran until {instant(earliest)}")
        span = self.closes - self.opens
        need(0 < span <= 90 * 86400, "the vote is not open for up to 90 days")
        hours = self.rules["deliberation_hours"]
        return (
            f"deliberation {hours} h and notice {notice} h were kept; closes {instant(self.closes)}"
        )

    def _roll(self):
        seats = self.replay.body(self.proposal.body).seats
        entitled = {
            member: seat.weight
            for member, seat in seats.items()
            if seat.role != "clerk" and in_term(seat, self.opens)
        }
        recused = [m for m in seats if m in entitled and m in self.proposal.recused]
        off = [{"member": member, "weight": entitled.pop(member)} for member in recused]
        given = sorted(self.contract["recusals"], key=lambda row: row["member"])
        same(given, sorted(off, key=lambda row: row["member"]), "who is recused")
        stated = {entry["member"]: entry["weight"] for entry in self.contract["roll"]}
        self.roll = stated
        if self.contract["delegation"] == "transitive":
            to = self.replay.body(self.proposal.body).to
            self.to = {m: to[m] for m in stated if to.get(m) in stated}
            given = {row["from"]: row["to"] for row in self.contract["delegations"]}
            same(given, self.to, "the delegations")
            self.to = dict(self.to)
        same(len(self.contract["roll"]), len(stated), "the number of different members on the roll")
        same(self.entitled, len(stated), "the number of members in the entry")
        for member in sorted(set(entitled) | set(stated)):
            found, due = stated.get(member), entitled.get(member)
            need(due is not None, f"{member} is on the roll and was not in term")
            need(found is not None, f"{member} was in term and is not on the roll")
            same(found, due, f"the weight of {member}")
        less = f"; {len(off)} recused" if off else ""
        members = count(len(stated), "member", "members")
        return f"the {members} in term then, of weight {sum(stated.values()):,}{less}"

    def _criteria(self):
        recorded = self.replay.criteria.get(self.proposal.subject, [])
        rows = self.contract["criteria"]
        same(len(rows), len(recorded), "the number of criteria")
        for number, (row, criterion) in enumerate(zip(rows, recorded)):
            asked = {name: row[name] for name in criterion.asked}
            same(asked, criterion.asked, f"criterion {number + 1}")
            self._evidence(row, criterion)
        if not rows:
            return "none was recorded"
        met = sum(row["outcome"] == "met" for row in rows)
        return f"{met} of {len(rows)} met; each recorded before its run, judged from its scores"

    def _evidence(self, row, criterion):
        """Check one criterion: the newest finished run asked for after it, and its interval."""
        task, metric = row["task"], row["metric"]
        what = f"{task} {metric} (entry {criterion.index})"
        best = None
        for run in self.replay.runs.values():
            # One that ended in the very second of the opening may or may not have been seen.
            fits = run.state == "succeeded" and run.suite == row["suite"] and task in run.results
            named = fits and run.name == row["run"]
            if named:
                early = f"{run.name} (entry {run.index}) was requested before its criterion {what}"
                need(run.index > criterion.index, early)
                same(run.version, self.proposal.version, f"the model evaluated by {run.name}")
                need(not run.limit, f"{run.name} was cut short by a limit and counts for nothing")
            new = fits and run.index > criterion.index and run.version == self.proposal.version
            if new and not run.limit and (named or run.ended < self.opens):
                best = run
        if row["run"] is None:
            need(
                best is None, f"{what} is left without result, though {best and best.name} has one"
            )
            same(row["outcome"], "no_result", f"the outcome of {what}")
            return
        need(
            best and best.name == row["run"],
            f"{what} is judged by {row['run']}, not the newest run",
        )
        result = best.results[task]
        same(row["statement"], result.digests["statement"], f"the statement for {what}")
        if result.metrics is None:
            raise NotEnough(f"the result of {best.name} {task} is not proven")
        n, _, _, low, high = result.metrics[metric]
        same(row["n"], n, f"n of {what}")
        near(row["low"], low, f"the lower bound of {what}")
        near(row["high"], high, f"the upper bound of {what}")
        outcome = judge(row["comparison"], row["threshold"], low, high)
        same(row["outcome"], outcome, f"the outcome of {what}")

    def _rules(self):
        rows = self.contract["criteria"]
        failed = any(row["must_pass"] and row["outcome"] != "met" for row in rows)
        same(self.contract["override"], failed, "whether a criterion calls for the override")
        method = self.rules.get("method", "yes-no")
        same(self.contract["method"], method, "the method")
        rules = {**USUAL_RULES, **self.rules["vote"]}
        override = fraction(self.rules["override_threshold"], "the override threshold")
        for name in ("threshold", "quorum"):
            rules[name] = str(fraction(rules[name], name))
        if failed and override > Fraction(rules["threshold"]):
            rules = {**rules, "threshold": str(override), "comparison": "at_least"}
        asked = {"options": CHOICES[method]} if method in CHOICES else dict(self.asked)
        if method == "score":
            asked["highest"] = self.rules.get("highest", 5)
        for name, value in asked.items():
            same(self.contract[name], value, f"the {name}")
        if rules["tie_rule"] == "lot" and method != "consent":
            same(self.contract["lot"]["commitment"], self.proposal.lot, "the lot")
        if rules["tie_rule"] == "chair":
            seats = self.replay.body(self.proposal.body).seats
            chair = self.contract["chair"]
            fits = chair in self.roll and seats[chair].role == "chair" if chair else True
            need(fits, f"{chair} is named as the chair and is not")
        same(self.contract["rules"], rules, "the rules of the vote")
        line = f"{rules['comparison']} {rules['threshold']} of {rules['base']}".replace("_", " ")
        line = f"; {line}" if method == "yes-no" else ""
        override = " (raised: a must-pass criterion is not met)" if failed else ""
        return f"{method}{line}{override}; quorum {rules['quorum']} of the {rules['quorum_base']}"

    def decide(self, leaf):
        """Check ballots, count, outcome and effect of a vote that has ended."""
        self.outcome = leaf.facts["outcome"]
        if self.outcome == "carried":
            self.replay.carried.add(self.proposal.ref)
        if not self.replay.in_scope(self.proposal):
            self._authorisation(leaf)
            return
        self.record = None
        self.check("record", self._open_record, leaf)
        self.check("in force", self._authorisation, leaf)
        if self.record is None or self.contract is None or self.roll is None:
            self.add(MISSING, "count", "without contract, roll and record it cannot be repeated")
            return
        self.check("close", self._close, leaf)
        if self.check("ballots", self._ballots):
            self.check("count", self._count)
        self.check("effect", self._effect, leaf)
        self.contract = self.record = self.roll = None  # large, and not needed any more

    def _open_record(self, leaf):
        path = f"decisions/{self.proposal.ref}/record.json"
        record = self.bundle.document(path, leaf.digests["decision"])
        same(leaf.digests["contract"], self.digest, "the contract that the decision names")
        stated = (
            ("version", record["v"], 1),
            ("reference", record["decision"], self.proposal.ref),
            ("contract", record["contract"], self.digest),
            ("outcome", record["outcome"], self.outcome),
        )
        for name, found, expected in stated:
            same(found, expected, f"the {name} in {path}")
        self.record = record
        return f"{self.outcome.replace('_', ' ')}, at entry {leaf.index}; its digest is on the log"

    def _close(self, leaf):
        voted = set(self.proposal.ballots) & set(self.roll)
        if leaf.at >= self.closes:
            return f"after its deadline; {len(voted)} of {len(self.roll)} members had voted"
        waiting = sorted(set(self.roll) - voted)
        need(
            not waiting, f"closed before its deadline though {', '.join(waiting[:1])} had not voted"
        )
        return "early, because every member had voted"

    def _ballots(self):
        """The ballots that count are the last of each member, each opened as it was committed."""
        counted = {}
        if self.contract["secrecy"] == "secret":
            raise NotEnough("the vote is secret: no outsider can repeat who voted how")
        for ballot in self.record["ballots"]:
            member = ballot["member"]
            need(member in self.roll, f"{member} has a counted ballot and is not on the roll")
            need(member not in counted, f"{member} has two counted ballots")
            last = self.proposal.ballots.get(member)
            need(last is not None, f"{member} has a counted ballot and cast none")
            where = f"the ballot of {member} (entry {last[1]})"
            same(ballot["number"], last[0], f"the number of {where}")
            same(ballot["weight"], self.roll[member], f"the weight of {where}")
            said = {name: ballot[name] for name in ballot if name not in PUBLIC_FIELDS}
            if not opens(last[2], ballot["salt"], said):
                raise Contradiction(
                    f"{where} does not open as {shown(said)}: it was committed otherwise"
                )
            counted[member] = ballot
        for member, carried in self._carried(counted).items():
            said = sorted(row["member"] for row in counted[member].get("carries", []))
            same(said, sorted(carried), f"whose votes the ballot of {member} carries")
        left = sorted(set(self.proposal.ballots) - set(counted))
        need(not left, f"the ballot of {left[0] if left else ''} was left out of the count")
        return f"{count(len(counted), 'ballot opens', 'ballots open')} as committed; none left out"

    def _carried(self, counted):
        """Return for each ballot who delegated to it and cast none of their own."""
        carried = {member: [] for member in counted}
        for giver in set(self.to) - set(counted):
            carrier = next((each for each in chain(self.to, giver) if each in counted), None)
            if carrier is not None:
                carried[carrier].append(giver)
        return carried

    def _count(self):
        method, ballots = self.contract["method"], self.record["ballots"]
        options, roll = self.contract["options"], sum(self.roll.values())
        rules, draw = self.contract["rules"], self._draw()
        carried = self._carried({ballot["member"] for ballot in ballots})
        for ballot in ballots:
            extra = sum(self.roll[giver] for giver in carried[ballot["member"]])
            ballot["weight"] = ballot["weight"] + extra
        recused = sum(row["weight"] for row in self.contract["recusals"])
        heads = (len(ballots) + sum(map(len, carried.values())), len(self.roll), recused)
        if method in MOTIONS:
            own = MOTIONS[method](rules, ballots, roll, heads, draw)
            said = ", ".join(f"{own['votes'][choice]} {choice}" for choice in options)
        elif method in METHODS:
            papers = [read_ranks(ballot) for ballot in ballots]
            own = METHODS[method](options, self.contract["seats"], papers, draw)
            cast = sum((weight for weight, _ in papers), Fraction(0))
            own["quorum"] = quorum_of(rules, cast, roll, heads)
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
        said = {"casting_vote": given["names"]}
        good = opens(proposal.casting[1], given["salt"], said)
        need(good, "the casting vote does not open as it was committed")
        return order_of(
            given["names"] if len(given["names"]) > 1 else [*given["names"], "yes", "no"]
        )

    def _effect(self, leaf):
        """What was carried took effect as it says, and nothing else did."""
        proposal, record, until = self.proposal, self.record, None
        decided = seconds(record["decided_at"])
        same(decided, leaf.at, "the time of the decision")
        same(record["in_force_until"], leaf.facts["in_force_until"], "the end that the log states")
        effect = {"kind": proposal.type} if self.outcome == "carried" else {}
        if effect and proposal.type == AUTHORISE:
            until = decided + 86400 * self.contract["sunset_days"]
            effect.update(deployment=proposal.deployment, version=proposal.version)
            granted = self.replay.authorisations[proposal.ref]
            same((granted.starts, granted.ends), (decided, until), "when the authorisation holds")
        stated = record["in_force_until"]
        same(seconds(stated) if stated else None, until, "the end of what was decided")
        same(record["effect"], effect, "the effect")
        return f"in force until {stated}" if until else "nothing changes in the registry"

    def _authorisation(self, leaf):
        """Tie the authorisation to its decision; one without the other is a contradiction."""
        proposal, granted = self.proposal, self.replay.authorisations.get(self.proposal.ref)
        if self.outcome != "carried" or proposal.type != AUTHORISE:
            need(
                granted is None,
                f"it authorises nothing, and yet entry {granted and granted.index} does",
            )
            return "no authorisation, as none was decided"
        need(granted is not None, "it was carried and no authorisation is on the log")
        same(granted.version, proposal.version, "the version authorised")
        same(granted.deployment, proposal.deployment, "the deployment it is authorised for")
        same(granted.ends, seconds(leaf.facts["in_force_until"]), "the end of the authorisation")
        return f"entry {granted.index}: {proposal.deployment} may run {short(granted.version)}"


AUTHORISE = "authorise_deployment"
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


# == 13 The gate ===================================================================================


def check_authorisations(replay):
    """Nothing may serve, or stop serving, that was not decided."""
    for index, ref in replay.changes:
        need(
            ref in replay.carried, f"entry {index} acts on decision {ref}, which was never carried"
        )
    for vote in replay.votes:
        ended = vote.proposal.status == "decided" and vote.outcome is None
        need(not ended, f"the vote on {vote.proposal.ref} ended and no decision is on the log")
    number = len(replay.authorisations)
    if not number:
        return "nothing was ever authorised"
    return f"{count(number, 'authorisation comes', 'authorisations come')} from carried decisions"


def gate_code(replay, version, deployment, moment):
    """Answer as the gate does: the newest authorisation of exactly this pair decides."""
    pairs = [
        (a.starts, a.index, a, ref)
        for ref, a in replay.authorisations.items()
        if (a.version, a.deployment) == (version, deployment)
    ]
    if not pairs:
        return "never-decided", None
    _, _, newest, ref = max(pairs, key=lambda pair: pair[:2])
    if newest.state != "granted":
        return newest.state, ref
    if moment < newest.starts:
        return "not-yet", ref
    expired = newest.ends is not None and moment >= newest.ends
    return ("expired" if expired else "authorised"), ref


def check_gate(bundle, replay):
    """Hold the gate's published answers against those that follow from the log."""
    stated = read_canonical(bundle.raw("gate.json"), "gate.json")
    same((stated["v"], stated["at"]), (1, instant(replay.last_at)), "the time of gate.json")
    scope, about = None, bundle.about
    if about["kind"] == "decision":
        scope = replay.proposals[f"proposal:{about['ref']}"].deployment or ""
    if about["kind"] == "deployment":
        scope = about["slug"]
    known = {(a.deployment, a.version) for a in replay.authorisations.values()}
    answers = []
    for deployment, version in sorted(pair for pair in known if scope in (None, pair[0])):
        code, ref = gate_code(replay, version, deployment, replay.last_at)
        answer = {"deployment": deployment, "version": version, "code": code, "decision": ref}
        answers.append({**answer, "result": "PASSED" if code == "authorised" else "FAILED"})
    same(len(stated["answers"]), len(answers), "the number of answers in gate.json")
    for found, own in zip(stated["answers"], answers):
        same(found, own, f"the answer for {own['deployment']}")
    serving = [f"{a['deployment']}: {a['decision']}" for a in answers if a["result"] == "PASSED"]
    return f"as of {stated['at']}, in service by decision: {', '.join(serving) or 'nothing'}"


# == 14 The program ================================================================================


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
    return f"{count(len(lines), 'opening shows', 'openings show')} what was committed to"


def check_scope(bundle, replay):
    """The bundle is about something that is on the log."""
    about = bundle.about
    if about["kind"] == "decision":
        proposal = replay.proposals.get(f"proposal:{about['ref']}")
        need(proposal and proposal.vote, f"there is no vote on {about['ref']} on the log")
        return f"decision {about['ref']}, with the whole log that it stands in"
    if about["kind"] == "deployment":
        need(about["slug"] in replay.deployments, f"no deployment {about['slug']} is on the log")
        return f"deployment {about['slug']}, with the whole log that it stands in"
    return "the whole log and every vote on it"


def check_entries(bundle, checkpoint, replay, report):
    """Read all entries once: derive the tree, hold the tiles against it, replay the acts."""
    tree, tiles = Tree(), TileCheck(bundle)

    def derive():
        for _, first, entries in entries_of(bundle, checkpoint.size):
            hashes = [sha256(b"\x00" + entry) for entry in entries]
            tiles.compare(0, first // WIDTH, hashes)
            for offset, leaf_hash in enumerate(hashes):
                tree.add(leaf_hash)
                replay.take(first + offset, entries[offset])
        own, signed = tree.root().hex()[:16], checkpoint.root.hex()[:16]
        need(tree.root() == checkpoint.root, f"the entries give the root {own}…, not {signed}…")
        return f"root {own}… derived from {count(tree.size, 'entry', 'entries')}, as signed"

    report.check("tree", derive)
    report.check("tiles", tiles.verdict, tree.levels)


def check_keys(bundle, policy, replay):
    """The history of keys is the one that the log's own entries tell, and the policy knows it."""
    lines = bundle.raw("keys/log.vkeys").decode("ascii", "replace").split("\n")
    need(lines.pop() == "" and lines, "keys/log.vkeys holds no key")
    keys = [Key(line).vkey for line in lines]
    need(keys[-1] in [key.vkey for key in policy.log_keys], "the newest key is not the policy's")
    handed = dict.fromkeys([keys[-1], *[before for before, _ in reversed(replay.rotations)]])
    same(keys, list(handed)[::-1], "the history of keys")
    known = not replay.rotations or keys[-1] in replay.rotations[-1]
    need(known, "the newest key is not the one that the last rotation named")
    return f"{count(len(keys), 'key', 'keys')} since the log began; the newest is the policy's"


def verify(report, bundle, policy_text):
    """Run all checks in order."""
    report.section = "The bundle"
    report.check("zip", bundle.check_zip)
    if not report.check("manifest", bundle.check_manifest):
        return
    report.check("files", bundle.check_files)
    replay = Replay(bundle)
    if not verify_log(report, bundle, replay, policy_text):
        return
    report.section = "The acts, played again"
    report.check("scope", check_scope, bundle, replay)
    for group in replay.groups.values():
        if group.number:
            report.group(group)
    report.check("openings", check_openings, bundle, replay)
    known = [k for k in replay.unknown if k.startswith(KNOWN_FLOORS)]
    for kind in known:
        report.add(MISSING, "unknown acts", f"{kind}: not known to this program; try a newer one")
    add_votes(report, replay)
    report.section = "What may be in service"
    report.check("decided", check_authorisations, replay)
    report.check("gate", check_gate, bundle, replay)
    report.section = "At last"
    report.check("nothing else", bundle.check_all_used)
    add_limits(report, bundle, replay, policy_text)


def verify_log(report, bundle, replay, policy_text):
    """Check signature, tree and tiles; return whether there is a log to replay."""
    report.section = "The log"
    found = {}

    def open_checkpoint():
        found["checkpoint"] = Checkpoint(bundle.raw("checkpoint"))
        own = bundle.raw("policy").decode("utf-8", "replace")
        found["policy"] = Policy(own if policy_text is None else policy_text)
        return found["checkpoint"].signed_by_log(found["policy"])

    report.check("signature", open_checkpoint)
    if len(found) < 2:
        return False
    if found["policy"].quorum == "none":
        says = "the policy asks for none, so only the log itself vouches for one history"
        report.add(NOTE, "witnesses", says)
    else:
        report.check("witnesses", found["checkpoint"].cosigned, found["policy"])
    unread = found["checkpoint"].unread(found["policy"])
    if unread:
        says = f"{count(len(unread), 'signature', 'signatures')} not looked at: {', '.join(unread)}"
        report.add(NOTE, "other keys", says)
    report.facts = {"origin": found["checkpoint"].origin, "size": found["checkpoint"].size}
    check_entries(bundle, found["checkpoint"], replay, report)
    report.check("keys", check_keys, bundle, found["policy"], replay)
    if replay.size < found["checkpoint"].size:
        report.add(
            MISSING, "the acts", f"entries from {replay.size} on cannot be read: not replayed"
        )
        return False
    return True


def add_votes(report, replay):
    """Add the lines of each vote; where there are many, one line for each that is proven."""
    for vote in replay.votes:
        brief = len(replay.votes) > 10 and not report.full and vote.status() == 0
        report.section = "Votes" if brief else f"Decision {vote.proposal.ref}: {vote.title}"
        if vote.outcome is None:
            vote.add(NOTE, "ballots", f"none is opened: the proposal is {vote.proposal.status}")
        if brief:
            says = f"{vote.outcome or vote.proposal.status}: {vote.title}".replace("_", " ")
            report.add(PROVEN, vote.proposal.ref, says)
            continue
        for _, verdict, name, says in vote.lines:
            report.add(verdict, name, says)


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
    try:
        bundle.check_program()
    except (Contradiction, NotEnough, OSError):
        says = "the verify.py in the bundle is another one than you are running, which is fine"
        report.add(NOTE, "this program", says)


def printed(report, path, stream, took):
    """Print the report for a reader."""
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    width = shutil.get_terminal_size((100, 24)).columns if stream.isatty() else 10_000
    name_width = min(16, max((len(line[2]) for line in report.lines), default=8))

    def painted(verdict, text):
        return f"\033[{COLOURS[verdict]}m{text}\033[0m" if colour else text

    stream.write(f"\n{plain(path)}\n")
    if report.facts:
        stream.write("{origin} · {size:,} entries\n".format(**report.facts))
    section = None
    for here, verdict, name, says in report.lines:
        if here != section:
            section = here
            stream.write(f"\n\033[1m{section}\033[0m\n" if colour else f"\n{section}\n")
        head = f"  {MARKS[verdict]} {verdict:<11}  {name:<{name_width}}  "
        lines = textwrap.wrap(says, max(30, width - len(head))) or [""]
        head = f"  {painted(verdict, head[2:16])} {name:<{name_width}}  "
        indent = "\n" + " " * (19 + name_width)
        stream.write(head + indent.join(lines) + "\n")
    stream.write(f"\n{painted(*verdict_words(report))}\n")
    stream.write(f"Python {platform.python_version()}, {took.total_seconds():.1f} s, offline\n")


def verdict_words(report):
    """Return the verdict on the whole, and it in words."""
    proven = count(report.number(PROVEN), "check", "checks")
    against, lacking = report.number(CONTRADICTS), report.number(MISSING)
    if against:
        says = f"CONTRADICTED: {count(against, 'finding', 'findings')} above; {proven} proven"
        return CONTRADICTS, says + (f", {lacking} without enough material." if lacking else ".")
    if lacking:
        says = f"NOT ENOUGH MATERIAL for {count(lacking, 'check', 'checks')}; {proven} proven, "
        return MISSING, says + "nothing contradicts."
    return PROVEN, f"PROVEN: all {proven} hold, nothing contradicts, nothing is missing."


def as_json(report, bundle):
    """Return the report for a program."""
    return {
        "v": 1,
        "verdict": ("proven", "contradicted", "incomplete")[report.status()],
        "about": bundle.about if bundle else {},
        "log": report.facts,
        "checks": [
            {"section": section, "check": name, "verdict": verdict.lower(), "says": says}
            for section, verdict, name, says in report.lines
        ],
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
    report, bundle = Report(), None
    report.full, report.facts, report.section = options.full, {}, "The bundle"
    try:
        policy = None
        if options.policy:
            with open(options.policy, encoding="utf-8") as file:
                policy = file.read(1_000_000)
        bundle = Bundle(options.bundle)
        verify(report, bundle, policy)
    except OSError as error:
        report.add(MISSING, "file", f"cannot read {error.filename}: {error.strerror}")
    except Contradiction as found:
        report.add(CONTRADICTS, "zip", str(found))
    sys.stdout.reconfigure(errors="replace")
    if options.json:
        print(json.dumps(as_json(report, bundle), indent=1, ensure_ascii=True))
    else:
        printed(report, options.bundle, sys.stdout, datetime.now(timezone.utc) - begun)
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
