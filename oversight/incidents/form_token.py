"""What a report's form carries to be told from a program's flood: when it was shown, signed.

No third party, no cookie, no script: a form that comes back faster than anybody can write, or
twice, is not taken. A program that means it waits as long as a person would.
"""

import hashlib
import secrets
import time

from django.core import signing
from django.utils.translation import gettext

SALT = "incidents.form"
YOUNGEST_SECONDS = 3
OLDEST_SECONDS = 24 * 3600


class TokenError(ValueError):
    """A form that is not taken; the message says how to send it anew."""

    is_worn = True
    """Whether it takes another token; else the same one is good in a moment."""


class TooYoungError(TokenError):
    """A form that came back faster than people write."""

    is_worn = False


def new_token(shown_at: float | None = None) -> str:
    """Return the signed moment at which a form is shown, now by default, and its number."""
    content = {"at": int(time.time() if shown_at is None else shown_at), "n": secrets.token_hex(8)}
    return signing.dumps(content, salt=SALT)


def digest_of(token: str, now: float | None = None) -> str:
    """Return the name under which a form counts as sent, or say why it is not taken.

    Raises:
        TokenError: it is no token of ours, too young or too old.
    """
    try:
        content = signing.loads(token[:300], salt=SALT)
        age = (time.time() if now is None else now) - content["at"]
    except (signing.BadSignature, KeyError, TypeError):
        raise TokenError(gettext("This form is not one of ours: open the page again.")) from None
    if age < YOUNGEST_SECONDS:
        raise TooYoungError(
            gettext(
                "We take no report within %(youngest_seconds)s seconds of opening the form, "
                "because programs send such. Nothing is lost: send it again."
            )
            % {"youngest_seconds": YOUNGEST_SECONDS}
        )
    if age > OLDEST_SECONDS:
        raise TokenError(
            gettext("This form was open for more than a day: copy your text, open it again.")
        )
    return hashlib.sha256(token.encode()).hexdigest()
