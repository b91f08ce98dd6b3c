"""A text as it is shown and decided on: set with its evidence, and whether its summary kept up."""

from proposals.amending import TextBlock, text_blocks
from proposals.evidence import lines_of, references_in, resolve
from proposals.models import Proposal, Revision
from proposals.readiness import judgements_of


def set_with_evidence(proposal: Proposal, found: Revision) -> list[TextBlock]:
    """Return a revision, set, with the evidence it refers to as it stands or was frozen."""
    references = references_in(found.body_markdown)
    if not references:
        return text_blocks(found.body_markdown)
    contract = getattr(proposal, "contract", None)
    lines = lines_of(judgements_of(proposal), contract.content if contract else None)
    return text_blocks(
        found.body_markdown,
        evidence=resolve(references, lines, is_frozen=contract is not None),
    )


def amended_since_summary(proposal: Proposal, text: Revision) -> int:
    """Return how many amendments the text took over since its title and summary last changed.

    An amendment changes the text alone; so title and summary may still say what it said before.
    """
    if text.number == 1:
        return 0
    number, before = 0, None
    rows = proposal.revisions.order_by("number")
    for title, summary, amendment in rows.values_list("title", "summary", "amendment"):
        if (title, summary) != before:
            number, before = 0, (title, summary)
        number += amendment is not None
    return number
