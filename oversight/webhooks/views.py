"""Webhooks of people and organisations: list, make, see, and all that can be done with one."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from oversight.accounts.models import Person
from oversight.accounts.policy import is_person
from oversight.ledger.queries import published_size
from oversight.web.form_refusals import put_on_form
from oversight.web.refusals import Invalid, Refusal
from oversight.webhooks import services
from oversight.webhooks.choices import USUAL, Status
from oversight.webhooks.forms import SubscriptionForm
from oversight.webhooks.models import Subscription

ATTEMPTS_SHOWN = 25


@never_cache
@require_http_methods(["GET", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """List the subscriptions that one manages and make a new one."""
    owner = _person(request)
    form = SubscriptionForm(owner, request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made, secret = services.subscribe(owner=owner, **form.cleaned_data)
            except Refusal as refusal:
                status = put_on_form(form, refusal)
            else:
                return _shown(request, made, secret=secret, status=201)
    found = Subscription.objects.managed_by(owner).select_related("body", "organisation")
    context = {
        "subscriptions": [{"row": row, "wants": _wants(row)} for row in found],
        "form": form,
        "most": services.MOST_OF_A_PERSON,
    }
    return render(request, "webhooks/list.html", context, status=status)


@never_cache
@require_safe
def webhook(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one subscription with its log of attempts."""
    return _shown(request, _managed(request, public_id))


@never_cache
@require_POST
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make a new secret; it is shown on this answer only."""
    subscription = _managed(request, public_id)
    secret = services.rotate_secret(subscription=subscription)
    subscription.refresh_from_db()
    return _shown(request, subscription, secret=secret)


@require_POST
def challenge(request: HttpRequest, public_id: str) -> HttpResponse:
    """Have the challenge sent again."""
    done = _("The challenge is on its way: come back to this page in a few seconds.")
    return _act(request, public_id, services.challenge, done)


@require_POST
def ping(request: HttpRequest, public_id: str) -> HttpResponse:
    """Have a test sent."""
    done = _("A test is on its way: see below in a few seconds how it ended.")
    return _act(request, public_id, services.ping, done)


@require_POST
def send_again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Have one entry sent again."""
    _managed(request, public_id)
    index = request.POST.get("index", "")
    if not (index.isascii() and index.isdigit() and len(index) < 19):
        raise Invalid(
            gettext("Name the index of an entry."), fields={"index": gettext("A whole number.")}
        )

    def again(*, subscription: Subscription) -> None:
        services.send_again(subscription=subscription, index=int(index))

    done = _("Entry %(index)s is on its way again.") % {"index": index}
    return _act(request, public_id, again, done)


@require_POST
def delete(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a subscription."""
    services.unsubscribe(subscription=_managed(request, public_id))
    messages.success(request, _("The webhook is deleted: nothing more is sent."))
    return redirect("webhooks")


def _act(
    request: HttpRequest, public_id: str, service: Callable[..., None], done: str
) -> HttpResponse:
    """Do something with one's own subscription, and go back to its page."""
    subscription = _managed(request, public_id)
    service(subscription=subscription)
    messages.success(request, done)
    return redirect(subscription)


def _shown(
    request: HttpRequest, subscription: Subscription, *, secret: str = "", status: int = 200
) -> HttpResponse:
    size = published_size()
    context = {
        "subscription": subscription,
        "secret": secret,
        "wants": _wants(subscription),
        "attempts": subscription.attempts.all()[:ATTEMPTS_SHOWN],
        "behind": max(0, size - subscription.next_index),
        "has_two_secrets": len(subscription.live_seeds) > 1,
        "is_waiting": subscription.status == Status.WAITING,
        "is_off": subscription.status == Status.OFF,
        "is_active": subscription.status == Status.ACTIVE,
    }
    return render(request, "webhooks/detail.html", context, status=status)


def _wants(subscription: Subscription) -> list[str]:
    """Return in words what is sent; a type that the form does not offer by its own name."""
    named = dict(USUAL)
    return [str(named.get(each, each)) for each in subscription.types]


def _managed(request: HttpRequest, public_id: str) -> Subscription:
    managed = Subscription.objects.managed_by(_person(request))
    return get_object_or_404(managed.select_related("body", "organisation"), public_id=public_id)


def _person(request: HttpRequest) -> Person:
    if not is_person(request.user):
        raise Http404
    return request.user
