"""What is one's own: notices, settings, webhooks."""

from oversight.accounts.choices import Scope
from oversight.webhooks.choices import Status
from tests.api.doors.door import SIGNED_IN, Door, whole
from tests.api.doors.scenes import a_webhook

ONES_OWN = (
    Door("api-my-votes", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door("api-my-next-steps", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door("api-notices", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door(
        "api-notices-read",
        "POST",
        opens_for=SIGNED_IN,
        body=lambda w: {"ids": [1]},
        scope=Scope.NOTICES,
    ),
    Door("api-notice-settings", "GET", opens_for=SIGNED_IN, scope=Scope.NOTICES),
    Door(
        "api-notice-settings",
        "PUT",
        opens_for=SIGNED_IN,
        body=lambda w: {"gets_mail": True, "digest_hour": 9},
        scope=Scope.NOTICES,
    ),
    Door("api-webhooks", "GET", opens_for=SIGNED_IN, scope=Scope.WEBHOOKS),
    Door(
        "api-webhooks",
        "POST",
        opens_for=SIGNED_IN,
        status=201,
        body=lambda w: {"url": "https://hooks.example/oversight"},
        scope=Scope.WEBHOOKS,
    ),
    *(
        Door(
            f"api-webhook{name}",
            method,
            lambda w: (a_webhook(w).public_id,),
            whole("member"),
            status=status,
            scope=Scope.WEBHOOKS,
            shut=404,
            asks_scope_first=True,
        )
        for name, method, status in (
            ("", "GET", 200),
            ("", "DELETE", 204),
            ("-attempts", "GET", 200),
            ("-secret", "POST", 200),
            ("-ping", "POST", 200),
        )
    ),
    Door(
        "api-webhook-challenge",
        "POST",
        lambda w: (a_webhook(w, Status.WAITING).public_id,),
        whole("member"),
        scope=Scope.WEBHOOKS,
        shut=404,
        asks_scope_first=True,
    ),
    Door(
        "api-webhook-again",
        "POST",
        lambda w: (a_webhook(w).public_id,),
        whole("member"),
        body=lambda w: {"index": 0},
        scope=Scope.WEBHOOKS,
        shut=404,
        asks_scope_first=True,
    ),
)
