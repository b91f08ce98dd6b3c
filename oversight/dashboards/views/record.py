"""Pages of the record: the log explorer, one entry, and the check of a receipt."""

import json
from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from oversight.dashboards.check_words import check_words
from oversight.dashboards.words import sentence, worded
from oversight.ledger import queries
from oversight.ledger.models import (
    Cosignature,
    LedgerEntry,
    PendingLeaf,
    RecordCheck,
    Timestamp,
    WitnessReport,
)
from oversight.ledger.services import check_receipt
from oversight.web.parts import page_or_part
from proposals.choices import Status
from proposals.models import Proposal

MAX_RECEIPT = 20_000


class ReceiptForm(forms.Form):
    """A receipt to check."""

    receipt = forms.CharField(
        label=_("Your receipt"),
        max_length=MAX_RECEIPT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=_("The whole text, beginning with c2sp.org/tlog-proof@v1."),
    )


@login_not_required
@require_safe
def record(request: HttpRequest) -> HttpResponse:
    """List the acts, newest first, or those that match a search."""
    # Receipts link here with their leaf hash.
    wanted = (request.GET.get("q") or request.GET.get("receipt") or "").strip()
    entries = queries.find(wanted) if wanted else queries.entries_newest_first()
    page = Paginator(entries, 50).get_page(request.GET.get("page"))
    checkpoint = queries.newest_checkpoint()
    size = checkpoint.size if checkpoint else 0
    context = {
        "headline": sentence(
            worded(
                ngettext(
                    "%(number)s act is on the record", "%(number)s acts are on the record", size
                ),
                size,
                none=gettext("no acts are on the record"),
            )
        ),
        "page": page,
        "drafts": _drafts(page),
        "found_words": worded(
            ngettext("%(number)s act", "%(number)s acts", page.paginator.count),
            page.paginator.count,
            none=gettext("no acts"),
        ),
        "wanted": wanted,
        "query": urlencode({"q": wanted}) if wanted else "",
        "checkpoint": checkpoint,
        # What is signed; the signatures below it fill pages where one is post-quantum.
        "signed": checkpoint.note.partition("\n\n")[0] if checkpoint else "",
        "pending": queries.pending_count(),
        "form": ReceiptForm(),
        "nav": "record",
    }
    return page_or_part(request, "dashboards/record.html", "entries", context)


def _drafts(page: Iterable[LedgerEntry]) -> set[str]:
    """Return the subjects of these acts that are drafts, which have no public page; one query."""
    refs = [each.subject.partition(":")[2] for each in page if each.subject.startswith("proposal:")]
    drafts = Proposal.objects.filter(ref__in=refs, status=Status.DRAFT)
    return {f"proposal:{ref}" for ref in drafts.values_list("ref", flat=True)}


@login_not_required
@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one act: its exact bytes, its hash, its receipt."""
    found = _entry(index)
    context = {
        "entry": found,
        "content": found.content,
        "pretty": json.dumps(found.content, indent=2, ensure_ascii=False),
        "size": len(bytes(found.body)),
        "receipt": queries.receipt_at(index),
        "log_address": reverse("ledger:checkpoint").removesuffix("/checkpoint"),
        "form": ReceiptForm(),
        "check_words": check_words(),
        "nav": "record",
    }
    return render(request, "dashboards/entry.html", context)


@login_not_required
@require_safe
def leaf(request: HttpRequest, index: int) -> HttpResponse:  # noqa: ARG001
    """Send the exact bytes of one act: what its leaf hash is of."""
    return HttpResponse(bytes(_entry(index).body), content_type="application/json")


def _entry(index: int) -> LedgerEntry:
    if index >= 1 << 63:
        raise Http404
    return get_object_or_404(LedgerEntry, index=index)


@login_not_required
@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show how the record stands: last check, keys, witnesses, and what a witness refused."""
    newest = queries.newest_signed_checkpoint()
    policy = queries.witness_policy()
    context = {
        "newest": newest,
        "published": queries.newest_checkpoint(),
        "pending": queries.pending_count(),
        "keys": [key.format() for key in queries.keys_of_log()],
        "last_check": RecordCheck.objects.first(),
        "witnesses": [
            {"name": each.name, "vkey": each.key.format(), "last": _last_cosignature(each.name)}
            for each in policy.witnesses
        ],
        "quorum": policy.quorum,
        "stamp": Timestamp.objects.order_by("-size").first(),
        "stamps_asked": bool(settings.LEDGER_TSA_URL),
        "reports": WitnessReport.objects.all()[:20],
        "nav": "record",
    }
    return render(request, "dashboards/status.html", context)


def _last_cosignature(witness: str) -> Cosignature | None:
    return Cosignature.objects.filter(witness=witness).order_by("-size").first()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Check a pasted receipt, step by step, and say what each step shows."""
    form = ReceiptForm(request.POST or None)
    result, status = None, 200
    if request.method == "POST":
        if form.is_valid():
            result = check_receipt(form.cleaned_data["receipt"].replace("\r\n", "\n"))
        else:
            status = 422
    context = {"form": form, "result": result, "nav": "record"}
    return page_or_part(request, "dashboards/check.html", "result", context, status=status)


@login_not_required
@never_cache
@require_safe
def receipt(request: HttpRequest, leaf_id: UUID) -> HttpResponse:
    """Go to an act by its leaf's name, or say that it still waits for its place."""
    found = LedgerEntry.objects.filter(leaf_id=leaf_id).values_list("index", flat=True).first()
    if found is not None:
        return redirect("record-entry", index=found)
    if not PendingLeaf.objects.filter(pk=leaf_id).exists():
        raise Http404
    context = {"nav": "record", "leaf_id": leaf_id}
    return render(request, "dashboards/waiting.html", context, status=202)
