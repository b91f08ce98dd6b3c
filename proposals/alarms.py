"""What an alarm about an endpoint concerns, and what a reader may ask a body to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from evals.alarms import LastCheck
from oversight.accounts.models import Body
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation, Endpoint
from oversight.web.clock import stamp
from proposals import policy
from proposals.choices import ProposalType
from proposals.models import Decision
from proposals.services.charters import charter_of

EMERGENCY_WORDS = 1000
"""No longer than a public reason can be."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """One standing authorisation that is served behind an endpoint, and by whom it was given."""

    authorisation: Authorisation
    body: Body

    @property
    def kind(self) -> ProposalType:
        """What to propose: what serves is to be suspended; what is suspended already, ended."""
        is_suspended = self.authorisation.state_now == AuthorisationState.SUSPENDED
        return ProposalType.RETIRE if is_suspended else ProposalType.SUSPEND

    def may_suspend(self, user: object) -> bool:
        """Say whether the user may suspend it at once, as the charter has it."""
        rules = charter_of(self.body).rules_for(ProposalType.SUSPEND)
        is_serving = self.authorisation.is_in_force()
        return is_serving and policy.can_suspend_at_once(user, self.body, rules)

    def may_propose(self, user: object) -> bool:
        """Say whether the user may draft what the alarm asks for."""
        charter = charter_of(self.body)
        return self.kind in charter.kinds and policy.can_propose(
            user, self.body, charter.rules_for(self.kind)
        )


def concerned_by(endpoints: Sequence[Endpoint]) -> list[Concerned]:
    """Return what stands authorised behind these endpoints and has not run out."""
    rows = Authorisation.objects.standing().with_parts().filter(deployment__endpoint__in=endpoints)
    standing = [row for row in rows if not row.is_ended]
    refs = [row.decision_ref for row in standing]
    made = Decision.objects.filter(proposal__ref__in=refs).select_related("proposal__body")
    bodies = {decision.proposal.ref: decision.proposal.body for decision in made}
    return [
        Concerned(row, bodies[row.decision_ref]) for row in standing if row.decision_ref in bodies
    ]


def reason_of(last: LastCheck) -> str:
    """Return the public reason with which a suspension because of an alarm begins."""
    if last.check is None or last.check.judged_at is None:
        return ""
    told = " ".join(last.words())
    words = _("The check of %(endpoint)s of %(stamp)s raised an alarm. %(told)s") % {
        "endpoint": last.endpoint,
        "stamp": stamp(last.check.judged_at),
        "told": told,
    }
    return words[:EMERGENCY_WORDS]
