"""The discussion of a proposal as its page shows it: threads, page by page, with who is who."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.paginator import Page, Paginator
from django.utils.safestring import SafeString

from oversight.accounts.choices import BodyRole
from oversight.accounts.models import Membership
from proposals.anchored import Found, Patience, found_in
from proposals.forms.texts import CommentForm, HideForm
from proposals.markdown import render_markdown
from proposals.models import Comment, Proposal

THREADS_A_PAGE = 30
ANSWERS_A_THREAD = 200
DEEPEST = 2
"""Answers below this level stand beside what they answer, so that a phone can show them."""


@dataclass
class Node:
    """One comment on the page, with its forms."""

    comment: Comment
    html: SafeString
    depth: int
    role: str
    answer_form: CommentForm | None = None
    """Only where it was refused: the page writes an empty one by itself, a hundred times faster."""
    hide_form: HideForm | None = None
    replies: list["Node"] = field(default_factory=list)
    is_new: bool = False
    passage: Found | None = None
    """What the thread is about, where it is about a passage."""


@dataclass(frozen=True, slots=True)
class Discussion:
    """One page of the discussion."""

    threads: list[Node]
    page: Page[int]
    comment_count: int
    hidden_answers: int
    """How many answers are left out because their thread is too long to show whole."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the reader has just sent, so that it finds its place on the page again."""

    answer: CommentForm | None = None
    """A refused answer, with what was typed."""
    hiding: tuple[int, HideForm] | None = None
    """The comment and the refused form to hide it."""
    made: Comment | None = None
    """The comment that was just made."""
    asked: int | None = None
    """The comment that a link leads to."""

    @property
    def answered(self) -> int | None:
        """The comment that a refused answer was to."""
        try:
            return int(self.answer.data.get("parent") or 0) or None if self.answer else None
        except ValueError:
            return None

    @property
    def comment(self) -> int | None:
        """The comment that the page has to show."""
        if self.made:
            return self.made.pk
        return self.hiding[0] if self.hiding else self.answered or self.asked


def discussion_of(
    proposal: Proposal,
    number: str | int | None = None,
    sent: Sent | None = None,
    text: str | None = None,
) -> Discussion:
    """Return one page of a proposal's discussion, or the page of what was just sent.

    One narrow query finds the threads, two more the comments of this page and their authors.

    Args:
        proposal: whose discussion.
        number: the page.
        sent: what the reader has just sent, or the comment that a link leads to.
        text: the text of today, in which passages are looked for; read when it is not given.
    """
    sent = sent or Sent()
    parents: dict[int, int | None] = dict(
        proposal.comments.order_by("made_at", "id").values_list("id", "parent_id")
    )
    roots = [key for key, parent in parents.items() if parent is None]
    shown = _root_of(sent.comment, parents)
    if shown is not None:
        number = roots.index(shown) // THREADS_A_PAGE + 1
    page = Paginator(roots, THREADS_A_PAGE).get_page(number)
    wanted, left_out = _members_of(page, parents)
    comments = proposal.comments.filter(pk__in=wanted).select_related(
        "author", "parent__author", "anchor__revision"
    )
    comments = comments.defer("parent__text", "anchor__revision__body_markdown")
    nodes = _nodes(proposal, comments.order_by("made_at", "id"), sent, text)
    return Discussion([nodes[root] for root in page], page, len(parents), left_out)


def _root_of(comment: int | None, parents: dict[int, int | None]) -> int | None:
    """Return the first comment of a comment's thread, or None where there is none."""
    if comment not in parents:
        return None
    while comment is not None and (parent := parents[comment]) is not None:
        comment = parent
    return comment


def _members_of(page: Iterable[int], parents: dict[int, int | None]) -> tuple[list[int], int]:
    """Return all comments in the threads of a page, and how many had to be left out."""
    thread_of: dict[int, int] = {root: root for root in page}
    sizes = dict.fromkeys(thread_of, 0)
    wanted, left_out = list(thread_of), 0
    for key, parent in parents.items():  # in the order made: a parent comes before its answers
        if parent is None or parent not in thread_of:
            left_out += parent is not None and _root_of(key, parents) in sizes
            continue
        root = thread_of[parent]
        sizes[root] += 1
        if sizes[root] > ANSWERS_A_THREAD:
            left_out += 1
            continue
        thread_of[key] = root
        wanted.append(key)
    return wanted, left_out


def _nodes(
    proposal: Proposal, comments: Iterable[Comment], sent: Sent, text: str | None
) -> dict[int, Node]:
    """Return the comments as nodes, each answer under what it answers."""
    comments = list(comments)
    roles = _roles(proposal, {comment.author_id for comment in comments})
    nodes: dict[int, Node] = {}
    patience = Patience()
    for comment in comments:
        parent = nodes.get(comment.parent_id) if comment.parent_id else None
        while parent is not None and parent.depth >= DEEPEST:
            parent = nodes[parent.comment.parent_id or 0]
        node = _node(comment, parent.depth + 1 if parent else 0, sent)
        node.role = roles.get(comment.author_id, "")
        if (anchor := getattr(comment, "anchor", None)) is not None:
            text = proposal.text.body_markdown if text is None else text
            node.passage = found_in(anchor, text, patience)
        nodes[comment.pk] = node
        if parent is not None:
            parent.replies.append(node)
    return nodes


def _node(comment: Comment, depth: int, sent: Sent) -> Node:
    key = comment.pk
    return Node(
        comment=comment,
        html=render_markdown(comment.text) if comment.hidden_at is None else SafeString(),
        depth=depth,
        role="",
        answer_form=sent.answer if sent.answered == key else None,
        hide_form=sent.hiding[1] if sent.hiding and sent.hiding[0] == key else None,
        is_new=sent.made is not None and sent.made.pk == key,
    )


def _roles(proposal: Proposal, authors: set[int]) -> dict[int, str]:
    """Return what each author is in the body now."""
    found = Membership.objects.in_term().filter(body=proposal.body_id, person__in=authors)
    return {seat.person_id: BodyRole(seat.role).word for seat in found.order_by("-role")}
