"""Who writes drafts, and whose they are."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from evals import policy
from evals.models import SuiteDraft
from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.web.refusals import NotAllowed


def author(request: HttpRequest) -> Person:
    """Return who asks, an evaluator; nobody else gets to a draft."""
    if not is_person(request.user):
        raise Http404
    if not policy.can_publish_suite(request.user):
        raise NotAllowed(_("Only evaluators write and publish suites."))
    return request.user


def own_draft(request: HttpRequest, ref: str) -> SuiteDraft:
    """Return a draft of the reader's own; those of others are not there."""
    return get_object_or_404(
        SuiteDraft.objects.select_related("base"), ref=ref, owner=author(request)
    )


def task_of(found: SuiteDraft, name: str) -> dict[str, Any]:
    """Return a task of a draft, or answer 404."""
    try:
        return found.task(name)
    except KeyError:
        raise Http404 from None
