"""What the check of an act in the reader's browser says, for pages in other languages.

The check is a program that anyone can read and run elsewhere, so its own words are English; a page
hands it these.
"""

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

WORDS = (
    _("A part of it is not base64."),
    _("A part of it is not the usual spelling of its bytes."),
    _("A number in it is not a plain decimal."),
    _("The key is not an Ed25519 key of a log."),
    _("The key does not fit its own id."),
    _("The checkpoint has no signatures after a blank line."),
    _("A signature line is malformed."),
    _("The root is not 32 bytes."),
    _("The text is not a receipt."),
    _("The receipt names no index."),
    _("A hash of the receipt is not 32 bytes."),
    _("The checkpoint is of {origin}, the key of {name}."),
    _("The checkpoint is not signed by this log's key."),
    _("The signature of the checkpoint is wrong."),
    _("There is no act {index} among {size}."),
    _("The receipt has too many hashes."),
    _("The receipt has too few hashes."),
    _("The leaf's bytes do not lead to the signed root."),
    _("The log does not answer {path}."),
    _("{path} has another length than it should."),
    _("The log had {before} acts and now shows {now}."),
    _("The tiles do not give today's signed root."),
    _("An act before it was changed since."),
    _("{address} is not answered."),
    _("The log has another key than when this browser first saw it."),
    _("The log has no key."),
    _("The leaf's bytes were read and hashed here"),
    _("SHA-256 over a zero byte and the leaf: {hash}."),
    _("The log's key"),
    _("This browser keeps it from now on; compare it with one you have from elsewhere."),
    _("The same as when this browser first saw it."),
    _("The signature of the checkpoint"),
    _("{name} signed a tree of {size} acts. Lines of other keys were not checked."),
    _("The way from the leaf to the signed root"),
    _("{hashes} hashes lead from act {index} to the root."),
    _("Nothing before it was changed since"),
    _(
        "Today's {size} acts begin with the {receipt} of this receipt, and the {seen} that this "
        "browser saw last."
    ),
    _("Today's {size} acts begin with the {receipt} of this receipt."),
    _("This browser cannot check it: {why}"),
    _("Checking in this browser …"),
    _("Verified in your browser: the act is on the record under a signed root."),
    _("Not verified: the step marked above does not hold."),
)


def check_words() -> dict[str, str]:
    """Return the words by those that the check has itself; empty where they are the same."""
    if get_language() == settings.LANGUAGE_CODE:
        return {}
    return {words: gettext(words) for words in WORDS}
