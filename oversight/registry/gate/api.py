"""The gate in the network API: its answers, and the keys that sign them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oversight.accounts.permissions import Public
from oversight.ledger import queries
from oversight.registry.choices import AuthorisationState, GateCode
from oversight.registry.gate import answers, door, keys
from oversight.registry.gate.reading import source
from oversight.registry.models import DIGEST_PATTERN
from oversight.web.problems import problem
from oversight.web.refusals import BadQuery

MOST_NAME = 60


class GateWeights(serializers.Serializer[Any]):
    """The registered version, and where the list of its files is."""

    model = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    digest = serializers.CharField()
    bytes = serializers.IntegerField()
    manifest = serializers.URLField()


class GateAuthorisation(serializers.Serializer[Any]):
    """The authorisation an answer rests on, and the decision that made it."""

    decision = serializers.CharField()
    state = serializers.ChoiceField(AuthorisationState.choices)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    suspended_until = serializers.DateTimeField(allow_null=True)
    conditions = serializers.JSONField()
    conditions_digest = serializers.CharField(allow_null=True)


class GateAct(serializers.Serializer[Any]):
    """One act on the record: its exact leaf, and the receipt that proves it."""

    index = serializers.IntegerField()
    type = serializers.CharField()
    leaf_hash = serializers.CharField()
    leaf = serializers.CharField()
    receipt = serializers.CharField()


class GateRecord(serializers.Serializer[Any]):
    """The checkpoint under which everything was read, and the acts that the answer rests on."""

    origin = serializers.CharField()
    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]
    acts = GateAct(many=True)


class GateSignature(serializers.Serializer[Any]):
    """A signature of an envelope; `keyid` is the SHA-256 of the raw public key."""

    keyid = serializers.CharField()
    sig = serializers.CharField()


class GateEnvelope(serializers.Serializer[Any]):
    """A DSSE envelope with an in-toto Statement, shaped like a SLSA verification summary."""

    payload = serializers.CharField()
    payloadType = serializers.CharField()  # noqa: N815 - the name in DSSE
    signatures = GateSignature(many=True)


class GateOutput(serializers.Serializer[Any]):
    """Yes or no, why, and all it rests on; it may be relied on until `not_after`."""

    allowed = serializers.BooleanField()
    result = serializers.ChoiceField(["PASSED", "FAILED"])
    code = serializers.ChoiceField(GateCode.choices)
    reason = serializers.CharField()
    checked_at = serializers.DateTimeField()
    not_after = serializers.DateTimeField()
    subject = serializers.CharField()
    deployment = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    weights = GateWeights(allow_null=True)
    authorisation = GateAuthorisation(allow_null=True)
    record = GateRecord(allow_null=True)
    answered_by = serializers.ChoiceField(["writer", "replica"])
    statement = GateEnvelope()


class GateKeyOutput(serializers.Serializer[Any]):
    """One key of the gate with the act that adopted it, and that act's receipt."""

    keyid = serializers.CharField()
    public_key = serializers.CharField()
    adopted_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    is_compromised = serializers.BooleanField()
    index = serializers.IntegerField()
    leaf = serializers.CharField()
    receipt = serializers.CharField()


class LogHandoverOutput(serializers.Serializer[Any]):
    """A rotation of the log's key, in a tree that the key which hands over has signed."""

    index = serializers.IntegerField()
    leaf = serializers.CharField()
    receipt = serializers.CharField()


class GateKeysOutput(serializers.Serializer[Any]):
    """Every key that the record knows, the oldest first, and how the log's key was handed over."""

    keys = GateKeyOutput(many=True)
    handovers = LogHandoverOutput(many=True)


class Gate(APIView):
    """May these weights serve this deployment now?"""

    permission_classes = [Public]

    @extend_schema(
        operation_id="gate_ask",
        parameters=[
            OpenApiParameter(
                "subject",
                {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                required=True,
                description="The digest of the manifest.",
            ),
            OpenApiParameter(
                "deployment",
                {"type": "string", "minLength": 1, "maxLength": MOST_NAME},
                required=True,
                description="The address name.",
            ),
        ],
        responses={200: GateOutput},
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer yes or no, signed, with the reason and the acts it rests on.

        `Cache-Control` says how long the answer may be kept, never beyond the sunset. A gate that
        cannot tell answers 503, which is a no.
        """
        subject, slug = _asked(request)
        try:
            found = answers.ready_answer(subject, slug)
        except (answers.CannotTell, keys.NoGateKey) as error:
            return _cannot_tell(str(error))
        headers = door.headers(found)
        answer = HttpResponse(found.body, content_type="application/json", headers=headers)
        plain: HttpRequest = request._request
        return get_conditional_response(plain, etag=found.etag, response=answer) or answer


class GateKeys(APIView):
    """The keys that the gate signs with and has signed with."""

    permission_classes = [Public]

    @extend_schema(operation_id="gate_keys", responses={200: GateKeysOutput})
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        """List each key with the act of the record that adopted it, and that act's receipt."""
        try:
            listed, _ = source.read(lambda: {"keys": _listed(), "handovers": _handed_over()})
        except answers.CannotTell as error:
            return _cannot_tell(str(error))
        answer = Response(listed)
        answer["Cache-Control"] = "public, max-age=5"
        answer["Access-Control-Allow-Origin"] = "*"
        return answer


def _handed_over() -> list[dict[str, Any]]:
    """Return each rotation of the log's key, in a tree that the key which hands over has signed."""
    newest = queries.newest_checkpoint()
    found = queries.handovers(newest.size) if newest else ()
    return [
        {"index": each.index, "leaf": each.entry.decode(), "receipt": each.receipt()}
        for each in found
    ]


def _asked(request: Request) -> tuple[str, str]:
    subject = request.query_params.get("subject", "")
    slug = request.query_params.get("deployment", "")
    wrong = {}
    if not DIGEST_PATTERN.match(subject):
        wrong["subject"] = "The digest of the weights: sha256: and 64 hex digits."
    if not 0 < len(slug) <= MOST_NAME:
        wrong["deployment"] = f"The address name of the use, at most {MOST_NAME} characters."
    if wrong:
        raise BadQuery(f"Say {' and '.join(wrong)}.", fields=wrong)
    return subject, slug


def _cannot_tell(why: str) -> Response:
    """Return 503 as a problem that also says no to who reads nothing but that field."""
    answer = problem(503, "The gate cannot tell", f"{why} Take this for a no.")
    answer.data |= {"allowed": False, "result": "FAILED", "code": "cannot-tell"}
    answer["Cache-Control"] = "no-store"
    answer["Retry-After"] = "5"
    return answer


def _listed() -> list[dict[str, Any]]:
    newest = queries.newest_checkpoint()
    if newest is None:
        return []
    listed = []
    for key in keys.known(newest.size):
        receipt = queries.receipt_at(key.index, newest.size)
        listed.append(
            {
                "keyid": keys.key_id(key.public),
                "public_key": key.public,
                "adopted_at": key.adopted_at,
                "retired_at": key.retired_at,
                "is_compromised": key.is_compromised,
                "index": key.index,
                "leaf": key.entry,
                "receipt": receipt.text if receipt else "",
            }
        )
    return listed
