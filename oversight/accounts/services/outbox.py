"""The outbox: what an act tells people is written in the act's own transaction."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils import timezone, translation

from oversight.accounts.choices import NoticeKind
from oversight.accounts.mail_times import languages_of, mail_times
from oversight.accounts.models import Body, Notice, Person
from oversight.web.languages import without_language

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def notify(
    *,
    people: Iterable[Person],
    subject: "StrOrPromise",
    text: "StrOrPromise",
    path: str = "",
    kind: NoticeKind = NoticeKind.OTHER,
    body: Body | None = None,
    about: str = "",
) -> None:
    """Put a notice into each person's outbox. Call inside the transaction of the act.

    Most wait for the person's next daily digest; `kind` and `body` say what goes at once.

    Args:
        people: whom to tell; one named twice is told once.
        subject: one line, which must stand alone in a list; not yet in any language, so that each
            person has it in theirs.
        text: a sentence or two. Never quote what somebody wrote: it may be hidden by the time it
            is read, and nobody can take a mail back.
        path: where to go from there.
        kind: what it is about.
        body: the body whose business it is.
        about: the reference of its matter, such as `2026-003`: many notices of one kind about it
            are one line of the digest.
    """
    told = list({person.pk: person for person in people}.values())
    now = timezone.now()
    times = mail_times(told, kind=kind, body=body, now=now)
    spoken = languages_of(told)
    worded = {each: _worded(subject, text, each) for each in set(spoken.values())}
    Notice.objects.bulk_create(
        [
            Notice(
                person=person,
                kind=kind,
                body=body,
                about=about[:80],
                subject=worded[spoken[person.pk]][0],
                text=worded[spoken[person.pk]][1],
                # In whatever language the act was done: the stable address is kept.
                path=without_language(path)[:200],
                created_at=now,
                mail_at=times[person.pk],
            )
            for person in told
        ],
        batch_size=1000,
    )


def call_off(*, kinds: Iterable[NoticeKind], about: str) -> None:
    """Take back notices whose matter is over. Call inside the transaction of the act that ends it.

    What was not mailed is not mailed any more, and nobody's list has it as unread.
    """
    standing = Notice.objects.filter(kind__in=list(kinds), about=about)
    standing.filter(sent_at=None).update(mail_at=None)
    standing.filter(read_at=None).update(read_at=timezone.now())


def _worded(subject: "StrOrPromise", text: "StrOrPromise", language: str) -> tuple[str, str]:
    """Return a notice's subject and text as they read in a language."""
    with translation.override(language):
        # A name may hold a line break, and a header of a mail must not.
        return " ".join(str(subject).split())[:160], str(text)
