"""Files beside a text, and support for a proposal."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Invalid, NotAllowed, Refusal
from proposals import policy
from proposals.forms.attachments import AttachmentForm
from proposals.services import attachments
from proposals.services import support as supports
from proposals.uploads import file_answer, read_upload
from proposals.views.page import require_person, visible


@require_http_methods(["GET", "POST"])
def attach(request: HttpRequest, ref: str) -> HttpResponse:
    """Put a file beside the text, or take one off."""
    person, proposal = require_person(request), visible(request, ref)
    if not policy.can_edit_text(person, proposal):
        raise NotAllowed(_("Only the proposer attaches files to the text."))
    form, status = AttachmentForm(), 200
    if request.method == "POST":
        form, status = AttachmentForm(request.POST, request.FILES), 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                attachments.add_attachment(
                    by=person, proposal=proposal, name=file.name, data=read_upload(file)
                )
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                messages.success(request, _("The file stands beside the text."))
                return redirect("proposal-attach", proposal.ref)
    context = {
        "form": form,
        "proposal": proposal,
        "attachments": proposal.attachments.filter(removed_at=None).select_related("artefact"),
    }
    return render(request, "proposals/attach.html", context, status=status)


@require_POST
def detach(request: HttpRequest, ref: str, pk: int) -> HttpResponse:
    """Take a file off the text."""
    person, proposal = require_person(request), visible(request, ref)
    found = get_object_or_404(proposal.attachments, pk=pk)
    attachments.remove_attachment(by=person, attachment=found)
    return redirect("proposal-attach", proposal.ref)


@login_not_required
@require_safe
def attachment(request: HttpRequest, ref: str, pk: int) -> FileResponse:
    """Send a file to be kept, never to be shown: whatever is in it runs nowhere on this site."""
    proposal = visible(request, ref)
    found = get_object_or_404(
        proposal.attachments.select_related("artefact"), pk=pk, removed_at=None
    )
    return file_answer(found)


@require_POST
def support(request: HttpRequest, ref: str) -> HttpResponse:
    """Stand behind the proposal, or take that back; which one is the button's name."""
    person, proposal = require_person(request), visible(request, ref)
    acts = {"give": supports.give_support, "withdraw": supports.withdraw_support}
    act = request.POST.get("act", "")
    if act not in acts:
        raise Invalid(_("Unknown step: use one of give, withdraw."))
    acts[act](by=person, proposal=proposal)
    return redirect(proposal)
