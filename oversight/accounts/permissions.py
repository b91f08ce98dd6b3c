"""Access to the API: closed by default, public by name, writing by scope."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request

from oversight.accounts.choices import Scope
from oversight.accounts.models import ApiKey
from oversight.accounts.policy import User, is_person

Public = AllowAny


class Closed(BasePermission):
    """Nobody: the default, so that a forgotten declaration shows as a refusal."""

    message = "This address is closed."

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


def may_use(request: Request, scope: str) -> bool:
    """Say whether the caller is a person here by hand, or by a key with the scope."""
    if not is_person(request.user):
        return False
    return not isinstance(request.auth, ApiKey) or scope in request.auth.scopes


def reader(request: Request, scope: Scope) -> User:
    """Return whose eyes the caller reads with: without the scope a key sees what everyone sees."""
    if may_use(request, scope) and is_person(request.user):
        return request.user
    return AnonymousUser()


def own(scope: str) -> type[BasePermission]:
    """Return a permission: reading, too, takes a signed-in person or a key with `scope`."""

    class Own(BasePermission):
        needs_scope = scope
        message = _("This takes a signed-in person, or an API key with the scope %(scope)s.") % {
            "scope": scope,
        }

        def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
            return may_use(request, scope)

    Own.__doc__ = f"For oneself, by hand or by a key with the scope {scope}."
    return Own


def writes(scope: str) -> type[BasePermission]:
    """Return a permission: anyone reads; writing takes a signed-in person or a key with `scope`."""

    class Writes(BasePermission):
        lets_everyone_read = True
        needs_scope = scope
        message = _("This takes a signed-in person, or an API key with the scope %(scope)s.") % {
            "scope": scope,
        }

        def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
            return request.method in SAFE_METHODS or may_use(request, scope)

    Writes.__doc__ = f"Reading is public; writing needs the scope {scope}."
    return Writes
