"""Whole scenes for tests of the services, composed from the factories: a council and its vote.

Everything here is by default; a test that cares who acts or on what names it. For people who meet
pages and the API, see the standing cast (`factories.make_cast`).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from evals.models import Criterion, Run, SuiteVersion
from oversight.accounts import services as accounts
from oversight.accounts.choices import BodyRole
from oversight.accounts.models import Body, Person
from oversight.web.clock import database_now
from proposals.models import Proposal
from proposals.services import stages
from tests import factories
from tests.factories import (  # noqa: F401 - tests of services take these from here
    PASSWORD,
    fresh,
    make_administrator,
    make_affiliate,
    make_deployment,
    make_evaluator,
    make_machine,
    make_manifest,
    make_model_version,
    make_organisation,
    make_person,
    make_run,
    quick_charter,
)
from tests.factories import make_question_suite as make_suite  # noqa: F401
from tests.machine import Machine  # noqa: F401


@dataclass
class Council:
    """A body of any size with its charter, its clerk, and an outsider who must never get in."""

    body: Body
    members: list[Person]
    clerk: Person
    outsider: Person

    @property
    def proposer(self) -> Person:
        """Who drafts."""
        return self.members[0]


def make_council(size: int = 3, charter: dict[str, Any] | None = None) -> Council:
    """Found a body with so many members and a clerk."""
    shell = accounts.shell_person()
    body = factories.make_body(charter=charter)
    members = [make_person(f"Member {n + 1}") for n in range(size)]
    for member in members:
        accounts.appoint(by=shell, body=body, person=member)
    clerk = make_person("Clerk")
    accounts.appoint(by=shell, body=body, person=clerk, role=BodyRole.CLERK)
    return Council(body, members, clerk, make_person("Outsider"))


def make_finished_run(right: int = 15, **fields: Any) -> Run:
    """Queue a run and let a machine of its own answer each task, `right` items rightly."""
    run = make_run(**fields)
    machine = make_machine()
    while (task_run := machine.claim()) is not None:
        machine.finish(task_run, right)
    run.refresh_from_db()
    return run


def make_proposal(
    council: Council | None = None, *, draft: bool = False, **fields: Any
) -> Proposal:
    """Draft an authorisation, in deliberation unless `draft`."""
    words = {
        "title": "Authorise the model for the helpdesk",
        "summary": "It would answer questions.",
        "text": "Because it **helps**.",
        "deployment": None,
        "version": None,
    } | fields
    words["deployment"] = words["deployment"] or make_deployment()
    words["version"] = words["version"] or make_model_version()
    council = council or make_council()
    proposal = factories.make_proposal(council, **words)
    if draft:
        return proposal
    return stages.open_deliberation(by=council.proposer, proposal=proposal)


def make_criterion(
    council: Council, proposal: Proposal, suite: SuiteVersion, **fields: Any
) -> Criterion:
    """Put a criterion on the record that 15 right of 20 meet."""
    return factories.make_criterion(council, proposal, suite, **{"threshold": "0.25"} | fields)


def make_final(council: Council | None = None, **fields: Any) -> tuple[Council, Proposal]:
    """Make a proposal whose text is final."""
    council = council or make_council()
    proposal = make_proposal(council, **fields)
    return council, stages.fix_text(by=council.clerk, proposal=proposal)


def make_open_vote(
    council: Council | None = None, *, seconds: int = 3600, **fields: Any
) -> tuple[Council, Proposal]:
    """Make a proposal with an open vote that closes in an hour."""
    council, proposal = make_final(council, **fields)
    closes_at = database_now() + timedelta(seconds=seconds)
    return council, factories.open_vote(council, proposal, closes_at=closes_at)
