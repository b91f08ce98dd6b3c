"""Access to the API: closed by default, public by name, writing by scope."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request

from oversight.accounts.models import ApiKey
from oversight.accounts.policy import is_person

Public = AllowAny


class Closed(BasePermission):
    """Nobody: the default, so that a forgotten declaration shows as a refusal."""

    message = "This address is closed."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


def writes(scope: str) -> type[BasePermission]:
    """Return a permission: anyone reads; writing takes a signed-in person or a key with `scope`."""

    class Writes(BasePermission):
        message = f"This takes a signed-in person, or an API key with the scope {scope}."

        def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
            if request.method in SAFE_METHODS:
                return True
            if not is_person(request.user):
                return False
            return not isinstance(request.auth, ApiKey) or scope in request.auth.scopes

    Writes.__doc__ = f"Reading is public; writing needs the scope {scope}."
    return Writes
