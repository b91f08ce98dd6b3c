"""Speaking about a proposal: comments, answers, questions, and who is told of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.choices import NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.ledger import services as ledger
from oversight.web.figures import grouped
from oversight.web.languages import filled, lowered
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.web.written import required_language
from proposals import policy
from proposals.anchored import quoted_in
from proposals.choices import OPEN, Leaf, Status
from proposals.mentions import people_named
from proposals.models import Anchor, Comment, Mention, Proposal
from proposals.models.talk import MAX_QUOTE
from proposals.passages import context_of

MAX_COMMENT = 5000


@dataclass(frozen=True, slots=True)
class Quoted:
    """The passage that a thread is about, as its author quotes it."""

    revision: int
    quote: str
    """As it is written in Markdown or shown on the page."""
    before: str = ""
    """What stands around it, where the quote alone stands there more than once."""
    after: str = ""


@transaction.atomic(durable=True)
def make_comment(
    *,
    by: Person,
    proposal: Proposal,
    text: str,
    parent: Comment | None = None,
    is_question: bool = False,
    passage: Quoted | None = None,
    language: str = "",
) -> Comment:
    """Add a comment while the proposal is open; the record holds a salted commitment to it.

    A question is asked of the proposer, and the text cannot be final before it is answered; the
    proposer's first answer to it counts as that. The lock on the proposal makes a question and
    the final text wait for each other. A thread may be about a passage of a revision, which the
    commitment then holds, too. Without a `language` it is in the proposal's.

    Raises:
        Invalid: empty or longer than 5,000 characters, a question or a passage inside a thread,
            a passage that does not stand in its revision, or more than ten people mentioned.
        Conflict: the discussion has ended.
    """
    if not policy.can_comment(by, proposal):
        raise NotAllowed(gettext("Sign in to take part in the discussion."))
    words = _checked(text)
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if locked.status not in OPEN:
        raise Conflict(
            gettext("The discussion has ended: %(lower)s.")
            % {
                "lower": lowered(locked.get_status_display()),
            }
        )
    spoken = required_language(language or locked.written_in)
    if parent is not None and parent.proposal_id != locked.pk:
        raise Invalid(gettext("The comment you answer belongs to another proposal."))
    if is_question:
        _require_askable(locked, parent)
    anchor = _anchored(locked, parent, passage)
    named = people_named(words, locked)
    question = _question_answered(by, locked, parent)
    committed = ledger.commit_to({"text": words} | ({"passage": anchor.document} if anchor else {}))
    leaf = ledger.append(
        type=Leaf.COMMENT_MADE,
        actor=by.actor,
        subject=locked.subject,
        commits={"text": committed.digest},
        # The record has to show on its own that no question was open when the text became final.
        facts=({"kind": "question"} if is_question else {})
        | ({"answers": str(question.leaf_id)} if question else {}),
    )
    ledger.keep_opening(leaf, "text", committed)
    comment = Comment.objects.create(
        proposal=locked,
        parent=parent,
        author=by,
        text=words,
        language=spoken,
        is_question=is_question,
        leaf_id=leaf.id,
    )
    if question is not None:
        question.answer = comment
        question.save(update_fields=["answer"])
    if anchor is not None:
        anchor.comment = comment
        anchor.save()
    Mention.objects.bulk_create(Mention(comment=comment, person=person) for person in named)
    _tell(comment, locked, named)
    return comment


def _anchored(proposal: Proposal, parent: Comment | None, passage: Quoted | None) -> Anchor | None:
    """Return the anchor of a thread, not yet saved; the caller holds the proposal's lock."""
    if passage is None:
        return None
    if parent is not None:
        raise Invalid(
            gettext("A passage belongs to the first comment of a thread."),
            fields=_unusable_passage(),
        )
    revision = proposal.revisions.filter(number=passage.revision).first()
    if revision is None:
        raise Invalid(
            gettext("There is no revision %(revision)s.") % {"revision": passage.revision},
            fields=_unusable_passage(),
        )
    text = revision.body_markdown
    found = quoted_in(text, passage.quote, passage.before, passage.after)
    if found is None:
        raise Invalid(
            gettext(
                "These words do not stand in revision %(revision)s, or more than once: quote "
                "more of it."
            )
            % {
                "revision": passage.revision,
            },
            fields=_unusable_passage(),
        )
    start, end = found
    quote = text[start:end]
    if len(quote) > MAX_QUOTE:
        raise Invalid(
            gettext("A passage has at most %(max_quote)s characters.")
            % {
                "max_quote": grouped(MAX_QUOTE),
            },
            fields=_unusable_passage(),
        )
    before, after = context_of(text, start, end)
    return Anchor(revision=revision, quote=quote, before=before, after=after)


def _tell(comment: Comment, proposal: Proposal, named: Iterable[Person]) -> None:
    """Tell who is asked, answered or mentioned, each once; in the transaction of the comment."""
    address = f"{proposal.get_absolute_url()}?comment={comment.pk}#comment-{comment.pk}"
    told = {comment.author_id}
    if comment.is_question:
        told.add(proposal.proposer_id)
        notify(
            kind=NoticeKind.QUESTION,
            body=proposal.body,
            about=proposal.ref,
            people=[proposal.proposer],
            subject=filled(
                _("%(author)s asks you about %(ref)s"), author=comment.author, ref=proposal.ref
            ),
            text=filled(
                _("“%(title)s” cannot become final before you answer."), title=proposal.title
            ),
            path=address,
        )
    if comment.parent is not None and comment.parent.author_id not in told:
        told.add(comment.parent.author_id)
        notify(
            kind=NoticeKind.ANSWER,
            body=proposal.body,
            about=proposal.ref,
            people=[comment.parent.author],
            subject=filled(
                _("%(author)s answered you on %(ref)s"), author=comment.author, ref=proposal.ref
            ),
            text=filled(
                _("There is an answer to your comment on “%(title)s”."), title=proposal.title
            ),
            path=address,
        )
    notify(
        kind=NoticeKind.MENTION,
        body=proposal.body,
        about=proposal.ref,
        people=[person for person in named if person.pk not in told],
        subject=filled(
            _("%(author)s mentions you on %(ref)s"), author=comment.author, ref=proposal.ref
        ),
        text=filled(_("You are named in a comment on “%(title)s”."), title=proposal.title),
        path=address,
    )


def _checked(text: str) -> str:
    """Return a comment's words, or refuse what is empty, too long or cannot be stored."""
    words = text.strip()
    if not words or "\x00" in words:
        raise Invalid(gettext("Write something first."), fields={"text": gettext("Empty.")})
    if len(words) > MAX_COMMENT:
        message = gettext(
            "A comment has at most %(max_comment)s characters; this one has %(words)s."
        ) % {
            "max_comment": grouped(MAX_COMMENT),
            "words": grouped(len(words)),
        }
        raise Invalid(message, fields={"text": message})
    return words


def _require_askable(proposal: Proposal, parent: Comment | None) -> None:
    """Refuse a question where it could hold up nothing; the caller holds the proposal's lock."""
    if parent is not None:
        raise Invalid(gettext("A question to the proposer begins a thread of its own."))
    if proposal.status != Status.DELIBERATION:
        raise Conflict(
            gettext("The text is final: questions that it waits for are asked before that.")
        )


def _question_answered(by: Person, proposal: Proposal, parent: Comment | None) -> Comment | None:
    """Return the open question that this answer settles, locked by the proposal's lock.

    The proposer answers; where the proposer's account is closed, a clerk does in their place.
    """
    if parent is None:
        return None
    question = Comment.objects.filter(pk=parent.pk, is_question=True, answer=None).first()
    may = policy.can_answer_questions(by, proposal)
    return question if may else None


def is_open_for_comments(proposal: Proposal) -> bool:
    """Say whether the discussion goes on."""
    return Status(proposal.status) in OPEN


def _unusable_passage() -> dict[str, str]:
    return {"passage": gettext("Cannot be used.")}
