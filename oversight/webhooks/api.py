"""Webhooks of people and organisations in the network API, over the services of the pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.choices import Scope
from oversight.accounts.models import Body, Organisation
from oversight.accounts.permissions import own
from oversight.web.inputs import checked, named_row
from oversight.webhooks import services
from oversight.webhooks.models import URL_CHARACTERS, Attempt, Subscription


class WebhookOutput(serializers.ModelSerializer[Subscription]):
    """One subscription; its secret is shown only where it was just made."""

    id = serializers.CharField(source="public_id", read_only=True)
    body = serializers.SlugRelatedField[Body](slug_field="slug", read_only=True, allow_null=True)
    organisation = serializers.SlugRelatedField[Organisation](
        slug_field="slug",
        read_only=True,
        allow_null=True,
        help_text="Whose it is, where it is not the caller's own.",
    )

    class Meta:
        model = Subscription
        fields = [
            "id",
            "organisation",
            "url",
            "note",
            "types",
            "body",
            "subject",
            "status",
            "off_reason",
            "next_index",
            "failures",
            "failing_since",
            "next_try_at",
            "old_seed_until",
            "created_at",
        ]
        extra_kwargs = {
            "next_index": {"help_text": "The next entry of the record to look at."},
            "old_seed_until": {"help_text": "Until when the secret before this one signs, too."},
        }


@extend_schema_serializer(component_name="WebhookWithSecret")
class WebhookWithSecret(WebhookOutput):
    """A new subscription with its secret."""

    secret = serializers.SerializerMethodField(help_text="`whsec_…`, shown this once.")

    class Meta(WebhookOutput.Meta):
        fields = [*WebhookOutput.Meta.fields, "secret"]

    def get_secret(self, _row: Subscription) -> str:
        """Return the secret that the view knows."""
        return str(self.context["secret"])


class WebhookInput(serializers.Serializer[Any]):
    """What to send where."""

    url = serializers.CharField(max_length=URL_CHARACTERS, help_text="https://host/path")
    note = serializers.CharField(max_length=80, default="", allow_blank=True)
    types = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=services.MOST_TYPES,
        default=list,
        help_text="Types of events or their beginnings, such as proposals.decision; none: all.",
    )
    body = serializers.SlugField(
        allow_null=True, default=None, help_text="Only the acts of this body."
    )
    subject = serializers.CharField(
        max_length=201,
        default="",
        allow_blank=True,
        help_text="Only about this, such as proposal:2026-001.",
    )
    organisation = serializers.SlugField(
        allow_null=True,
        default=None,
        help_text="Whose it is to be, all of whose operators manage it; null for one's own.",
    )


class SecretOutput(serializers.Serializer[Any]):
    """A new secret."""

    secret = serializers.CharField(help_text="Shown this once.")


class AttemptOutput(serializers.ModelSerializer[Attempt]):
    """One time that something was sent, and how it ended."""

    class Meta:
        model = Attempt
        fields = ["message_id", "kind", "type", "index", "at", "milliseconds", "ending", "answered"]


class AgainInput(serializers.Serializer[Any]):
    """Which entry of the record to send again."""

    index = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class Webhooks(generics.ListAPIView[Subscription]):
    """`GET`: the subscriptions that one manages, newest first. `POST`: a new one, with its secret.

    These are one's own, and those of organisations that one operates for.
    """

    answers_once = True
    permission_classes = [own(Scope.WEBHOOKS)]
    serializer_class = WebhookOutput
    queryset = Subscription.objects.none()

    def get_queryset(self) -> QuerySet[Subscription]:
        """Return those that the caller manages."""
        return _managed(self.request)

    @extend_schema(request=WebhookInput, responses={201: WebhookWithSecret})
    def post(self, request: Request) -> Response:
        """Subscribe an address; nothing but a challenge is sent before it has answered that."""
        data = checked(WebhookInput, request)
        if slug := data.pop("body"):
            data["body"] = named_row(Body, "body", slug=slug)
        if slug := data.pop("organisation"):
            data["organisation"] = named_row(Organisation, "organisation", slug=slug)
        made, secret = services.subscribe(owner=request.user, **data)  # type: ignore[arg-type]
        return Response(WebhookWithSecret(made, context={"secret": secret}).data, status=201)


class _OwnWebhook(APIView):
    permission_classes = [own(Scope.WEBHOOKS)]

    def found(self, request: Request, public_id: str) -> Subscription:
        """Return one that the caller manages; of others nobody learns that they are."""
        return get_object_or_404(_managed(request), public_id=public_id)

    def answer(self, request: Request, public_id: str) -> Response:
        """Return the subscription as it is now."""
        return Response(WebhookOutput(self.found(request, public_id)).data)


class WebhookDetail(_OwnWebhook):
    """`GET`: one subscription. `DELETE`: end it."""

    @extend_schema(responses=WebhookOutput)
    def get(self, request: Request, public_id: str) -> Response:
        """Return one subscription."""
        return self.answer(request, public_id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """End a subscription and forget all about it."""
        services.unsubscribe(subscription=self.found(request, public_id))
        return Response(status=204)


class Attempts(generics.ListAPIView[Attempt]):
    """What was sent lately and how that ended, newest first; the last 100."""

    permission_classes = [own(Scope.WEBHOOKS)]
    serializer_class = AttemptOutput
    queryset = Attempt.objects.none()

    def get_queryset(self) -> QuerySet[Attempt]:
        """Return those of one of the subscriptions that the caller manages."""
        found = get_object_or_404(_managed(self.request), public_id=self.kwargs["public_id"])
        return found.attempts.all()


class NewSecret(_OwnWebhook):
    """`POST`: a new secret; the one before it signs beside it for a day."""

    answers_once = True

    @extend_schema(request=None, responses=SecretOutput)
    def post(self, request: Request, public_id: str) -> Response:
        """Make a new secret."""
        found = self.found(request, public_id)
        return Response({"secret": services.rotate_secret(subscription=found)})


class Challenge(_OwnWebhook):
    """`POST`: ask the address anew whether it wants this, also after it was switched off."""

    @extend_schema(request=None, responses=WebhookOutput)
    def post(self, request: Request, public_id: str) -> Response:
        """Have the challenge sent."""
        services.challenge(subscription=self.found(request, public_id))
        return self.answer(request, public_id)


class Ping(_OwnWebhook):
    """`POST`: have a test sent, once."""

    @extend_schema(request=None, responses=WebhookOutput)
    def post(self, request: Request, public_id: str) -> Response:
        """Have a test sent."""
        services.ping(subscription=self.found(request, public_id))
        return self.answer(request, public_id)


class Again(_OwnWebhook):
    """`POST`: have one entry sent again, once, under the same `webhook-id`."""

    @extend_schema(request=AgainInput, responses=WebhookOutput)
    def post(self, request: Request, public_id: str) -> Response:
        """Have an entry sent again."""
        data = checked(AgainInput, request)
        services.send_again(subscription=self.found(request, public_id), index=data["index"])
        return self.answer(request, public_id)


def _managed(request: Request) -> QuerySet[Subscription]:
    """Return what the caller manages; of a stranger who only asks for the form, none."""
    return Subscription.objects.managed_by(request.user).select_related("body", "organisation")
