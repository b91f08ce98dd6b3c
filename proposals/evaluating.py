"""Starting the evaluations that a proposal's criteria ask for."""

from django.utils.translation import gettext as _

from evals.models import Run
from evals.services.runs import request_run
from oversight.accounts.models import Person
from oversight.web.refusals import Invalid, NotAllowed
from proposals import policy
from proposals.models import Proposal
from proposals.readiness import runs_needed


def start_evaluations(*, by: Person, proposal: Proposal) -> list[Run]:
    """Start one run for every suite that a criterion asks for; the budget of the body pays.

    And of a version that one compares with, where there is no whole run of it. Each run is a
    transaction of its own: where the budget ends between two, the first stays.

    Raises:
        NotAllowed: the person is neither proposer nor member nor clerk.
        Invalid: the proposal is about no version, or no criterion was set.
        Conflict: the body's budget of compute is spent, or its time is over.
    """
    if not policy.can_attach_evidence(by, proposal):
        raise NotAllowed(
            _("Only the proposer, members and clerks of the body start its evaluations.")
        )
    if proposal.version is None:
        raise Invalid(_("This proposal is about no model version."))
    wanted = runs_needed(proposal)
    if not wanted:
        raise Invalid(_("Set criteria first: a run only counts for criteria recorded before it."))
    return [
        request_run(
            by=by,
            suite_version=suite_version,
            model_version=version,
            purpose=proposal.subject,
            body=proposal.body,
        )
        for suite_version, version in wanted
    ]
