"""The log over HTTP, for programs: checkpoint, tiles, entry bundles, key, receipts. Public."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from oversight.ledger import queries
from oversight.ledger.merkle import HASH_BYTES
from oversight.ledger.models import Checkpoint, LedgerEntry, Timestamp
from oversight.ledger.tiles import (
    WIDTH,
    TileError,
    TileId,
    TilePath,
    format_bundle,
    parse_path,
    width_at,
)

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
BRIEFLY = "public, max-age=2"
FOR_EVER = "public, max-age=31536000, immutable"


@login_not_required
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer the newest signed checkpoint."""
    return _answer(queries.published_note(_newest()), TEXT, BRIEFLY)


@login_not_required
@require_safe
def vkey(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer the verifier key of the log's signatures."""
    return _answer(f"{_newest().vkey}\n", TEXT, BRIEFLY)


@login_not_required
@require_safe
def vkeys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer every Ed25519 key that has signed for this log, the newest first, one a line."""
    _newest()
    keys = "".join(f"{key.format()}\n" for key in queries.keys_of_log())
    return _answer(keys, TEXT, BRIEFLY)


@login_not_required
@require_safe
def tile(request: HttpRequest, where: str) -> HttpResponse:  # noqa: ARG001
    """Answer a tile or an entry bundle, full or partial, as far as the newest checkpoint covers."""
    try:
        asked = parse_path(where)
    except TileError as error:
        raise Http404(str(error)) from None
    covered = TileId(asked.level or 0, asked.index)
    if asked.width > width_at(covered, _newest().size):
        raise Http404("The newest checkpoint does not cover this tile at this width.")
    content = _bundle(asked) if asked.level is None else _hashes(covered, asked.width)
    return _answer(content, BYTES, FOR_EVER)


@login_not_required
@require_safe
def proof(request: HttpRequest, index: int) -> HttpResponse:
    """Answer the receipt of an entry, under the newest checkpoint or that of `?size=`."""
    size = request.GET.get("size", "")
    if size and not (size.isascii() and size.isdigit() and len(size) < 19):
        raise Http404("size is the size of a signed tree: a whole number.")
    found = queries.receipt_at(index, int(size) if size else None) if index < 1 << 63 else None
    if found is None:
        raise Http404(f"No such checkpoint covers an entry {index}.")
    return _answer(found.text, TEXT, BRIEFLY)


@login_not_required
@require_safe
def timestamp(request: HttpRequest, size: int) -> HttpResponse:  # noqa: ARG001
    """Answer the timestamp (RFC 3161) of the checkpoint of so many entries."""
    found = Timestamp.objects.filter(size=size).first() if size < 1 << 63 else None
    if found is None or size > _newest().size:
        raise Http404("No timestamp of a checkpoint of this size is kept.")
    return _answer(bytes(found.answer), "application/timestamp-reply", FOR_EVER)


def _newest() -> Checkpoint:
    newest = queries.newest_checkpoint()
    if newest is None:
        raise Http404("The log has not signed its first checkpoint yet.")
    return newest


def _hashes(wanted: TileId, width: int) -> bytes:
    return queries.read_tiles([wanted])[wanted][: width * HASH_BYTES]


def _bundle(asked: TilePath) -> bytes:
    start = asked.index * WIDTH
    rows = LedgerEntry.objects.between(start, start + asked.width).values_list("body", flat=True)
    return format_bundle(bytes(body) for body in rows)


def _answer(content: str | bytes, content_type: str, caching: str) -> HttpResponse:
    headers = {
        "Cache-Control": caching,
        # Anyone's page may verify the record in its reader's browser.
        "Access-Control-Allow-Origin": "*",
    }
    return HttpResponse(content, content_type=content_type, headers=headers)
