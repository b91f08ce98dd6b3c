"""Licences by SPDX: an identifier, or an expression of several, in its one spelling. Pure."""

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from oversight.web.marks import Said
from oversight.web.marks import gettext_noop as _

MOST = 200


class LicenceError(ValueError):
    """It is no SPDX expression; the message says how to write one."""


def read(text: str) -> str:
    """Return a licence as SPDX spells it; empty where none is stated.

    What has no identifier, as many models' own terms, is `LicenseRef-` and a name.

    Raises:
        LicenceError: it is no SPDX identifier or expression.
    """
    written = text.strip()
    if not written:
        return ""
    words = _(
        "“%(written)s” is no SPDX licence: write it like Apache-2.0, MIT OR CC-BY-4.0, or "
        "LicenseRef-name where the terms are of their own."
    )
    refusal = LicenceError(Said(words, written=written[:60]))
    if len(written) > MOST or not written.isprintable():
        raise refusal
    try:
        return str(canonicalize_license_expression(written))
    except InvalidLicenseExpression:
        raise refusal from None


def identifiers(expression: str) -> list[str]:
    """Return the identifiers in an expression, each once."""
    words = expression.replace("(", " ").replace(")", " ").split()
    return list(dict.fromkeys(word for word in words if word not in {"AND", "OR", "WITH"}))
