"""Digests of texts and documents, as the record writes them."""

import hashlib
from typing import Any

import rfc8785


def digest_of(document: Any) -> tuple[str, str]:
    """Return a document's canonical text (RFC 8785) and its digest, `sha256:<hex>`.

    Keep the text: what is hashed once must never be serialised again.
    """
    data = rfc8785.dumps(document)
    return data.decode(), f"sha256:{hashlib.sha256(data).hexdigest()}"
