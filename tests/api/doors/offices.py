"""What members, clerks and administrators do beside that: delegations, minutes, seats, talk."""

from oversight.accounts.choices import Scope
from tests import factories
from tests.api.doors.door import SIGNED_IN, Door, whole
from tests.api.doors.scenes import (
    a_delegation,
    a_new_body,
    a_seat,
    a_statement,
    a_supported_argument,
    a_tie,
    an_affiliation,
    an_argument,
    of_minutes,
)

RULED = (
    Door(
        "api-delegation",
        "POST",
        lambda w: (w.cast.body.slug,),
        whole("member"),
        status=201,
        body=lambda w: {"to": w.cast.body.memberships.get(person=w.cast.chair).actor},
        scope=Scope.VOTES_CAST,
    ),
    Door(
        "api-delegation",
        "DELETE",
        a_delegation,
        whole("member"),
        status=204,
        scope=Scope.VOTES_CAST,
    ),
    Door(
        "api-conflict",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=lambda w: {"reason": "My firm sells it."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-casting-vote",
        "POST",
        a_tie,
        # The chair's alone, who is none of the roles tried here.
        frozenset(),
        status=201,
        body=lambda w: {"names": ["yes"]},
        owner="chair",
        scope=Scope.VOTES_CAST,
    ),
)
KEPT = (
    Door(
        "api-minutes-list",
        "POST",
        lambda w: (w.cast.body.slug,),
        whole("clerk"),
        status=201,
        body=lambda w: {"starts_on": "2026-01-01", "ends_on": "2026-01-31"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-minutes",
        "PUT",
        lambda w: of_minutes(w.minutes_draft),
        whole("clerk"),
        body=lambda w: {"text": "Nothing happened."},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
        note="of a draft",
    ),
    Door(
        "api-minutes-stage",
        "POST",
        lambda w: of_minutes(w.minutes_draft),
        whole("clerk"),
        body=lambda w: {"act": "adopt"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
        note="of a draft",
    ),
    Door(
        "api-minutes-stage",
        "POST",
        lambda w: of_minutes(w.minutes),
        whole("clerk"),
        body=lambda w: {"act": "correct"},
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
)
ADMINISTERED = tuple(
    Door(
        name,
        method,
        parts,
        whole("administrator"),
        status=201 if body and method == "POST" else 200,
        body=body,
        owner="administrator",
        scope=Scope.ACCOUNTS_WRITE,
    )
    for name, method, parts, body in (
        ("api-bodies", "POST", lambda w: (), lambda w: {"slug": "new-jury", "name": "Jury"}),
        ("api-body", "PATCH", lambda w: (w.cast.body.slug,), lambda w: {"language": "de"}),
        (
            "api-seats",
            "POST",
            lambda w: (w.cast.body.slug,),
            lambda w: {"email": w.cast.outsider.email},
        ),
        ("api-seat-end", "POST", a_seat, None),
        ("api-charters", "POST", a_new_body, lambda w: {"document": factories.quick_charter()}),
        (
            "api-organisations",
            "POST",
            lambda w: (),
            lambda w: {"slug": "new-office", "name": "Office"},
        ),
        ("api-affiliations", "GET", lambda w: (w.cast.organisation.slug,), None),
        (
            "api-affiliations",
            "POST",
            lambda w: (w.cast.organisation.slug,),
            lambda w: {"email": w.cast.outsider.email, "role": "operator"},
        ),
        ("api-affiliation-end", "POST", an_affiliation, None),
    )
)
AFTERWARDS = tuple(
    Door(
        f"api-decision-{name}",
        "POST",
        lambda w: (w.decision.ref,),
        opens_for,
        status=201,
        body=lambda w, body=body: body,  # type: ignore[misc]
        owner=next(iter(opens_for)),
        scope=Scope.PROPOSALS_WRITE,
    )
    for name, opens_for, body in (
        ("suspension", whole("clerk"), {"reason": "It gave out addresses."}),
        ("annulment", whole("clerk"), {"authority": "Court", "reason": "No hearing."}),
        ("statements", whole("member"), {"kind": "explanation", "text": "It is time."}),
    )
)
SPOKEN = (
    Door(
        "api-arguments",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        status=201,
        body=lambda w: {"side": "for", "text": "It costs less."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-argument-support",
        "POST",
        lambda w: (w.talked.ref, an_argument(w).pk),
        SIGNED_IN,
        status=201,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-argument-support",
        "DELETE",
        lambda w: (w.talked.ref, a_supported_argument(w).pk),
        whole("member"),
        status=204,
        shut=409,
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-statements",
        "POST",
        lambda w: (w.talked.ref,),
        SIGNED_IN,
        status=201,
        body=lambda w: {"text": "A person must take over."},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-answer",
        "POST",
        lambda w: (w.talked.ref, a_statement(w).pk),
        SIGNED_IN,
        body=lambda w: {"answer": "agree"},
        scope=Scope.PROPOSALS_WRITE,
    ),
    Door(
        "api-moderation",
        "POST",
        lambda w: (w.talked.ref,),
        whole("clerk"),
        status=201,
        body=lambda w: {
            "kind": "argument",
            "id": an_argument(w).pk,
            "act": "hidden",
            "reason": "It names a person.",
        },
        owner="clerk",
        scope=Scope.PROPOSALS_WRITE,
    ),
)
