"""How the API's document describes signing in by key."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """API keys of people: `Authorization: Bearer osk_…`."""

    target_class = "oversight.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """Return the OpenAPI description."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "osk_…"}
