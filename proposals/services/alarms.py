"""What follows from an alarm about an endpoint: bodies are told, and asked to decide."""

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.alarms import LastCheck, last_check
from evals.services.alarms import take_untold
from oversight.accounts.choices import BodyRole, NoticeKind
from oversight.accounts.models import Person
from oversight.accounts.services import notify
from oversight.registry.models import Authorisation, Endpoint
from oversight.web.languages import filled
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from proposals.alarms import Concerned, concerned_by
from proposals.choices import ProposalType
from proposals.feasibility import problems
from proposals.models import Proposal, text_document
from proposals.services.charters import charter_of
from proposals.services.drafting import write_draft

_TOLD = (BodyRole.CLERK, BodyRole.CHAIR)
"""Whom charters let suspend at once, and who puts things before a body."""


@transaction.atomic(durable=True)
def tell_bodies(*, check_id: int) -> int:
    """Tell clerks and chair of each body what a check holds against what serves by its decision.

    A round is told of once, and only what was not so the time before; return how many bodies.
    """
    endpoints = take_untold(check_id)
    told = 0
    for endpoint in endpoints:
        rows = concerned_by([endpoint])
        for body in {row.body.pk: row.body for row in rows}.values():
            uses = [str(row.authorisation.deployment) for row in rows if row.body == body]
            seats = body.memberships.in_term().filter(role__in=_TOLD).select_related("person")
            notify(
                kind=NoticeKind.ALARM,
                body=body,
                about=endpoint.slug,
                people={seat.person for seat in seats},
                subject=filled(
                    _("Alarm: %(endpoint)s, which serves %(uses)s"),
                    endpoint=endpoint,
                    uses=", ".join(uses),
                ),
                text=_(
                    "A check found that it does not answer as what was decided should, or does "
                    "not answer. Nothing is suspended by that. Its page says what was compared, "
                    "and leads to what the charter lets you do."
                ),
                path=f"{endpoint.get_absolute_url()}#alarm",
            )
            told += 1
    return told


@transaction.atomic(durable=True)
def propose_because_of_alarm(
    *, by: Person, endpoint: Endpoint, authorisation: Authorisation
) -> Proposal:
    """Draft what an alarm asks for: to suspend what serves, or to end what is suspended already.

    Whoever may propose to the body that gave the authorisation may; the draft is theirs to edit
    before anybody else sees it.

    Raises:
        NotAllowed: the person may not propose to that body.
        Conflict: no alarm stands, the endpoint does not serve it, or the charter does not know
            such a decision.
        Invalid: it could not take effect.
    """
    last = last_check(endpoint)
    if not last.is_alarming:
        raise Conflict(
            gettext("The last check of %(endpoint)s raised no alarm.") % {"endpoint": endpoint}
        )
    standing = concerned_by([endpoint])
    found = next((row for row in standing if row.authorisation.pk == authorisation.pk), None)
    if found is None:
        raise Conflict(
            gettext("%(decision_ref)s authorises nothing behind %(endpoint)s now.")
            % {
                "decision_ref": authorisation.decision_ref,
                "endpoint": endpoint,
            }
        )
    charter = charter_of(found.body)
    if found.kind not in charter.kinds:
        raise Conflict(
            gettext("The charter of %(body)s does not say how to decide this.")
            % {
                "body": found.body,
            }
        )
    if not found.may_propose(by):
        raise NotAllowed(
            gettext("Only who may propose to %(body)s does so.") % {"body": found.body}
        )
    ref = authorisation.decision_ref
    wrong = problems(found.kind, found.body, {}, target_ref=ref, charter=charter)
    if wrong:
        raise Invalid(wrong[0][1], fields=dict(wrong))
    draft = Proposal(body=found.body, type=found.kind, proposer=by, target_ref=ref, language="en")
    return write_draft(draft, author=by, actor=by.actor, content=_text(found, last))


@translation.override("en")
def _text(found: Concerned, last: LastCheck) -> dict[str, str]:
    row, endpoint = found.authorisation, last.endpoint
    verb = "End the authorisation of" if found.kind == ProposalType.RETIRE else "Suspend"
    title = f"{verb} {row.version} for {row.deployment} after an alarm"
    quoted = "\n".join(f"- {sentence}" for sentence in last.words())
    digest = last.check.digest if last.check else ""
    return text_document(
        title[:160],
        f"The last check of {endpoint} raised an alarm about what serves {row.deployment}."[:400],
        f"## What was found\n\nAbout [{endpoint}]({endpoint.get_absolute_url()}#checks):\n\n"
        f"{quoted}\n\nThe findings are on the record by their digest, `{digest}`.\n\n"
        f"## What is proposed\n\n{title}.\n\n## Why\n\nWrite here why this follows from the "
        "alarm, and what else could explain it.\n",
    )
