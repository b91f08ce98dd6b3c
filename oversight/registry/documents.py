"""The digest under which the record knows a document: the SHA-256 of its one spelling. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785


def digest_of(document: Mapping[str, Any]) -> str:
    """Return `sha256:` and the SHA-256 of a document's RFC 8785 bytes."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()}"
