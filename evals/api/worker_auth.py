"""Signs workers in by their token: `Authorization: Bearer owk_…`."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from evals.models import Worker
from evals.services.workers import worker_of_token
from oversight.accounts.services import digest_of_secret

UNKNOWN_TOKEN = "This worker token is unknown or revoked: enrol the worker again."  # noqa: S105


class WorkerAuthentication(BaseAuthentication):
    """`request.user` is the worker; nothing else accepts a worker's token."""

    def authenticate(self, request: Request) -> tuple[Worker, None] | None:
        """Return the worker; a wrong or revoked token is refused (401)."""
        token = _bearer_token(request)
        if token is None:
            return None
        worker = worker_of_token(token)
        if worker is None:
            raise AuthenticationFailed(UNKNOWN_TOKEN)
        return worker, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Name the scheme, so that a missing token is 401."""
        return "Bearer"


class TokenAuthentication(WorkerAuthentication):
    """`request.auth` is the digest of a token, whose worker the view itself has to look up."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the digest of the token, unseen."""
        token = _bearer_token(request)
        return None if token is None else (AnonymousUser(), digest_of_secret(token))


class IsWorker(BasePermission):
    """Only an enrolled worker."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Say whether a worker signed in."""
        return isinstance(request.user, Worker)


class BringsToken(BasePermission):
    """Only who brings a token; whether it is a worker's is still to be seen."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Say whether there is one."""
        return request.auth is not None


def _bearer_token(request: Request) -> str | None:
    parts = get_authorization_header(request).split()
    if len(parts) != 2 or parts[0].lower() != b"bearer":
        return None
    return parts[1].decode("ascii", errors="replace")
