"""One mail out of many notices: grouped by body and kind, bulk events folded to one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import URGENT, NoticeKind
from oversight.accounts.mail_times import languages_of
from oversight.accounts.models import Notice, Person
from oversight.accounts.unsubscribing import unsubscribe_address
from oversight.web.figures import grouped
from oversight.web.languages import in_language

FOLD_FROM = 3
"""So many notices of one kind about one matter are one line."""

MOST_LINES = 60
"""A mail lists so many lines and says how many more the person's list has."""

_FOLDED = {
    NoticeKind.COMMENT: _("%(number)s comments on %(matter)s"),
    NoticeKind.ANSWER: _("%(number)s answers to you on %(matter)s"),
    NoticeKind.QUESTION: _("%(number)s questions to you on %(matter)s"),
    NoticeKind.MENTION: _("%(number)s mentions of you on %(matter)s"),
    NoticeKind.AMENDMENT: _("%(number)s amendments to %(matter)s"),
    NoticeKind.STAGE: _("%(number)s moves of %(matter)s"),
    NoticeKind.DELEGATION: _("%(number)s delegations to you in %(matter)s"),
    NoticeKind.REMINDER: _("%(number)s reminders about %(matter)s"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mail, for one notice or for several."""

    words: str
    text: str
    address: str
    stands_for: int


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one kind."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What one body has to tell."""

    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What one mail says."""

    subject: str
    sections: tuple[Section, ...]
    more: int
    """Notices beyond the longest mail; they stand in the person's list."""


def digest_of(notices: Sequence[Notice]) -> Digest:
    """Return what a mail says about these notices of one person, the most urgent kind first."""
    order = {kind: place for place, kind in enumerate(NoticeKind)}
    rows = sorted(
        notices,
        key=lambda row: (
            row.body.name if row.body else "\uffff",
            order[NoticeKind(row.kind)],
            row.created_at,
            row.pk,
        ),
    )
    left = MOST_LINES
    sections = []
    for body, of_body in groupby(rows, key=lambda row: row.body):
        groups = []
        for kind, of_kind in groupby(of_body, key=lambda row: NoticeKind(row.kind)):
            lines = _folded(kind, list(of_kind))[:left]
            left -= len(lines)
            if lines:
                groups.append(Group(_upper(str(kind.label)), tuple(lines)))
        if groups:
            sections.append(Section(body.name if body else gettext("More"), tuple(groups)))
    told = sum(
        line.stands_for for each in sections for group in each.groups for line in group.lines
    )
    return Digest(_subject(rows), tuple(sections), len(rows) - told)


def _folded(kind: NoticeKind, rows: Sequence[Notice]) -> list[Line]:
    """Return a line a notice, and one for the many about one matter, in the order they came."""
    by_matter: dict[str, list[Notice]] = {}
    for row in rows:
        by_matter.setdefault(row.about or f"\0{row.pk}", []).append(row)
    lines = []
    for matter, found in by_matter.items():
        if len(found) < FOLD_FROM:
            lines += [Line(row.subject, row.text, _address(row.path), 1) for row in found]
            continue
        what = _FOLDED.get(kind, _("%(number)s notices about %(matter)s"))
        place = _address(found[-1].path.partition("#")[0])
        words = str(what) % {"number": grouped(len(found)), "matter": matter}
        lines.append(Line(words, "", place, len(found)))
    return lines


def _subject(rows: Sequence[Notice]) -> str:
    """Return the one notice's own words, or an urgent one's, or how many there are."""
    first = next((row for row in rows if row.kind in URGENT), rows[0])
    if len(rows) == 1:
        return first.subject
    if first.kind in URGENT:
        return gettext("%(subject)s, and %(number)s more") % {
            "subject": first.subject[:130],
            "number": grouped(len(rows) - 1),
        }
    return gettext("%(site)s: %(number)s notices") % {
        "site": settings.SITE_NAME,
        "number": grouped(len(rows)),
    }


def _address(path: str) -> str:
    """Return the whole address of a page in the language of the mail."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    return f"{settings.PUBLIC_URL}{in_language(path, language)}" if path else ""


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def mail_of(
    person: Person, notices: Sequence[Notice], connection: BaseEmailBackend
) -> EmailMultiAlternatives:
    """Return the one mail that tells a person these notices, in the language of their choice."""
    with translation.override(languages_of([person])[person.pk]):
        return _mail_of(person, notices, connection)


def _mail_of(
    person: Person, notices: Sequence[Notice], connection: BaseEmailBackend
) -> EmailMultiAlternatives:
    """Return the mail as plain text and as simple HTML.

    Its Message-ID follows from the notices: a mail that a crash repeats is the same to a mailbox.
    """
    digest = digest_of(notices)
    away = unsubscribe_address(person)
    context = {
        "digest": digest,
        "site_name": settings.SITE_NAME,
        "list_address": _address("/my/notices/"),
        "settings_address": _address("/my/notices/settings/"),
        "unsubscribe_address": away,
        # With more than a few lines the sentences below each would bury them.
        "with_texts": len(notices) <= FOLD_FROM,
    }
    host = settings.PUBLIC_HOST.partition(":")[0]
    mail = EmailMultiAlternatives(
        digest.subject,
        render_to_string("mail/notices.txt", context),
        to=[person.email],
        connection=connection,
        headers={
            "Message-ID": f"<notices.{notices[0].pk}.{notices[-1].pk}.{len(notices)}@{host}>",
            # RFC 8058: one click in the mail program, without a page.
            "List-Unsubscribe": f"<{away}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": f"<notices.{host}>",
            # RFC 3834: no out-of-office answers to a machine.
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("mail/notices.html", context), "text/html")
    return mail
