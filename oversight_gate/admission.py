"""Kubernetes admission reviews (admission.k8s.io/v1): may this workload start?

A workload says in annotations what it serves: `oversight-gate/weights` (the digest of the manifest)
and `oversight-gate/deployment` (the name at the gate), on itself or on its pod template. Several
models in one pod are written as lists with commas, in the same order. Whatever reaches this webhook
and names nothing is refused: which objects reach it is for its configuration to say.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from oversight_gate.judging import CannotTell, Judge
from oversight_gate.litellm_rules import DIGEST

WEIGHTS, DEPLOYMENT = "oversight-gate/weights", "oversight-gate/deployment"
MOST_MODELS = 50
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))


class NotAReview(ValueError):  # noqa: N818 - an answer to whoever sent it
    """A body that is no admission review of version 1."""


def review(body: bytes, judge: Judge) -> dict[str, Any]:
    """Return the answer to an admission review.

    Raises:
        NotAReview: the body is something else.
    """
    request = _request(body)
    if request.get("operation") == "DELETE":
        return _answer(request["uid"], "", "deleting is never refused")
    refused, said = "", []
    for words, is_allowed in _judged(request.get("object") or {}, judge):
        said.append(words)
        if not is_allowed:
            refused = refused or words
    return _answer(request["uid"], refused, "; ".join(said))


def _judged(thing: Mapping[str, Any], judge: Judge) -> Iterator[tuple[str, bool]]:
    """Yield for each model that a workload would serve what the judge says of it."""
    for weights, deployment in _claims(thing):
        if DIGEST.fullmatch(weights) is None or not deployment:
            yield (
                f"{WEIGHTS} and {DEPLOYMENT} must name the digest and the use of each model",
                False,
            )
            continue
        try:
            answer = judge.ask(weights, deployment)
        except CannotTell as reason:
            yield f"cannot be told, so no: {reason}", False
        else:
            yield f"{deployment}: {answer.says}", answer.allowed


def _claims(thing: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return digest and deployment of each model; one empty pair where nothing is named well.

    A template that says something else than its workload counts beside it: both are asked about.
    """
    found: list[tuple[str, str]] = []
    for notes in _annotations(thing):
        weights = [each.strip() for each in str(notes.get(WEIGHTS, "")).split(",")]
        deployments = [each.strip() for each in str(notes.get(DEPLOYMENT, "")).split(",")]
        if len(weights) != len(deployments) or len(weights) > MOST_MODELS:
            return [("", "")]
        found += [pair for pair in zip(weights, deployments, strict=True) if pair not in found]
    return found or [("", "")]


def _annotations(thing: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the annotations of an object and of its pod template that name a model."""
    for path in ((), *_TEMPLATES):
        part: Any = thing
        for name in path:
            part = part.get(name) if isinstance(part, Mapping) else None
        metadata = part.get("metadata") if isinstance(part, Mapping) else None
        notes = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        if isinstance(notes, Mapping) and (WEIGHTS in notes or DEPLOYMENT in notes):
            yield notes


def _request(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
        request = value["request"]
        known = value["apiVersion"] == "admission.k8s.io/v1" and value["kind"] == "AdmissionReview"
        if not known or not isinstance(request["uid"], str):
            raise ValueError  # noqa: TRY301 - one refusal for every wrong form
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NotAReview("this is no AdmissionReview of admission.k8s.io/v1") from None
    found: Mapping[str, Any] = request
    return found


def _answer(uid: str, refused: str, said: str) -> dict[str, Any]:
    response: dict[str, Any] = {"uid": uid, "allowed": not refused}
    if refused:
        response["status"] = {
            "code": 403,
            "reason": "Forbidden",
            "message": f"oversight: {refused}",
        }
    else:
        response["auditAnnotations"] = {"oversight": said[:1000]}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
