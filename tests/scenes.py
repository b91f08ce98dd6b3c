"""Scenes for tests of the services: a council, a machine that signs, a run, an open vote."""

import itertools
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evals.choices import Comparison
from evals.models import Run, SuiteVersion, TaskRun, Worker
from evals.samples import Sample, write_samples
from evals.services import leases, results, runs, suites, workers
from evals.statement import build_statement, decimal_text, sign_statement
from evals.statistics import summarise
from evals.suites.document import digest
from evals.suites.importers import import_suite_file
from oversight.accounts import services as accounts
from oversight.accounts.choices import BodyRole, OrganisationRole
from oversight.accounts.models import Body, Organisation, Person
from oversight.registry import services as registry
from oversight.registry.models import Deployment, ModelVersion
from oversight.web.clock import database_now
from proposals.charter import usual
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.services import charters, drafting, stages, voting

PASSWORD = "a long enough password 7"
_numbers = itertools.count(1)


def fresh(word: str) -> str:
    """Return a name that no other test object has."""
    return f"{word}-{next(_numbers)}"


def make_person(name: str = "Somebody", **fields) -> Person:
    return accounts.register_person(
        email=f"{fresh('person')}@example.org", display_name=name, password=PASSWORD, **fields
    )


def make_administrator() -> Person:
    person = make_person("Administrator")
    person.is_superuser = person.is_staff = True
    person.save()
    return person


def make_organisation(slug: str = "") -> Organisation:
    slug = slug or fresh("organisation")
    return accounts.admit_organisation(by=accounts.shell_person(), slug=slug, name=slug.title())


def make_affiliate(role: OrganisationRole, organisation: Organisation | None = None) -> Person:
    person = make_person(str(role).capitalize())
    accounts.affiliate(
        by=accounts.shell_person(),
        person=person,
        organisation=organisation or make_organisation(),
        role=role,
    )
    return person


def make_evaluator(organisation: Organisation | None = None) -> Person:
    return make_affiliate(OrganisationRole.EVALUATOR, organisation)


def quick_charter() -> dict:
    """Return a charter without a minimum deliberation."""
    document = usual()
    for rules in document.values():
        rules["deliberation_hours"] = 0
    return document


@dataclass
class Council:
    """A body with its charter and the standing cast."""

    body: Body
    members: list[Person]
    clerk: Person
    outsider: Person

    @property
    def proposer(self) -> Person:
        return self.members[0]


def make_council(size: int = 3, charter: dict | None = None) -> Council:
    shell = accounts.shell_person()
    body = accounts.found_body(by=shell, slug=fresh("council"), name="Council")
    charters.adopt_charter(by=shell, body=body, document=charter or quick_charter())
    members = [make_person(f"Member {n + 1}") for n in range(size)]
    for member in members:
        accounts.appoint(by=shell, body=body, person=member)
    clerk = make_person("Clerk")
    accounts.appoint(by=shell, body=body, person=clerk, role=BodyRole.CLERK)
    return Council(body, members, clerk, make_person("Outsider"))


def make_manifest(seed: str = "") -> list[dict]:
    import hashlib

    contents = hashlib.sha256((seed or fresh("weights")).encode()).hexdigest()
    return [{"name": "model.safetensors", "size": 7, "sha256": contents}]


def make_model_version(**fields) -> ModelVersion:
    slug = fresh("model")
    defaults = {
        "by": accounts.shell_person(),
        "model_slug": slug,
        "model_name": slug.replace("-", " ").title(),
        "label": "1.0",
        "manifest": make_manifest(),
        "licence": "Apache-2.0",
        "source": {"kind": "directory", "path": "/nowhere"},
    }
    return registry.register_version(**(defaults | fields))


def make_deployment(operator: Person | None = None) -> Deployment:
    organisation = make_organisation()
    by = operator or make_affiliate(OrganisationRole.OPERATOR, organisation)
    endpoint = registry.register_endpoint(
        by=by, slug=fresh("endpoint"), name="Endpoint", operator=organisation
    )
    return registry.register_deployment(
        by=by,
        slug=fresh("deployment"),
        name="Helpdesk",
        endpoint=endpoint,
        purpose="Answers questions.",
        audience="Everyone",
    )


def make_suite(items: int = 20, slug: str = "") -> SuiteVersion:
    """Publish a multiple-choice suite of one task, `acc` and `acc_norm`, items in two groups."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        rows = [
            {
                "question": f"What is {n} plus one?",
                "choices": [str(n + 1), str(n + 2)],
                "answer": 0,
                "group": "even" if n % 2 == 0 else "odd",
            }
            for n in range(items)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        imported = import_suite_file(path, "multiple-choice", slug or fresh("suite"), "Questions")
    version, _ = suites.publish_suite(
        by=accounts.shell_person(), document=dict(imported.document), files=imported.files
    )
    return version


def make_run(suite: SuiteVersion | None = None, model: ModelVersion | None = None, **fields) -> Run:
    return runs.request_run(
        by=fields.pop("by", None) or accounts.shell_person(),
        suite_version=suite or make_suite(),
        model_version=model or make_model_version(),
        **fields,
    )


@dataclass
class Machine:
    """A worker with its key: signs statements as the real one does, over scores we choose."""

    worker: Worker
    token: str
    key: Ed25519PrivateKey
    boot_id: str = "boot-1"

    def claim(self) -> TaskRun | None:
        return leases.claim(worker=self.worker, boot_id=self.boot_id, resource_classes=["cpu"])

    def samples(self, task_run: TaskRun, right: int) -> tuple[bytes, dict]:
        """Return a samples file in which the first `right` items score 1, and its reference."""
        metrics = task_run.task["metrics"]
        rows = task_run.task["data"]["rows"]
        limit = task_run.run.settings["limit"]
        count = min(rows, limit) if limit else rows
        samples = [
            Sample(
                doc_id=n,
                item_id=str(n),
                group="even" if n % 2 == 0 else "odd",
                target="0",
                prompts=[["What?", " 1"], ["What?", " 2"]],
                responses=[
                    {"loglikelihood": -1.5, "is_greedy": True},
                    {"loglikelihood": -2.5, "is_greedy": False},
                ],
                scores=dict.fromkeys(metrics, 1.0 if n < right else 0.0),
            )
            for n in range(count)
        ]
        with TemporaryDirectory() as folder:
            path = Path(folder) / "samples.parquet"
            write_samples(path, metrics, samples)
            data = path.read_bytes()
        import hashlib

        reference = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "rows": count,
            "mediaType": "application/vnd.apache.parquet",
        }
        return data, reference

    def envelope(self, task_run: TaskRun, reference: dict, right: int, **changes) -> dict:
        """Return a signed statement about these samples; `changes` replaces predicate fields."""
        run = task_run.run
        scores = [1.0] * right + [0.0] * (reference["rows"] - right)
        found = summarise(scores)
        predicate = {
            "run": run.ref,
            "taskRun": str(task_run.pk),
            "attempt": task_run.attempt,
            "evaluator": {
                "worker": self.worker.public_id,
                "organisation": self.worker.organisation.slug,
            },
            "evaluatedAt": "2026-11-23T10:00:00Z",
            "suite": {
                "slug": run.suite_version.suite.slug,
                "version": run.suite_version.number,
                "digest": run.suite_version.digest,
            },
            "task": {"name": task_run.task_name, "digest": digest(task_run.task)},
            "dataset": [
                {
                    "name": task_run.task["data"]["name"],
                    "sha256": task_run.task["data"]["sha256"],
                }
            ],
            "model": {"digest": run.model_version.digest, "label": run.model_version.label},
            "settings": dict(run.settings),
            "harness": {"name": "lm-eval", "version": "0.4.13", "digest": "sha256:" + "0" * 64},
            "environment": {"python": "3.11"},
            "aggregates": [
                {
                    "metric": metric,
                    "n": found.n,
                    "mean": decimal_text(found.mean),
                    "stderr": decimal_text(found.stderr) if found.stderr is not None else None,
                }
                for metric in task_run.task["metrics"]
            ],
            "samples": reference,
            "usage": {
                "wallSeconds": "1.5",
                "tokens": 100,
                "requests": 40,
                "energyJoules": "15.0",
                "energyMethod": "estimated",
            },
        }
        statement = build_statement(
            predicate_type="http://localhost:8000/ns/evaluation-result/v1",
            predicate=predicate | changes,
        )
        return sign_statement(statement, self.key)

    def upload(self, task_run: TaskRun, data: bytes, sha256: str) -> None:
        results.receive_artefact(
            worker=self.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            sha256=sha256,
            chunks=[data],
        )

    def finish(self, task_run: TaskRun, right: int = 15) -> TaskRun:
        """Upload samples and deliver a result for a claimed task run."""
        data, reference = self.samples(task_run, right)
        self.upload(task_run, data, reference["sha256"])
        accepted, _ = results.accept_result(
            worker=self.worker,
            task_run_id=task_run.pk,
            token=task_run.lease_token,
            envelope=self.envelope(task_run, reference, right),
        )
        return accepted


def make_machine(name: str = "") -> Machine:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    worker, token = workers.enrol_worker(
        by=accounts.shell_person(),
        organisation=make_organisation(),
        name=name or fresh("machine"),
        public_key=raw,
    )
    return Machine(worker, token, key)


def make_finished_run(right: int = 15, **fields) -> Run:
    run = make_run(**fields)
    machine = make_machine()
    while (task_run := machine.claim()) is not None:
        machine.finish(task_run, right)
    run.refresh_from_db()
    return run


def make_proposal(council: Council | None = None, *, draft: bool = False, **fields) -> Proposal:
    """Draft an authorisation, in deliberation unless `draft`."""
    council = council or make_council()
    proposal = drafting.draft_proposal(
        by=council.proposer,
        body=council.body,
        type=fields.pop("type", ProposalType.AUTHORISE),
        title=fields.pop("title", "Authorise the model for the helpdesk"),
        summary=fields.pop("summary", "It would answer questions."),
        text=fields.pop("text", "Because it **helps**."),
        deployment=fields.pop("deployment", None) or make_deployment(),
        version=fields.pop("version", None) or make_model_version(),
    )
    if draft:
        return proposal
    return stages.open_deliberation(by=council.proposer, proposal=proposal)


def make_criterion(council: Council, proposal: Proposal, suite: SuiteVersion, **fields):
    task = suite.tasks[0]
    return drafting.attach_criterion(
        by=council.proposer,
        proposal=proposal,
        suite_version=suite,
        task_name=task["name"],
        metric=fields.pop("metric", task["metric"]),
        comparison=fields.pop("comparison", Comparison.AT_LEAST),
        threshold=fields.pop("threshold", "0.25"),
        must_pass=fields.pop("must_pass", True),
    )


def make_final(council: Council | None = None, **fields) -> tuple[Council, Proposal]:
    """Make a proposal whose text is final."""
    council = council or make_council()
    proposal = make_proposal(council, **fields)
    return council, stages.fix_text(by=council.clerk, proposal=proposal)


def make_open_vote(council: Council | None = None, **fields) -> tuple[Council, Proposal]:
    """Make a proposal with an open vote that closes in an hour."""
    seconds = fields.pop("seconds", 3600)
    council, proposal = make_final(council, **fields)
    closes_at = database_now() + timedelta(seconds=seconds)
    voting.open_vote(by=council.clerk, proposal=proposal, closes_at=closes_at)
    return council, Proposal.objects.with_parts().get(pk=proposal.pk)
