"""Arguments for and against a proposal, and who supports them."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.web.languages import lowered
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from oversight.web.written import required_language
from proposals import policy
from proposals.choices import OPEN, Leaf, Side
from proposals.models import Argument, ArgumentSupport, Proposal
from proposals.models.talk import MAX_ARGUMENT
from proposals.services.words import one_line

MAX_ARGUMENTS_EACH = 5
"""Of one person on one proposal that are not hidden: so that nobody fills the page alone."""


@transaction.atomic(durable=True)
def make_argument(
    *, by: Person, proposal: Proposal, side: Side, text: str, language: str = ""
) -> Argument:
    """Add an argument while the proposal is open; the record holds a salted commitment to it.

    Without a `language` it is in the proposal's.

    Raises:
        Invalid: empty, too long, or there already.
        Conflict: the discussion has ended, or the person has made five.
    """
    locked = _locked(by, proposal)
    words = one_line(text, MAX_ARGUMENT, gettext("An argument"))
    spoken = required_language(language or locked.written_in)
    there = Argument.objects.filter(proposal=locked, hidden_at=None)
    if there.filter(side=side, text__iexact=words).exists():
        message = _("This argument is there already: support it.")
        raise Invalid(message, fields={"text": message})
    if there.filter(author=by).count() >= MAX_ARGUMENTS_EACH:
        raise Conflict(
            _("You have made %(max_arguments_each)s arguments here; support others' now.")
            % {
                "max_arguments_each": MAX_ARGUMENTS_EACH,
            }
        )
    committed = ledger.commit_to({"side": side.value, "text": words})
    leaf = ledger.append(
        type=Leaf.ARGUMENT_MADE,
        actor=by.actor,
        subject=locked.subject,
        commits={"text": committed.digest},
        facts={"side": side.value},
    )
    ledger.keep_opening(leaf, "text", committed)
    return Argument.objects.create(
        proposal=locked, author=by, side=side, text=words, language=spoken, leaf_id=leaf.id
    )


@transaction.atomic(durable=True)
def support_argument(*, by: Person, argument: Argument) -> ArgumentSupport:
    """Support an argument, in public; one person counts once.

    Raises:
        Conflict: it is supported already, hidden, one's own, or the discussion has ended.
    """
    locked = _locked(by, argument.proposal)
    row = Argument.objects.get(pk=argument.pk)
    if row.hidden_at is not None:
        raise Conflict(_("This argument is hidden."))
    if row.author_id == by.pk:
        raise Conflict(_("An argument's author does not count among those who support it."))
    if row.supports.filter(person=by, withdrawn_at=None).exists():
        raise Conflict(_("You support this argument already."))
    leaf = ledger.append(
        type=Leaf.ARGUMENT_SUPPORTED,
        actor=by.actor,
        subject=locked.subject,
        facts={"argument": str(row.leaf_id)},
    )
    return ArgumentSupport.objects.create(argument=row, person=by, leaf_id=leaf.id)


@transaction.atomic(durable=True)
def withdraw_support(*, by: Person, argument: Argument) -> None:
    """Take one's support of an argument back.

    Raises:
        Conflict: there is none to take back, or the discussion has ended.
    """
    locked = _locked(by, argument.proposal)
    row = ArgumentSupport.objects.filter(argument=argument, person=by, withdrawn_at=None).first()
    if row is None:
        raise Conflict(_("You do not support this argument."))
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    ledger.append(
        type=Leaf.ARGUMENT_UNSUPPORTED,
        actor=by.actor,
        subject=locked.subject,
        facts={"argument": str(argument.leaf_id)},
    )


def _locked(by: Person, proposal: Proposal) -> Proposal:
    """Return the proposal, locked and open to this person's words."""
    if not policy.can_comment(by, proposal):
        raise NotAllowed(_("Sign in to take part in the discussion."))
    locked = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if locked.status not in OPEN:
        raise Conflict(
            _("The discussion has ended: %(lower)s.")
            % {
                "lower": lowered(locked.get_status_display()),
            }
        )
    return locked
