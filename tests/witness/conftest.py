"""What the witness's tests share: a log of another make, and witnesses in threads."""

import base64
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import checkpoint, merkle, note
from oversight_witness import notes
from oversight_witness.server import make_server
from oversight_witness.store import Store
from oversight_witness.witness import Witness

ORIGIN = "log.example/record"


class Log:
    """A log in memory that signs whatever it is told to."""

    def __init__(self, origin=ORIGIN):
        self.signing = note.SigningKey(origin, Ed25519PrivateKey.generate())
        self.origin = origin
        self.entries = [f"entry {n}".encode() for n in range(40)]

    def hashes(self, entries=None):
        return [merkle.leaf_hash(each) for each in entries or self.entries]

    def signed(self, size, entries=None):
        root = merkle.root(self.hashes(entries)[:size])
        return checkpoint.sign(checkpoint.TreeHead(self.origin, size, root), self.signing)

    def proof(self, old, new, entries=None):
        hashes = self.hashes(entries)

        def read(nodes):
            return [
                merkle.root(hashes[n.index << n.level : (n.index + 1) << n.level]) for n in nodes
            ]

        return merkle.prove_consistency(old, new, read)

    def request(self, old, new, entries=None, proof=None):
        path = self.proof(old, new, entries) if proof is None else proof
        lines = [f"old {old}", *(base64.b64encode(each).decode() for each in path)]
        return ("\n".join(lines) + "\n\n" + self.signed(new, entries)).encode()

    @property
    def key(self):
        return notes.parse_vkey(self.signing.verifier.format(), notes.LOG)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def make_witness(tmp_path):
    def make(*keys, name="witness.example", state="witness.sqlite"):
        return Witness(name, Ed25519PrivateKey.generate(), keys, Store(tmp_path / state))

    return make


@pytest.fixture
def serve():
    """Return a function that runs a witness on a free port and returns its address."""
    servers = []

    def run(witness):
        server = make_server(witness, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()
