"""Pages of the record: the log explorer, one entry, and the check of a receipt."""

import json
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from oversight.ledger import queries
from oversight.ledger.models import LedgerEntry, PendingLeaf
from oversight.ledger.services import check_receipt
from oversight.web.parts import page_or_part

MAX_RECEIPT = 20_000


class ReceiptForm(forms.Form):
    """A receipt to check."""

    receipt = forms.CharField(
        label="Your receipt",
        max_length=MAX_RECEIPT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="The whole text, beginning with c2sp.org/tlog-proof@v1.",
    )


@login_not_required
@require_safe
def record(request: HttpRequest) -> HttpResponse:
    """List the acts, newest first, or those that match a search."""
    wanted = request.GET.get("q", "").strip()
    entries = queries.find(wanted) if wanted else queries.entries_newest_first()
    context = {
        "page": Paginator(entries, 50).get_page(request.GET.get("page")),
        "wanted": wanted,
        "checkpoint": queries.newest_checkpoint(),
        "pending": queries.pending_count(),
        "form": ReceiptForm(),
        "nav": "record",
    }
    return page_or_part(request, "dashboards/record.html", "entries", context)


@login_not_required
@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one act: its exact bytes, its hash, its receipt."""
    found = get_object_or_404(LedgerEntry, index=index)
    context = {
        "entry": found,
        "content": json.dumps(json.loads(bytes(found.body)), indent=2, ensure_ascii=False),
        "raw": bytes(found.body).decode(),
        "receipt": queries.receipt_at(index),
        "nav": "record",
    }
    return render(request, "dashboards/entry.html", context)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
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
    return render(request, "dashboards/waiting.html", {"nav": "record"}, status=202)
