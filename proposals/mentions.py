"""Who is mentioned in a comment: @ and the name that a participant shows."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from oversight.accounts.models import Membership, Person
from oversight.web.refusals import Invalid
from proposals.models import Argument, Comment, OpinionStatement, Proposal

MOST_MENTIONS = 10
"""People told by one comment: nobody sends mail to a whole body with it."""

_AT = re.compile(r"(?<![\w@.])@(?=\S)")


def participants(proposal: Proposal) -> QuerySet[Person]:
    """Return who can be mentioned: the proposer, the body, and who has said something here."""
    spoken = Q(pk=proposal.proposer_id)
    body = Membership.objects.in_term().filter(body=proposal.body_id)
    for people in (
        body.values("person"),
        Comment.objects.filter(proposal=proposal).values("author"),
        Argument.objects.filter(proposal=proposal).values("author"),
        OpinionStatement.objects.filter(proposal=proposal).values("author"),
    ):
        spoken |= Q(pk__in=people)
    return Person.objects.filter(spoken, is_active=True)


def people_named(text: str, proposal: Proposal) -> list[Person]:
    """Return the participants whose names stand after an @; of the same name all of them.

    Raises:
        Invalid: they are more than ten.
    """
    if not _AT.search(text):
        return []
    by_name: dict[str, list[Person]] = defaultdict(list)
    names = set()
    for person in participants(proposal).order_by("pk"):
        names.add(str(person))
        by_name[str(person).casefold()].append(person)
    found = {
        person.pk: person
        for start, end in spans_of(text, names)
        for person in by_name[text[start + 1 : end].casefold()]
    }
    if len(found) > MOST_MENTIONS:
        message = _("A comment mentions at most %(most_mentions)s people; this one %(found)s.") % {
            "most_mentions": MOST_MENTIONS,
            "found": len(found),
        }
        raise Invalid(message, fields={"text": message})
    return list(found.values())


def spans_of(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where mentions stand, the @ included; of names that begin alike the longest counts.

    Capitals do not matter, and a name ends where no letter or digit follows.
    """
    longest_first = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    for mark in _AT.finditer(text):
        for name in longest_first:
            end = mark.end() + len(name)
            is_whole = not text[end : end + 1].isalnum()
            if is_whole and text[mark.end() : end].casefold() == name.casefold():
                yield mark.start(), end
                break
