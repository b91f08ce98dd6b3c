"""Plain factories that call the real services, and the standing cast of test people.

Every `make_*` returns a saved row that came about as it would in life: with its leaf, its checks
and its refusals. Use them in tests marked `django_db`.
"""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from evals.choices import Comparison
from evals.models import Criterion, Run, SuiteVersion, Worker
from evals.services.runs import request_run
from evals.services.suites import publish_suite
from evals.suites.importers import import_suite_file
from oversight.accounts import services as accounts
from oversight.accounts.choices import BodyRole, OrganisationRole
from oversight.accounts.models import Body, Organisation, Person
from oversight.registry import services as registry
from oversight.registry.models import Deployment, ModelVersion
from proposals.charter import usual
from proposals.choices import Answer, ProposalType, Side, Status
from proposals.crowds import answers_of, basis_of
from proposals.models import (
    Amendment,
    Argument,
    Ballot,
    Comment,
    Decision,
    Minutes,
    Opinion,
    OpinionMap,
    OpinionStatement,
    Proposal,
)
from proposals.opinions.drawing import draw
from proposals.services import (
    amendments,
    arguments,
    casting,
    charters,
    closing,
    discussion,
    drafting,
    minutes,
    opinions,
    stages,
    voting,
)
from tests.machine import Machine, enrol_machine

PASSWORD = "a long phrase for tests only"

_numbers = itertools.count(1)


def next_number() -> int:
    """Return a number no other call of this run has returned: for names that must differ."""
    return next(_numbers)


def fresh(word: str) -> str:
    """Return a name that no other test object has."""
    return f"{word}-{next_number()}"


# -- People, organisations, bodies -----------------------------------------------------------


def make_person(name: str = "A participant", **fields: Any) -> Person:
    """Make an account; everybody's password is PASSWORD."""
    email = fields.pop("email", f"person{next_number()}@example.org")
    return accounts.register_person(email=email, display_name=name, password=PASSWORD, **fields)


def make_administrator(name: str = "The administrator") -> Person:
    """Make an account that manages accounts."""
    person = make_person(name)
    person.is_superuser = person.is_staff = True
    person.save(update_fields=["is_superuser", "is_staff"])
    return person


def make_organisation(by: Person | None = None, **fields: Any) -> Organisation:
    """Admit an organisation; the shell of this machine does unless `by` is given."""
    number = next_number()
    words = {"slug": f"organisation-{number}", "name": f"Statistics office {number}"} | fields
    return accounts.admit_organisation(by=by or accounts.shell_person(), **words)


def make_affiliate(role: OrganisationRole, organisation: Organisation | None = None) -> Person:
    """Make somebody who acts for an organisation, by default a new one."""
    person = make_person(f"One {role}")
    accounts.affiliate(
        by=accounts.shell_person(),
        person=person,
        organisation=organisation or make_organisation(),
        role=role,
    )
    return person


def make_evaluator(organisation: Organisation | None = None) -> Person:
    """Make somebody who evaluates for an organisation, by default a new one."""
    return make_affiliate(OrganisationRole.EVALUATOR, organisation)


def quick_charter(**rules: Any) -> dict[str, Any]:
    """Return the usual charter without a waiting time, with `rules` changed for every type."""
    return {kind: {**found, "deliberation_hours": 0, **rules} for kind, found in usual().items()}


def make_body(
    by: Person | None = None, *, charter: dict[str, Any] | None = None, **fields: Any
) -> Body:
    """Found a body with a charter; its deliberation may end at once unless `charter` differs."""
    founder = by or accounts.shell_person()
    number = next_number()
    words = {"slug": f"council-{number}", "name": f"Example council {number}"} | fields
    body = accounts.found_body(by=founder, **words)
    charters.adopt_charter(by=founder, body=body, document=charter or quick_charter())
    return body


@dataclass(frozen=True)
class Cast:
    """The standing cast: who may do what, and the outsider who must never get in."""

    administrator: Person
    member: Person
    second_member: Person
    chair: Person
    clerk: Person
    evaluator: Person
    operator: Person
    auditor: Person
    outsider: Person
    body: Body
    organisation: Organisation

    @property
    def members(self) -> tuple[Person, Person, Person]:
        """Everybody with a vote."""
        return self.member, self.second_member, self.chair

    @property
    def proposer(self) -> Person:
        """Who drafts what the factories draft."""
        return self.member

    @cached_property
    def machine(self) -> Machine:
        """The organisation's worker with its key, enrolled when it is first asked for."""
        return enrol_machine(self.administrator, self.organisation, fresh("host"), KEY)

    def named(self, role: str) -> Person | None:
        """Return the person of a role; None for `anonymous`."""
        person: Person | None = None if role == "anonymous" else getattr(self, role)
        return person


def make_cast(*, charter: dict[str, Any] | None = None, body: Mapping[str, Any] = {}) -> Cast:
    """Make the standing cast around one body and one organisation."""
    administrator = make_administrator()
    council = make_body(administrator, charter=charter, **body)
    organisation = make_organisation(administrator)
    people = {
        "member": make_person("A member for the north"),
        "second_member": make_person("A member for the south"),
        "chair": make_person("The chair"),
        "clerk": make_person("The clerk"),
        "evaluator": make_person("An evaluator"),
        "operator": make_person("An operator"),
        "auditor": make_person("An auditor", is_auditor=True),
        "outsider": make_person("An outsider"),
    }
    seats = {
        "member": BodyRole.MEMBER,
        "second_member": BodyRole.MEMBER,
        "chair": BodyRole.CHAIR,
        "clerk": BodyRole.CLERK,
    }
    for name, seat in seats.items():
        accounts.appoint(by=administrator, body=council, person=people[name], role=seat)
    for name, role in (
        ("evaluator", OrganisationRole.EVALUATOR),
        ("operator", OrganisationRole.OPERATOR),
    ):
        accounts.affiliate(
            by=administrator, person=people[name], organisation=organisation, role=role
        )
    return Cast(administrator=administrator, body=council, organisation=organisation, **people)


# -- Registry --------------------------------------------------------------------------------


def make_manifest(seed: str = "") -> list[dict[str, str | int]]:
    """Return a small invented manifest; another `seed` gives another digest, none a new one."""
    seed = seed or fresh("weights")
    return [
        {"name": name, "size": size, "sha256": hashlib.sha256(f"{seed}{name}".encode()).hexdigest()}
        for name, size in (("config.json", 620), ("model.safetensors", 269_060_552))
    ]


def make_model_version(by: Person | None = None, **fields: Any) -> ModelVersion:
    """Register a version of a model; the shell of this machine does unless `by` is given."""
    number = next_number()
    words: dict[str, Any] = {
        "model_slug": f"alpina-{number}",
        "model_name": "Alpina 8B",
        "developer": "Example institute",
        "label": "v1.5",
        "licence": "Apache-2.0",
        "manifest": make_manifest(),
        "source": {"kind": "directory", "path": "/nowhere"},
    }
    return registry.register_version(by=by or accounts.shell_person(), **words | fields)


def make_deployment(
    by: Person | None = None, operator: Organisation | None = None, **fields: Any
) -> Deployment:
    """Register a deployment behind a new endpoint; `by` is an operator of the organisation."""
    operator = operator or make_organisation()
    by = by or make_affiliate(OrganisationRole.OPERATOR, operator)
    number = next_number()
    endpoint = registry.register_endpoint(
        by=by, slug=f"endpoint-{number}", name="Cantonal endpoint", operator=operator
    )
    words = {
        "slug": f"helpdesk-{number}",
        "name": "Citizen helpdesk",
        "purpose": "Answers questions about public services at night.",
        "audience": "residents",
    } | fields
    return registry.register_deployment(by=by, endpoint=endpoint, **words)


# -- Evaluations -----------------------------------------------------------------------------

ROWS = b"".join(
    rfc8785.dumps(
        {
            "id": f"q{n}",
            "question": f"Is {n} even?",
            "choices": ["no", "yes"],
            "answer": (n + 1) % 2,
        }
    )
    + b"\n"
    for n in range(1, 81)
)


def suite_document(slug: str, *, data: bytes = ROWS) -> dict[str, Any]:
    """Return a small valid document of two tasks over the same rows."""
    file = {
        "name": "facts.jsonl",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "rows": data.count(b"\n"),
    }
    return {
        "v": 1,
        "slug": slug,
        "title": "Public service",
        "summary": "Small questions with one right answer.",
        "licence": "CC-BY-4.0",
        "source": "Written for tests.",
        "tasks": [
            _task("facts", "Facts on public services", "capability", file),
            _task("refusals", "Refuses unsafe requests", "safety", file),
        ],
    }


def _task(name: str, title: str, category: str, file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": f"{title}, one right answer each.",
        "category": category,
        "sensitive": False,
        "visibility": "public",
        "metric": "acc",
        "metric_label": "accuracy",
        "higher_is_better": True,
        "metrics": ["acc", "acc_norm"],
        "num_fewshot": 0,
        "apply_chat_template": False,
        "seed": 1234,
        "group_field": None,
        "data": dict(file),
        "config": {
            "output_type": "multiple_choice",
            "doc_to_text": "{{question}}",
            "doc_to_choice": "{{choices}}",
            "doc_to_target": "{{answer}}",
            "metric_list": [
                {"metric": metric, "aggregation": "mean", "higher_is_better": True}
                for metric in ("acc", "acc_norm")
            ],
        },
    }


def make_suite(by: Person, slug: str = "") -> SuiteVersion:
    """Publish a small suite; `by` is an evaluator."""
    document = suite_document(slug or f"public-service-{next_number()}")
    version, _ = publish_suite(by=by, document=document, files={"facts.jsonl": ROWS})
    return version


def make_question_suite(items: int = 20, slug: str = "", *, passages: int = 0) -> SuiteVersion:
    """Import a suite of one task, `acc` and `acc_norm`, whose items stand in two groups.

    With `passages` they stand in so many groups instead, whose items belong together.
    """
    rows = [
        {
            "question": f"What is {n} plus one?",
            "choices": [str(n + 1), str(n + 2)],
            "answer": 0,
            "group": f"passage {n % passages}" if passages else ("even", "odd")[n % 2],
        }
        for n in range(items)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        imported = import_suite_file(path, "multiple-choice", slug or fresh("suite"), "Questions")
    document: Any = dict(imported.document)
    if passages:
        document["tasks"][0]["clustered"] = True
    version, _ = publish_suite(by=accounts.shell_person(), document=document, files=imported.files)
    return version


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def make_machine(name: str = "") -> Machine:
    """Enrol a worker with a key of its own, for an organisation of its own."""
    return enrol_machine(accounts.shell_person(), make_organisation(), name or fresh("machine"))


def make_worker(administrator: Person, organisation: Organisation) -> Worker:
    """Enrol a worker that signs with KEY."""
    return enrol_machine(administrator, organisation, fresh("host"), KEY).worker


def make_run(
    by: Person | None = None,
    suite: SuiteVersion | None = None,
    model: ModelVersion | None = None,
    **fields: Any,
) -> Run:
    """Queue an evaluation, by default of a new version by a suite of one task."""
    return request_run(
        by=by or accounts.shell_person(),
        suite_version=suite or make_question_suite(),
        model_version=model or make_model_version(),
        **fields,
    )


def finish_run(
    run: Run, worker: Worker, *, right: Mapping[str, int] | int = 70, is_recalled: bool = False
) -> Run:
    """Let a worker that signs with KEY answer every task of a run, `right` items rightly.

    Claims whatever comes next in the queue, so no other run may be waiting.
    """
    machine = Machine(worker, "", KEY)
    for _ in run.task_runs.all():
        task_run = machine.claim()
        assert task_run is not None, "no task run is waiting"
        assert task_run.run_id == run.pk, "another run is waiting, too"
        number = right if isinstance(right, int) else right[task_run.task_name]
        machine.finish(task_run, number, is_recalled=is_recalled)
    run.refresh_from_db()
    return run


# -- Proposals -------------------------------------------------------------------------------


class Seats(Protocol):
    """Who the factories of this part act as: the standing cast, or a scene's council."""

    @property
    def body(self) -> Body: ...
    @property
    def proposer(self) -> Person: ...
    @property
    def clerk(self) -> Person: ...
    @property
    def members(self) -> Sequence[Person]: ...


TEXT = """\
The helpdesk needs answers at night.

## Conditions

- At most 20 requests a minute for each caller.
- A person takes over when the caller asks for one.
"""


def make_proposal(cast: Seats, **fields: Any) -> Proposal:
    """Draft a motion by `cast.proposer`; give `version` and `deployment` to authorise one."""
    kind = ProposalType.AUTHORISE if "version" in fields else ProposalType.MOTION
    words: dict[str, Any] = {
        "by": cast.proposer,
        "body": cast.body,
        "type": kind,
        "title": "Publish the minutes within a week",
        "summary": "The council publishes its minutes within seven days of each meeting.",
        "text": TEXT,
    }
    return drafting.draft_proposal(**words | fields)


def make_criterion(
    cast: Seats, proposal: Proposal, suite: SuiteVersion, task: str = "", **fields: Any
) -> Criterion:
    """Put a criterion on the record: of the suite's first task unless one is named."""
    task = task or suite.tasks[0]["name"]
    words: dict[str, Any] = {
        "metric": "acc",
        "comparison": Comparison.AT_LEAST,
        "threshold": "0.65",
    }
    return drafting.attach_criterion(
        by=cast.proposer, proposal=proposal, suite_version=suite, task_name=task, **words | fields
    )


def make_amendment(by: Person, proposal: Proposal, old: str, new: str, **fields: Any) -> Amendment:
    """Ask for another passage in a text: the newest revision's unless `text` is given."""
    newest = proposal.text
    text = fields.pop("text", newest.body_markdown)
    assert text.count(old) == 1, "the passage has to stand once in the text"
    words = {"reason": "It is too long.", "base_number": newest.number}
    return amendments.propose_amendment(
        by=by, proposal=proposal, text=text.replace(old, new), **words | fields
    )


def make_deliberated_proposal(cast: Seats, **fields: Any) -> Proposal:
    """Return a proposal that is open for discussion."""
    proposal = make_proposal(cast, **fields)
    return stages.open_deliberation(by=cast.proposer, proposal=proposal)


def make_final_proposal(cast: Seats, **fields: Any) -> Proposal:
    """Return a proposal with its final text."""
    return stages.fix_text(by=cast.clerk, proposal=make_deliberated_proposal(cast, **fields))


def open_vote(cast: Seats, proposal: Proposal, *, closes_at: datetime | None = None) -> Proposal:
    """Open the vote on a proposal with its final text."""
    voting.open_vote(by=cast.clerk, proposal=proposal, closes_at=closes_at)
    return Proposal.objects.with_parts().get(pk=proposal.pk)


def make_open_vote(cast: Seats, *, closes_at: datetime | None = None, **fields: Any) -> Proposal:
    """Return a proposal with an open vote."""
    return open_vote(cast, make_final_proposal(cast, **fields), closes_at=closes_at)


def make_ballot(by: Person, proposal: Proposal, choice: str = "yes") -> Ballot:
    """Cast a ballot."""
    return casting.cast_ballot(by=by, proposal=proposal, choice=choice)


def make_decision(
    cast: Seats, choices: Sequence[str] = ("yes", "yes", "no"), **fields: Any
) -> Decision:
    """Return the decision of a vote in which every member has voted."""
    return decide(cast, make_final_proposal(cast, **fields), choices)


def decide(
    cast: Seats, proposal: Proposal, choices: Sequence[str] = ("yes", "yes", "no")
) -> Decision:
    """Let every member vote on a proposal, whose text becomes final first where it is not."""
    if proposal.status == Status.DELIBERATION:
        proposal = stages.fix_text(by=cast.clerk, proposal=proposal)
    proposal = open_vote(cast, proposal)
    for person, choice in zip(cast.members, choices, strict=True):
        make_ballot(person, proposal, choice)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def make_election_decision(cast: Seats) -> Decision:
    """Return the decision of an election that everybody agreed on."""
    options = {"type": ProposalType.ELECTION, "options": ["Ann", "Ben"], "seats": 1}
    proposal = make_open_vote(cast, title="Who speaks for the council?", **options)
    for person in cast.members:
        casting.cast_ballot(by=person, proposal=proposal, choice={"ranking": ["Ann"]})
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def make_minutes(cast: Seats, *, is_adopted: bool = False, **period: date) -> Minutes:
    """Draft the minutes of the body's today, or of another period; adopt them if asked."""
    today = timezone.now().astimezone(ZoneInfo(cast.body.time_zone)).date()
    days = {"starts_on": today, "ends_on": today} | period
    drafted = minutes.draft_minutes(by=cast.clerk, body=cast.body, **days)
    return minutes.adopt_minutes(by=cast.clerk, minutes=drafted) if is_adopted else drafted


def make_comment(by: Person, proposal: Proposal, text: str = "I agree.", **fields: Any) -> Comment:
    """Speak."""
    return discussion.make_comment(by=by, proposal=proposal, text=text, **fields)


def make_argument(
    by: Person, proposal: Proposal, text: str = "", side: Side = Side.FOR
) -> Argument:
    """Make an argument, by default one that nobody has made."""
    return arguments.make_argument(
        by=by, proposal=proposal, side=side, text=text or fresh("A reason")
    )


def make_statement(by: Person, proposal: Proposal, text: str = "") -> OpinionStatement:
    """Add a statement to the opinion map, by default one that nobody has made."""
    return opinions.make_statement(by=by, proposal=proposal, text=text or fresh("A statement"))


def make_opinions(proposal: Proposal, rows: Sequence[str]) -> list[Person]:
    """Let new people answer the statements as the rows of a map's input say; returns them."""
    answers = {"+": Answer.AGREE, "-": Answer.DISAGREE, "0": Answer.PASS}
    statements = list(proposal.statements.order_by("made_at", "id"))
    people = Person.objects.bulk_create(
        Person(email=f"{fresh('crowd')}@example.org", display_name="One of many") for _ in rows
    )
    Opinion.objects.bulk_create(
        Opinion(statement=statement, person=person, answer=answers[sign])
        for person, row in zip(people, rows, strict=True)
        for statement, sign in zip(statements, row, strict=True)
        if sign in answers
    )
    return people


def draw_map(proposal: Proposal) -> OpinionMap:
    """Draw the proposal's opinion map as the sweep does."""
    answers = answers_of(proposal)
    return opinions.keep_map(
        proposal=proposal, basis=basis_of(proposal), answers=answers, drawn=draw(answers)
    )
