"""A log written by hand whose key was handed over, once or more, with the signed handovers."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oversight.ledger import note
from tests.audit.forge import LOG_KEY, ORIGIN, files_of, log_files, repacked


def key(number):
    seed = bytes([number] * 32)
    return note.SigningKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(seed))


FIRST, SECOND, THIRD, STRANGER = LOG_KEY, key(2), key(3), key(9)


def hand_over(forge, before, after):
    """Append the rotation of the log's key and return the size of the tree with it."""
    forge.act(
        "ledger.key.rotated",
        "system:operator",
        f"log:{ORIGIN}",
        facts={"from": before.verifier.format(), "to": after.verifier.format()},
    )
    return len(forge.entries)


def signed_at(forge, size, signer):
    """Return the checkpoint of the tree of so many entries."""
    return dict(log_files(forge.entries[:size], signer))["checkpoint"]


def packed(forge, keys, handovers):
    """Return a bundle that the last key has signed, with these handovers by size."""
    files = files_of(forge.pack(key=keys[-1]))
    files["keys/log.vkeys"] = "".join(f"{each.verifier.format()}\n" for each in keys).encode()
    files |= {f"keys/handovers/{size}": data for size, data in handovers.items()}
    return repacked(files.items())
