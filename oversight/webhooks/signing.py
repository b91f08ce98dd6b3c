"""Secrets of subscriptions, and signatures by Standard Webhooks (symmetric, `v1`).

A secret is not stored: it is derived from the site's own `SECRET_KEY` and a random seed, so that
a copy of the database signs for nobody.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

PREFIX = "whsec_"
SEED_BYTES = 32


def new_seed() -> bytes:
    """Return the seed of a new secret."""
    return secrets.token_bytes(SEED_BYTES)


def secret_of(seed: bytes) -> str:
    """Return a secret as its owner is shown it, once: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(_key(seed)).decode()


def signatures(seeds: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature a live secret, the newest first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = (hmac.new(_key(seed), signed, hashlib.sha256).digest() for seed in seeds)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)


def _key(seed: bytes) -> bytes:
    return salted_hmac("oversight.webhooks", bytes(seed), algorithm="sha256").digest()
