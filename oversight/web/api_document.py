"""What the OpenAPI document says of every address alike: who may read, and how it refuses."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from oversight.web.pagination import CURSOR
from oversight.web.problems import MEDIA_TYPE

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused and how to mend it (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": True,
            "description": "Each field or parameter that cannot be used, with its fix.",
        },
    },
    "required": ["type", "title", "status", "detail"],
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A new random name for this write, such as a UUID. Sent again within 24 hours "
    "with the same request, it is not done twice: the first answer comes again, marked "
    "`Idempotent-Replayed`. Without a key or session it has no effect.",
    "schema": {"type": "string", "pattern": r"^[!#-\[\]-~]{1,255}$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
RATE_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "The limit: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"read";q=1200;w=60',
    },
    "RateLimit": {
        "description": "What is left of it: `r` requests; one more in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"read";r=1199;t=60',
    },
}
LINK: dict[str, Any] = {
    "Link": {
        "description": 'The pages beside this one (RFC 8288): `rel="next"`, `rel="prev"`.',
        "schema": {"type": "string"},
        "example": '<https://example.org/api/v1/runs/?cursor=WyJhZnRlciIs>; rel="next"',
    },
}
MEANINGS = {
    400: "The address's query or the body cannot be read.",
    401: "The key or token is missing, unknown, expired or revoked.",
    403: "You have no right to do this, or the key lacks the scope.",
    404: "There is nothing here that you may see.",
    409: "The thing is in a state in which this cannot be done.",
    413: "The body is too large.",
    415: "The body has another form than this address takes.",
    422: "A field of the body cannot be used.",
    429: "Too many requests; `Retry-After` says in how many seconds to come back.",
}


class Schema(AutoSchema):
    """Knows the permission that lets everyone read and only some write, and the scopes of keys.

    A view that looks for something its body names says so by `finds_by_body`: it answers 404, too.
    """

    def get_auth(self) -> list[dict[str, Any]]:
        """Return the ways to sign in; the empty one where nobody need."""
        found: list[dict[str, Any]] = super().get_auth()
        if self._may_be_read_by_all() and {} not in found:
            found.append({})
        return found

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation, with the scope that a key needs for it as `x-scope`."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None and (scope := self._scope()):
            operation["x-scope"] = scope
        if operation is not None and (ends := getattr(self.view, "deprecation", None)):
            operation |= {"deprecated": True, "x-sunset": ends.gone.isoformat()}
        if operation is not None and getattr(self.view, "finds_by_body", False):
            operation["responses"]["404"] = {"$ref": "#/components/responses/Problem404"}
        return operation

    def _may_be_read_by_all(self) -> bool:
        permissions = self.view.get_permissions()
        is_open = any(getattr(each, "lets_everyone_read", False) for each in permissions)
        return self.method == "GET" and is_open

    def _scope(self) -> str:
        if self._may_be_read_by_all():
            return ""
        scopes = (getattr(each, "needs_scope", "") for each in self.view.get_permissions())
        return next((str(scope) for scope in scopes if scope), "")


def add_refusals(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Give each operation the refusals it can answer with (a drf-spectacular hook)."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    responses = components.setdefault("responses", {})
    for status, meaning in MEANINGS.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[f"Problem{status}"] = {"description": meaning, "content": content}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            for status in _statuses(path, method, operation):
                reference = {"$ref": f"#/components/responses/Problem{status}"}
                operation["responses"].setdefault(str(status), reference)
            if "/worker/" not in path:
                _describe_headers(method, operation)
                _close(operation, components["schemas"])
    return result


def _describe_headers(method: str, operation: dict[str, Any]) -> None:
    """Say which header makes a write safe to repeat, which says what is left, and what is next."""
    if _is_paged(operation):
        operation["responses"]["200"].setdefault("headers", {}).update(LINK)
    if method != "get":
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    for answer in operation["responses"].values():
        if "$ref" not in answer:
            answer.setdefault("headers", {}).update(RATE_HEADERS)


def _close(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say of a body that it may hold no other fields: `inputs.checked` refuses them."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name:
        schemas[name]["additionalProperties"] = False


def _statuses(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    found = {400, 401, 429}
    if "{" in path:
        found.add(404)
    if method != "get":
        found |= {403, 409, 422}
    if "requestBody" in operation:
        found |= {413, 415}
    return found


def _is_paged(operation: dict[str, Any]) -> bool:
    return any(each["name"] == CURSOR for each in operation.get("parameters", []))
