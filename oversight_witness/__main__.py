"""`oversight-witness`: `keygen`, `serve` and `monitor`."""

import argparse
import os
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight_witness import notes
from oversight_witness.monitor import Contradiction, Monitor, fetch_from
from oversight_witness.server import make_server
from oversight_witness.store import Store
from oversight_witness.witness import Witness

CONTRADICTED, UNREACHABLE = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 all well, 1 the log contradicts itself, 2 it could not be told."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except Contradiction as error:
        print(f"CONTRADICTION: {error}", file=sys.stderr)
        return CONTRADICTED
    except (OSError, ValueError) as error:
        print(f"oversight-witness: {error}", file=sys.stderr)
        return UNREACHABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oversight-witness", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keygen = commands.add_parser("keygen", help="make the witness's key; prints the public one")
    keygen.add_argument("name", help="the witness's name, such as witness.example.org")
    keygen.add_argument("--key", type=Path, default=Path("witness-key.pem"))
    keygen.set_defaults(run=_keygen)
    serve = commands.add_parser("serve", help="answer add-checkpoint requests")
    serve.add_argument("name")
    serve.add_argument("--key", type=Path, default=Path("witness-key.pem"))
    serve.add_argument("--log", action="append", required=True, metavar="VKEY", dest="logs")
    serve.add_argument("--state", type=Path, default=Path("witness.sqlite"))
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7380)
    serve.set_defaults(run=_serve)
    monitor = commands.add_parser("monitor", help="follow a log and verify every entry")
    monitor.add_argument("url", help="the log's address, such as https://council.example/log")
    monitor.add_argument("vkey")
    monitor.add_argument("--state", type=Path, default=Path("monitor.json"))
    monitor.add_argument("--every", type=float, default=0, metavar="SECONDS", help="0: once")
    monitor.set_defaults(run=_monitor)
    return parser


def _keygen(options: argparse.Namespace) -> int:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(options.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    print(_key(options.name, _private(options.key)).vkey())
    return 0


def _serve(options: argparse.Namespace) -> int:
    logs = [notes.parse_vkey(each, notes.LOG) for each in options.logs]
    witness = Witness(options.name, _private(options.key), logs, Store(options.state))
    server = make_server(witness, options.host, options.port)
    print(f"witness {witness.key.vkey()}", flush=True)
    print(f"listening on http://{options.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


def _monitor(options: argparse.Namespace) -> int:
    key = notes.parse_vkey(options.vkey, notes.LOG)
    monitor = Monitor(key, options.state, fetch_from(options.url))
    while True:
        try:
            found = monitor.follow()
        except OSError as error:
            if not options.every:
                raise
            print(f"not reached: {error}", file=sys.stderr, flush=True)
        else:
            print(f"{found.size} entries verified, {found.entries} of them new", flush=True)
        if not options.every:
            return 0
        time.sleep(options.every)


def _private(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")  # noqa: TRY004 - the file's fault
    return key


def _key(name: str, private: Ed25519PrivateKey) -> notes.Key:
    return notes.Key(name, notes.COSIGNER, private.public_key().public_bytes_raw())


if __name__ == "__main__":
    sys.exit(main())
