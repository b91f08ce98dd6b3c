"""Signs workers in by their token: `Authorization: Bearer owk_…`."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from evals.models import Worker
from evals.services.workers import worker_of_token


class WorkerAuthentication(BaseAuthentication):
    """`request.user` is the worker; nothing else accepts a worker's token."""

    def authenticate(self, request: Request) -> tuple[Worker, None] | None:
        """Return the worker; a wrong or revoked token is refused (401)."""
        parts = get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            return None
        worker = worker_of_token(parts[1].decode("ascii", errors="replace"))
        if worker is None:
            raise AuthenticationFailed(
                "This worker token is unknown or revoked: enrol the worker again."
            )
        return worker, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Name the scheme, so that a missing token is 401."""
        return "Bearer"


class IsWorker(BasePermission):
    """Only an enrolled worker."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Say whether a worker signed in."""
        return isinstance(request.user, Worker)
