"""The signed address that stops the mail of one person: it needs no sign-in and never expires."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from oversight.accounts.models import Person

_signer = Signer(salt="oversight.accounts.unsubscribe")


def unsubscribe_address(person: Person) -> str:
    """Return the whole address, as it stands in the headers and at the foot of a mail."""
    token = _signer.sign(person.public_id)
    return f"{settings.PUBLIC_URL}{reverse('unsubscribe', args=[token])}"


def person_of(token: str) -> Person | None:
    """Return whose mail the token stops; None where it was not signed here."""
    try:
        public_id = _signer.unsign(token)
    except BadSignature:
        return None
    return Person.objects.filter(public_id=public_id).first()
