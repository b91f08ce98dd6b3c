"""How a reader checks a report without trusting the site: digests, a receipt, commands."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oversight.dashboards.reports.document import Block, Cell, Code, Column, Paragraph, Table
from oversight.ledger.models import LedgerEntry
from oversight.ledger.queries import earliest_receipt
from oversight.web.figures import MISSING, grouped

CHECK_WORDS = gettext_lazy(
    "Every act named here stands on a public log that cannot be changed unnoticed. The last "
    "part of this report has the digests, a receipt, and commands that check all of it, the count "
    "of the votes included, without trusting this site."
)
LONGEST_LINE = 400
"""Of a receipt in print: a checkpoint is as valid without the signatures that are longer."""

HOW_TO_READ = gettext_lazy(
    "An act on the record has a number and the SHA-256 of its bytes. A digest beside it is that of "
    "a document which the bundle holds."
)


def of(
    leaves: Sequence[tuple[str, UUID, str]], *, receipt_of: UUID, bundle: str
) -> tuple[Block, ...]:
    """Return the last part of a report.

    Args:
        leaves: what each act is, its leaf, and the digest of its document (empty: none).
        receipt_of: the leaf whose receipt is printed.
        bundle: path of the audit bundle.
    """
    entries = {
        entry.leaf_id: entry
        for entry in LedgerEntry.objects.filter(
            leaf_id__in=[leaf for _name, leaf, _digest in leaves]
        )
    }
    rows = tuple(_row(name, entries.get(leaf), digest) for name, leaf, digest in leaves)
    columns = (Column(_("What")), Column(_("Act"), is_numeric=True), Column(_("Digests")))
    return (
        Table(_("On the record"), columns, rows),
        *_receipt(receipt_of),
        Paragraph(
            _(
                "The bundle holds the log, the contract, the ballots that are public, and every "
                "signed statement. verify.py is one file for Python alone, without a connection: "
                "it derives the tree anew, checks the signatures, and counts and judges everything "
                "again."
            )
        ),
        Code(_("Check everything without us"), _commands(bundle)),
    )


def acts(rows: tuple[tuple[Cell, ...], ...]) -> Table:
    """Return acts with their times and numbers on the record, each a row of cells."""
    columns = (Column(_("Act")), Column(_("When")), Column(_("Number"), is_numeric=True))
    return Table(_("Acts"), columns, rows)


def _row(name: str, entry: LedgerEntry | None, digest: str) -> tuple[Cell, ...]:
    if entry is None:
        return Cell(name), Cell(MISSING), Cell(_("waits for its place on the record"))
    href = f"/record/{entry.index}/"
    document = _("document %(digest)s") % {"digest": digest} if digest else ""
    leaf = Cell(entry.leaf_hash, note=document, is_code=True)
    return Cell(name), Cell(grouped(entry.index), href=href), leaf


def _receipt(leaf: UUID) -> tuple[Block, ...]:
    found = earliest_receipt(leaf)
    if found is None:
        return ()
    title = _(
        "Receipt of act %(act)s in the tree of %(acts)s acts, the first that was signed with it"
    )
    lines = found.text.split("\n")
    short = [line for line in lines if len(line) <= LONGEST_LINE]
    if len(short) < len(lines):
        title = _(
            "Receipt of act %(act)s in the tree of %(acts)s acts, the first that was signed with "
            "it; its long post-quantum signatures are left out, the record has them"
        )
    numbers = {"act": grouped(found.index), "acts": grouped(found.tree_size)}
    address = f"{settings.PUBLIC_URL}{reverse('ledger:proof', args=[found.index])}"
    file = _("The same receipt as a file, for programs: %(address)s") % {"address": address}
    return Code(title % numbers, "\n".join(short)), Paragraph(file)


def _commands(bundle: str) -> str:
    name = bundle.strip("/").replace("/", "-")
    return (
        f"curl -o {name} {settings.PUBLIC_URL}{bundle}\n"
        f"curl -O {settings.PUBLIC_URL}/audit/verify.py\n"
        f"python3 verify.py {name}"
    )
