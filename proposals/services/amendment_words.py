"""The words of an amendment: read from what its author sent, and asked of the body in a vote."""

from typing import Any

from django.utils.translation import gettext

from oversight.web.figures import grouped
from oversight.web.refusals import Conflict, Invalid
from proposals.edits import Edit, carried, edits_between, replacements
from proposals.models import Amendment, Proposal, Revision, text_document
from proposals.services.drafting import MAX_TEXT

MAX_REASON = 2000
MAX_EDITS = 200


def checked_reason(text: str, reason: str) -> str:
    """Return the reason's words, or refuse what cannot be stored."""
    words = reason.strip()
    for name, value, longest in (("text", text, MAX_TEXT), ("reason", words, MAX_REASON)):
        if not value.strip() or "\x00" in value:
            raise Invalid(
                gettext("The %(name)s is missing.") % {"name": name},
                fields={name: gettext("Missing.")},
            )
        if len(value) > longest:
            message = gettext("The %(name)s has %(value)s characters; at most %(longest)s fit.") % {
                "name": name,
                "value": grouped(len(value)),
                "longest": grouped(longest),
            }
            raise Invalid(message, fields={name: message})
    return words


def edits_of(proposal: Proposal, base: Revision, text: str, base_number: int) -> tuple[Edit, ...]:
    """Return what the author changed, as edits of the newest revision.

    Raises:
        Invalid: nothing, or too much; or there is no such revision.
        Conflict: a newer revision changed the same words.
    """
    seen = base
    if base_number != base.number:
        found = proposal.revisions.filter(number=base_number).first()
        if found is None:
            raise Invalid(
                gettext("There is no such revision."), fields={"base_number": gettext("Unknown.")}
            )
        seen = found
    edits: tuple[Edit | None, ...] = edits_between(seen.body_markdown, text)
    if not edits:
        message = gettext("Nothing is changed: this is the text of revision %(number)s.") % {
            "number": seen.number,
        }
        raise Invalid(message, fields={"text": message})
    if len(edits) > MAX_EDITS:
        message = gettext(
            "This changes %(edits)s places; one amendment has at most %(max_edits)s. "
            "Propose the parts one by one."
        ) % {
            "edits": len(edits),
            "max_edits": MAX_EDITS,
        }
        raise Invalid(message, fields={"text": message})
    if seen.pk != base.pk:
        edits = carried((e for e in edits if e), seen.body_markdown, base.body_markdown)
    fitting = tuple(sorted(edit for edit in edits if edit is not None))
    if len(fitting) < len(edits):
        raise Conflict(
            gettext(
                "Revision %(number)s was written while you changed revision %(number_2)s, "
                "and it changed the same words. Your text is below; compare it and send it "
                "again."
            )
            % {
                "number": base.number,
                "number_2": seen.number,
            }
        )
    return fitting


def question_of(proposal: Proposal, amendment: Amendment) -> dict[str, Any]:
    """Return the text of the proposal that decides on an amendment."""
    newest = amendment.versions.order_by("-number")[0]
    passages = []
    for old, new in replacements(amendment.base.body_markdown, amendment.changes):
        said = (("Instead of", old), ("shall stand", new or "(nothing)"))
        passages += [f"{word}:\n\n{_quoted(words)}" for word, words in said if words]
    head = (
        f"Amendment {amendment.number} changes revision {amendment.base.number} of {proposal.ref}. "
        "When it is carried, the next revision of that text has it."
    )
    parts = [head, "## What it changes", *passages, "## Reason", amendment.reason]
    text = "\n\n".join(parts)
    return text_document(
        f"Amendment {amendment.number} to {proposal.ref}: {proposal.title}"[:160],
        f"Whether the text of {proposal.ref} is changed in {len(amendment.edits)} "
        f"place{'s' if len(amendment.edits) != 1 else ''}, against or without its proposer's word.",
        text,
        terms={
            "proposal": proposal.ref,
            "amendment": amendment.number,
            "digest": newest.digest,
        },
    )


def _quoted(text: str) -> str:
    """Return a passage as a quotation that sets it as it was typed."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
