"""Examples in the OpenAPI document, by the name of the shape that they are of.

They stand with every operation that takes or answers such a shape; a page of a list shows one row.
A test holds each against its shape.
"""

from typing import Any

_DIGEST = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
_SUITE_DIGEST = "sha256:0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f"
_LEAF = "8e03978e-40d5-43dd-bc93-6894a57f9324"
_SITE = "https://oversight.example"

_BODY = {
    "slug": "city-council",
    "name": "City council",
    "summary": "Decides which models the city's services use.",
    "time_zone": "Europe/Zurich",
}
_ORGANISATION = {
    "slug": "statistics-office",
    "name": "Statistics office",
    "website": "https://statistics.example",
}
_USE = {
    "slug": "helpdesk",
    "name": "Helpdesk for residents",
    "endpoint": "city-inference",
    "purpose": "Answers questions about opening hours and forms.",
    "audience": "Residents",
}
_PROPOSAL = {
    "ref": "2026-003",
    "body": "city-council",
    "type": "authorise_deployment",
    "status": "voting",
    "title": "Use Alpina 8B at the helpdesk",
    "language": "en",
    "deployment": "helpdesk",
    "version": _DIGEST,
    "target_ref": "",
    "origin": "person",
    "drafted_at": "2026-11-02T09:00:00Z",
    "vote_opens_at": None,
    "closes_at": "2026-11-30T17:00:00Z",
    "casting_until": None,
    "outcome": None,
}
_RUN = {
    "ref": "run-1a2b3c4d",
    "state": "succeeded",
    "reason": "",
    "suite": "public-service",
    "suite_digest": _SUITE_DIGEST,
    "model": "alpina-8b",
    "version": "v1.5",
    "model_digest": _DIGEST,
    "settings": {"backend": "hf", "dtype": "float32", "device": "auto", "batch_size": 16},
    "resource_class": "cpu",
    "priority": 0,
    "device_memory_bytes": 0,
    "replication": None,
    "purpose": "",
    "requested_at": "2026-11-03T08:00:00Z",
    "started_at": "2026-11-03T08:00:04Z",
    "finished_at": "2026-11-03T08:12:31Z",
    "answers": 2640,
    "recalled": 0,
    "is_recalled": False,
}
_WEBHOOK = {
    "id": "whk_0f1e2d3c4b5a6978",
    "organisation": None,
    "url": "https://news.example/hooks/council",
    "note": "The newsroom",
    "types": ["proposals.decision"],
    "body": "city-council",
    "subject": "",
    "status": "waiting",
    "off_reason": "",
    "next_index": 412,
    "failures": 0,
    "failing_since": None,
    "next_try_at": "2026-11-03T08:00:00Z",
    "old_seed_until": None,
    "created_at": "2026-11-03T08:00:00Z",
}

EXAMPLES: dict[str, Any] = {
    "BodyInputRequest": _BODY,
    "BodyOutput": _BODY | {"founded_at": "2026-01-05T08:00:00Z", "leaf": _LEAF},
    "SeatInputRequest": {"email": "member@council.example", "role": "member", "weight": 1},
    "SeatOutput": {
        "id": "0f1e2d3c4b5a6978",
        "body": "city-council",
        "name": "A member for the north",
        "role": "member",
        "weight": 1,
        "starts_at": "2026-01-06T08:00:00Z",
        "ends_at": None,
        "leaf": _LEAF,
    },
    "OrganisationInputRequest": _ORGANISATION,
    "OrganisationOutput": _ORGANISATION | {"admitted_at": "2026-01-05T08:00:00Z", "leaf": _LEAF},
    "VersionInputRequest": {
        "model": "alpina-8b",
        "label": "v1.5",
        "licence": "Apache-2.0",
        "manifest": [
            {"name": "model.safetensors", "size": 269060552, "sha256": _DIGEST.partition(":")[2]}
        ],
    },
    "ModelOutput": {
        "slug": "alpina-8b",
        "name": "Alpina 8B",
        "developer": "Example institute",
        "summary": "A model for public services.",
        "registered_at": "2026-10-01T08:00:00Z",
        "versions": [{"label": "v1.5", "digest": _DIGEST}],
    },
    "EndpointInputRequest": {
        "slug": "city-inference",
        "name": "The city's own machines",
        "operator": "statistics-office",
        "base_url": "https://inference.example/v1",
    },
    "DeploymentInputRequest": _USE,
    "DeploymentOutput": _USE
    | {
        "operator": "statistics-office",
        "description": {},
        "authorisations": [
            {
                "decision": "2026-001",
                "version": _DIGEST,
                "state": "granted",
                "in_force": True,
                "starts_at": "2026-10-10T17:00:00Z",
                "ends_at": "2027-10-10T17:00:00Z",
                "conditions": [],
            }
        ],
    },
    "RunInputRequest": {"suite": "public-service", "model_digest": _DIGEST, "limit": 200},
    "RunOutput": _RUN,
    "RunDetailOutput": _RUN
    | {
        "tasks": [
            {
                "id": _LEAF,
                "task_name": "facts",
                "state": "succeeded",
                "attempt": 1,
                "stage": "done",
                "done": 200,
                "total": 200,
                "worker": "host-1",
                "organisation": "statistics-office",
                "started_at": "2026-11-03T08:00:04Z",
                "finished_at": "2026-11-03T08:12:31Z",
                "reason_code": "",
                "reason": "",
                "aggregates": [
                    {
                        "metric": "acc",
                        "group": "",
                        "n": 200,
                        "mean": 0.735,
                        "stderr": 0.0312,
                        "interval": [0.67, 0.792],
                        "method": "wilson",
                    }
                ],
                "samples_sha256": None,
                "statement_digest": "",
                "envelope": None,
            }
        ]
    },
    "ProposalInputRequest": {
        "body": "city-council",
        "type": "authorise_deployment",
        "title": "Use Alpina 8B at the helpdesk",
        "summary": "The helpdesk may answer with it for a year.",
        "text": "## Why\n\nResidents wait too long.",
        "deployment": "helpdesk",
        "version": _DIGEST,
    },
    "ProposalOutput": _PROPOSAL,
    "CriterionInputRequest": {
        "suite": _SUITE_DIGEST,
        "task": "facts",
        "metric": "acc",
        "comparison": "at_least",
        "threshold": "0.65",
        "must_pass": True,
    },
    "StageInputRequest": {"act": "open-vote", "closes_at": "2026-11-30T17:00:00Z"},
    "NextStepOutput": {
        "kind": "answer-amendment",
        "ref": "2026-003",
        "body": "city-council",
        "title": "Use Alpina 8B at the helpdesk",
        "amendment": 2,
        "questions": 0,
        "since": "2026-11-12T14:05:00Z",
        "page": f"{_SITE}/proposals/2026-003/amendments/2/",
        "address": f"{_SITE}/api/v1/proposals/2026-003/amendments/2/act/",
        "acts": ["accept", "reject"],
    },
    "CommentInputRequest": {"text": "Who answers when it is wrong?", "is_question": True},
    "BallotInputRequest": {"choice": "yes"},
    "BallotOutput": {
        "number": 1,
        "cast_at": "2026-11-28T10:00:00Z",
        "leaf": _LEAF,
        "receipt": None,
        "receipt_at": f"{_SITE}/receipts/{_LEAF}/",
    },
    "WebhookInputRequest": {
        "url": "https://news.example/hooks/council",
        "note": "The newsroom",
        "types": ["proposals.decision"],
        "body": "city-council",
    },
    "WebhookOutput": _WEBHOOK,
    "WebhookWithSecret": _WEBHOOK | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    "ReportInputRequest": {
        "form": "1764259200:Nq3k",
        "text": "It told me the office is open on Sunday. It was shut.",
        "category": "other",
        "deployment": "helpdesk",
    },
    "FindingsOutput": {
        "count": 1,
        "counts": {"proposal": 1},
        "page": 1,
        "pages": 1,
        "results": [
            {
                "kind": "proposal",
                "title": "Use Alpina 8B at the helpdesk",
                "address": f"{_SITE}/proposals/2026-003/",
                "note": "proposal of the City council",
                "snippet": "The helpdesk may answer with it for a year.",
            }
        ],
    },
    "Problem": {
        "type": "about:blank",
        "title": "Please mend the input",
        "status": 422,
        "detail": "title: This field is required.",
        "errors": {"title": ["This field is required."]},
    },
}


def add_examples(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Put the examples beside the bodies and answers of their shapes (a drf-spectacular hook)."""
    shapes = result["components"]["schemas"]
    refusals = result["components"].get("responses", {}).values()
    operations = [each for methods in result["paths"].values() for each in methods.values()]
    bodies = [each["requestBody"] for each in operations if "requestBody" in each]
    answers = [answer for each in operations for answer in each["responses"].values()]
    for part in (*bodies, *answers, *refusals):
        for content in part.get("content", {}).values():
            value = _example_of(content.get("schema", {}), shapes)
            if value is not None:
                content["examples"] = {"example": {"value": value}}
    return result


def _example_of(schema: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """Return the example of a shape; of a list or a page of one, one with one row."""
    if "items" in schema and (row := _example_of(schema["items"], shapes)) is not None:
        return [row]
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name in EXAMPLES:
        return EXAMPLES[name]
    inner = shapes.get(name, {}).get("properties", {}).get("results", {}).get("items", {})
    row = EXAMPLES.get(str(inner.get("$ref", "")).rpartition("/")[2])
    if row is None or not name.startswith("Paginated"):
        return None
    return {"next": f"{_SITE}/api/v1/…/?cursor=WyJhZnRlciIs", "previous": None, "results": [row]}
