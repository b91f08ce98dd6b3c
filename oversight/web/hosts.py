"""Whether a request is for us, told before Django reads it."""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

MOST = 100
"""How many names are remembered: anybody can send any."""

_known: dict[str, bool] = {}


def is_ours(environ: dict[str, Any]) -> bool:
    """Say whether Django would take the request: a host of ours, and encrypted where it must be."""
    if settings.SECURE_SSL_REDIRECT and environ.get("HTTP_X_FORWARDED_PROTO") != "https":
        return False
    host = environ.get("HTTP_HOST", "")
    if host not in _known:
        if len(_known) > MOST:
            _known.clear()
        domain, _ = split_domain_port(host)
        _known[host] = bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
    return _known[host]
