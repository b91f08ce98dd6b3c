"""A passage of the text: what was said about it, and saying something about it."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from oversight.accounts.policy import is_person
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Conflict, Invalid
from proposals.anchored import passages_of, pieces_of, quoted_in
from proposals.choices import Status
from proposals.forms.talk import PassageForm
from proposals.markdown import Block, plain_words, render_blocks
from proposals.models import Proposal, Revision
from proposals.passages import context_of
from proposals.services import discussion
from proposals.services.discussion import Quoted
from proposals.standing import may_do
from proposals.views.page import visible

LONGEST_PART = 160


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def passage(request: HttpRequest, ref: str, number: int, block: int) -> HttpResponse:
    """Show a paragraph of a revision with its threads; POST begins another one about it.

    `?quote=` narrows it to words of the paragraph, as a browser selects them.
    """
    proposal = visible(request, ref)
    revision = get_object_or_404(proposal.revisions.all(), number=number)
    blocks = render_blocks(revision.body_markdown)
    if not 1 <= block <= len(blocks):
        raise Http404
    found = blocks[block - 1]
    if request.method != "POST":
        quote = request.GET.get("quote", "")
        form = _form(request, proposal, revision, found, quote)
        return _page(request, proposal, revision, found, form)
    if not is_person(request.user):
        return redirect_to_login(request.get_full_path())
    form = _form(request, proposal, revision, found, request.POST.get("quote", ""))
    if not form.is_valid():
        return _page(request, proposal, revision, found, form, status=422)
    try:
        made = discussion.make_comment(
            by=request.user,
            proposal=proposal,
            text=form.cleaned_data["text"],
            is_question=form.cleaned_data.get("is_question", False),
            passage=_quoted(form, revision, found),
        )
    except (Conflict, Invalid) as refusal:
        status = put_on_form(form, refusal)
        return _page(request, proposal, revision, found, form, status=status)
    address = f"{proposal.get_absolute_url()}?comment={made.pk}#comment-{made.pk}"
    return HttpResponseRedirect(address)


def _form(
    request: HttpRequest, proposal: Proposal, revision: Revision, block: Block, quote: str
) -> PassageForm:
    """Return the form with what can be quoted: the selected words, each part, or the whole."""
    words = " ".join(quote.split())
    pieces = pieces_of(block, revision.body_markdown)
    parts = [(PassageForm.WHOLE, _("the whole paragraph"))]
    if len(pieces) > 1:
        written = [revision.body_markdown[start:end] for start, end in pieces]
        parts += [(str(n), _short(plain_words(piece))) for n, piece in enumerate(written)]
    if words and _within(words, revision, block):
        parts.append((PassageForm.SELECTED, _short(words)))
    form = PassageForm(
        request.POST if request.method == "POST" else None,
        parts=parts,
        may_ask=proposal.status == Status.DELIBERATION,
        language=proposal.written_in,
        initial={"quote": words},
    )
    if parts[-1][0] == PassageForm.SELECTED:
        form.fields["part"].initial = PassageForm.SELECTED
    return form


def _quoted(form: PassageForm, revision: Revision, block: Block) -> Quoted:
    """Return the passage that was chosen, with what stands around it."""
    text, part = revision.body_markdown, form.cleaned_data["part"]
    span: tuple[int, int] | None = None
    if part == PassageForm.SELECTED:
        span = _within(" ".join(form.cleaned_data["quote"].split()), revision, block)
    elif part != PassageForm.WHOLE:
        span = pieces_of(block, text)[int(part)]
    whole = text[block.start : block.end].rstrip()
    start, end = span or (block.start, block.start + len(whole))
    return Quoted(revision.number, text[start:end], *context_of(text, start, end))


def _within(words: str, revision: Revision, block: Block) -> tuple[int, int] | None:
    """Return where words as the page shows them stand in a block's Markdown."""
    found = quoted_in(revision.body_markdown[block.start : block.end], words)
    return (block.start + found[0], block.start + found[1]) if found else None


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_PART else f"{words[: LONGEST_PART - 1].rstrip()}…"


def _page(
    request: HttpRequest,
    proposal: Proposal,
    revision: Revision,
    block: Block,
    form: PassageForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "nav": "deciding",
        "proposal": proposal,
        "revision": revision,
        "latest": proposal.text,
        "paragraph": block,
        "threads": passages_of(proposal, revision)[block.number - 1].anchors,
        "form": form,
        "may": may_do(request.user, proposal),
    }
    return render(request, "proposals/passage.html", context, status=status)
