"""How the API's document describes the workers' sign-in."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class WorkerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tokens of workers: `Authorization: Bearer owk_…`."""

    target_class = "evals.api.worker_auth.WorkerAuthentication"
    name = "workerToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """Return the OpenAPI description."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "owk_…"}
