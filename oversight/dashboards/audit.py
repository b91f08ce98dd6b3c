"""Composes audit bundles: the log, and the public documents that its entries hold digests of.

A bundle is about the whole log, one decision, or one deployment. It holds what is public on this
site and nothing else: no names, no addresses, no ballot before its close, no hidden comment. Every
document is read as of one signed checkpoint, in one snapshot of the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import rfc8785
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from evals import scores
from evals.artefacts import path_of
from evals.models import Check, SampleScore, SuiteVersion, TaskRun
from oversight.ledger import bundle
from oversight.ledger.bundle_writer import BundleWriter
from oversight.ledger.models import LedgerEntry, Opening, PendingLeaf
from oversight.registry import gate
from oversight.registry.models import Authorisation, Deployment, Description, ModelVersion
from oversight.web.clock import stamp
from proposals.choices import Status
from proposals.digests import digest_of
from proposals.models import (
    AmendmentVersion,
    Argument,
    Attachment,
    Charter,
    Comment,
    Contract,
    Decision,
    OpinionStatement,
    Proposal,
    Revision,
    Statement,
)

VERIFIER = settings.BASE_DIR / "verify.py"
README = """\
An audit bundle of {origin}: {what}.

With Python 3.9 or newer and nothing else, offline:

    python3 verify.py THIS.zip

Better, take verify.py from somewhere you trust (the project's source code, a colleague's copy)
instead of out of this zip, read it, and give it the key that you keep:

    python3 verify.py THIS.zip --policy my-policy

where my-policy is a file like `policy` in here. The exit status is 0 when everything is proven, 1
when something contradicts, 2 when there is not enough material.

checkpoint          the signed statement of the log's size and root
policy, keys/       whose signatures to ask for; every key the log has signed with
log/tile/           all entries, and the hashes above them (c2sp.org/tlog-tiles)
bodies/             charters
proposals/          the texts that were voted on; in a decision's bundle the files beside them, too
decisions/          for each vote its contract, and the record of its decision with all ballots
suites/, versions/  what was asked of models; which files a model version is
descriptions/       what models, uses and endpoints say of themselves
checks/             what was found where those that serve one model were asked the same
runs/               signed results, and the scores they sum up
openings.jsonl      what was said in public, with the salts of its commitments
timestamps/         an authority's word on when the log was so long (RFC 3161), where one is asked
gate.json           what the gate answers at this state of the log
manifest.json       size and SHA-256 of every file
"""


class StillMoving(RuntimeError):  # noqa: N818 - says what it is
    """A decision is not under a signed checkpoint yet: ask again in a moment."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a bundle is about: the whole log by default."""

    decision: str = ""
    deployment: str = ""

    @property
    def about(self) -> dict[str, str]:
        """The scope as the manifest states it."""
        if self.decision:
            return {"kind": "decision", "ref": self.decision}
        if self.deployment:
            return {"kind": "deployment", "slug": self.deployment}
        return {"kind": "log"}

    @property
    def words(self) -> str:
        """The scope for people."""
        return " ".join(self.about.values()) if self.decision or self.deployment else "all of it"

    @property
    def file_name(self) -> str:
        """What to save the bundle as."""
        return "-".join(["oversight", *self.about.values()]) + ".zip"

    def proposals(self) -> QuerySet[Proposal]:
        """Return the public proposals it is about."""
        found = Proposal.objects.exclude(status=Status.DRAFT).order_by("ref")
        if self.decision:
            return found.filter(ref=self.decision)
        if self.deployment:
            return found.filter(deployment__slug=self.deployment)
        return found


def write_bundle(scope: Scope, target: BinaryIO) -> None:
    """Write the bundle to a file that can seek.

    Raises:
        bundle.NothingPublished: before the first checkpoint.
        StillMoving: while an authorisation waits for its checkpoint.
    """
    with one_moment():
        head = bundle.newest_head()
        _require_settled(head.size)
        writer = BundleWriter(target)
        words = README.format(origin=settings.LEDGER_ORIGIN, what=scope.words)
        writer.add("README.txt", words.encode())
        writer.add("verify.py", VERIFIER.read_bytes())
        for path, data in bundle.log_files(head):
            writer.add(path, data)
        for path, data in documents(scope, head.size):
            writer.add(path, data)
        writer.close(scope.about)


@contextmanager
def one_moment() -> Iterator[None]:
    """Read everything as of one moment."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _require_settled(size: int) -> None:
    """Refuse while the registry is ahead of the log, as the gate's answers would be, too."""
    kind = "registry.authorisation."
    waiting = PendingLeaf.objects.filter(type__startswith=kind).exists()
    if waiting or LedgerEntry.objects.filter(type__startswith=kind, index__gte=size).exists():
        raise StillMoving(gettext("A decision has just taken effect and is not signed yet."))


def documents(scope: Scope, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every document in scope that the first `size` entries cover."""
    covered = LedgerEntry.objects.filter(index__lt=size).values("leaf_id")
    proposals = scope.proposals().filter(leaf_id__in=covered)
    contracts = Contract.objects.filter(proposal__in=proposals, leaf_id__in=covered)
    runs = _results(scope, contracts, covered)
    yield from _charters(scope, proposals, covered)
    yield from _texts(proposals, covered)
    yield from _amendments(proposals, covered)
    yield from _files(scope, proposals, covered)
    yield from _votes(contracts, covered)
    yield from _suites(scope, runs, covered)
    yield from _versions(scope, proposals, covered)
    yield from _descriptions(scope, proposals, covered)
    yield from _checks(scope, proposals, covered)
    for task_run in runs.iterator(chunk_size=100):
        yield from _result(task_run)
    yield from _openings(proposals, size)
    yield "gate.json", _gate(scope, size)


def _charters(scope: Scope, proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    found = Charter.objects.filter(leaf_id__in=covered).select_related("body")
    if scope.decision or scope.deployment:
        found = found.filter(body__in=proposals.values("body"))
    for charter in found.order_by("body__slug", "number"):
        text, _ = digest_of(charter.document)
        yield f"bodies/{charter.body.slug}/charter-{charter.number}.json", text.encode()


def _texts(proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    found = Revision.objects.filter(proposal__in=proposals, leaf_id__in=covered)
    for revision in found.select_related("proposal").order_by("proposal__ref", "number"):
        text, _ = digest_of(revision.document)
        yield f"proposals/{revision.proposal.ref}/text-{revision.number}.json", text.encode()


def _amendments(proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    found = AmendmentVersion.objects.filter(amendment__proposal__in=proposals)
    found = found.filter(leaf_id__in=covered).select_related("amendment__proposal", "base")
    for version in found.order_by("amendment__proposal__ref", "amendment__number", "number"):
        amendment, (text, _) = version.amendment, digest_of(version.document)
        name = f"amendment-{amendment.number}-{version.number}.json"
        yield f"proposals/{amendment.proposal.ref}/{name}", text.encode()


def _files(scope: Scope, proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the files that stand beside the texts, but those of the whole log would be too many."""
    if not (scope.decision or scope.deployment):
        return
    for found in _standing_files(proposals, covered).select_related("artefact", "proposal"):
        place = path_of(found.artefact.sha256)
        # One that was erased, or that a court had taken down, is known by its digest alone.
        if place.exists():
            name = f"proposals/{found.proposal.ref}/files/{found.artefact.sha256}"
            yield name, place.read_bytes()


def _standing_files(proposals: Any, covered: Any) -> QuerySet[Attachment]:
    found = Attachment.objects.filter(proposal__in=proposals, removed_at=None)
    return found.filter(leaf_id__in=covered).order_by("proposal__ref", "artefact__sha256")


def _votes(contracts: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    """Yield contracts, and records of decisions: ballots are opened there and nowhere before."""
    for contract in contracts.select_related("proposal").order_by("proposal__ref"):
        yield f"decisions/{contract.proposal.ref}/contract.json", contract.document.encode()
    found = Decision.objects.filter(proposal__contract__in=contracts, leaf_id__in=covered)
    for decision in found.select_related("proposal").order_by("proposal__ref"):
        yield f"decisions/{decision.proposal.ref}/record.json", decision.record.encode()


def _results(scope: Scope, contracts: Any, covered: Any) -> "QuerySet[TaskRun]":
    """Return the accepted results; for less than the whole log, those that contracts rest on."""
    found = TaskRun.objects.filter(leaf_id__in=covered, envelope__isnull=False)
    if scope.decision or scope.deployment:
        rows = [row for contract in contracts for row in contract.content["criteria"]]
        stated = [row.get(name) for row in rows for name in ("statement", "beside_statement")]
        found = found.filter(statement_digest__in=[digest for digest in stated if digest])
    found = found.select_related("run__suite_version__suite")
    return found.order_by("run__ref", "task_name")


def _suites(scope: Scope, runs: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    found = SuiteVersion.objects.filter(leaf_id__in=covered).select_related("suite")
    if scope.decision or scope.deployment:
        found = found.filter(pk__in=runs.order_by().values("run__suite_version"))
    for version in found.order_by("suite__slug", "number"):
        yield f"suites/{version.suite.slug}-{version.number}.json", rfc8785.dumps(version.document)


def _versions(scope: Scope, proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    found = ModelVersion.objects.filter(leaf_id__in=covered)
    if scope.decision or scope.deployment:
        found = found.filter(pk__in=proposals.values("version"))
    for version in found.order_by("digest"):
        yield f"versions/{version.digest[7:]}.json", rfc8785.dumps(version.manifest)


def _descriptions(scope: Scope, proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    """Yield what versions, uses and endpoints say of themselves, every state of it."""
    found = Description.objects.filter(leaf_id__in=covered).order_by("subject", "number")
    if scope.decision or scope.deployment:
        named = Q(slug=scope.deployment) | Q(pk__in=proposals.values("deployment"))
        uses = Deployment.objects.filter(named).select_related("endpoint")
        versions = ModelVersion.objects.filter(pk__in=proposals.values("version"))
        things = [*versions.defer("manifest"), *uses, *(use.endpoint for use in uses)]
        found = found.filter(subject__in={each.subject for each in things})
    for each in found.iterator(chunk_size=500):
        kind, _, name = each.subject.partition(":")
        path = f"descriptions/{kind}/{name.removeprefix('sha256:')}-{each.number}.json"
        yield path, rfc8785.dumps(each.document)


def _checks(scope: Scope, proposals: Any, covered: Any) -> Iterator[tuple[str, bytes]]:
    """Yield what checks of endpoints found; two that found the same have one document."""
    found = Check.objects.filter(leaf_id__in=covered).order_by("digest").distinct("digest")
    if scope.decision or scope.deployment:
        found = found.filter(plan__version__in=proposals.values("version"))
    for check in found:
        yield f"checks/{check.digest[7:]}.json", rfc8785.dumps({"findings": check.findings})


def _result(task_run: TaskRun) -> Iterator[tuple[str, bytes]]:
    """Yield the signed statement and the scores of one result."""
    folder = f"runs/{task_run.run.ref}/{task_run.task_name}"
    yield f"{folder}.dsse.json", rfc8785.dumps(task_run.envelope)
    stored = SampleScore.objects.filter(task_run=task_run)
    metrics = sorted(stored.values_list("metric", flat=True).distinct().order_by())
    columns = [
        stored.filter(metric=metric).order_by("doc_id").values_list("doc_id", "score").iterator()
        for metric in metrics
    ]
    rows = ((cells[0][0], [score for _, score in cells]) for cells in zip(*columns, strict=True))
    clusters = None
    if task_run.task.get("clustered"):
        first = stored.filter(metric=metrics[0]).order_by("doc_id")
        clusters = scores.cluster_numbers(first.values_list("group", flat=True))
    yield f"{folder}.scores.json", b"".join(scores.write(metrics, rows, clusters))


_PUBLIC_REASONS = (
    "proposals.amendment.made",
    "proposals.amendment.revised",
    "proposals.amendment.rejected",
    "proposals.conflict.declared",
    "proposals.decision.annulled",
    "registry.authorisation.suspended",
)


def _openings(proposals: Any, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the openings of what everybody can read: what was said, reasons, names of files.

    Those of ballots are in the records of decisions, and nowhere before.
    """
    said = Q(pk__in=[])
    for kind in (Comment, Argument, OpinionStatement):
        visible = kind._default_manager.filter(proposal__in=proposals, hidden_at=None)
        said |= Q(field="text", leaf_id__in=visible.values("leaf_id"))
    subjects = [
        subject for each in proposals for subject in (each.subject, f"authorisation:{each.ref}")
    ]
    reasons = LedgerEntry.objects.filter(type__in=_PUBLIC_REASONS, subject__in=subjects)
    stated = Statement.objects.filter(decision__proposal__in=proposals)
    files = Attachment.objects.filter(proposal__in=proposals, removed_at=None)
    found = Opening.objects.filter(
        said
        | Q(field="text", leaf_id__in=stated.values("leaf_id"))
        | Q(field="reason", leaf_id__in=reasons.values("leaf_id"))
        | Q(field="name", leaf_id__in=files.values("leaf_id"))
    )
    openings = {opening.leaf_id: opening for opening in found}
    indexes = bundle.indexes_of(list(openings), size)
    lines = [
        rfc8785.dumps(
            {
                "index": index,
                "field": openings[leaf_id].field,
                "salt": bytes(openings[leaf_id].salt).hex(),
                "value": openings[leaf_id].value,
            }
        )
        for leaf_id, index in sorted(indexes.items(), key=lambda pair: pair[1])
    ]
    if lines:
        yield "openings.jsonl", b"".join(line + b"\n" for line in lines)


def _gate(scope: Scope, size: int) -> bytes:
    """Return what the gate answers at the time of the last entry, for each pair ever authorised."""
    last = LedgerEntry.objects.get(index=size - 1).content["at"]
    moment = datetime.fromisoformat(last)
    found = Authorisation.objects.values_list("deployment__slug", "version__digest").distinct()
    if scope.decision:
        found = found.filter(deployment__in=scope.proposals().values("deployment"))
    if scope.deployment:
        found = found.filter(deployment__slug=scope.deployment)
    answers = []
    for slug, digest in sorted(found.order_by()):
        answer = gate.answer(subject=digest, deployment_slug=slug, moment=moment)
        answers.append(
            {
                "deployment": slug,
                "version": digest,
                "code": str(answer.code),
                "result": "PASSED" if answer.allowed else "FAILED",
                "decision": answer.authorisation.decision_ref if answer.authorisation else None,
            }
        )
    return rfc8785.dumps({"v": 1, "at": stamp(moment), "answers": answers})


def exists(scope: Scope) -> bool:
    """Say whether there is something in public that the bundle would be about."""
    if scope.decision:
        return Contract.objects.filter(proposal__ref=scope.decision).exists()
    if scope.deployment:
        return Deployment.objects.filter(slug=scope.deployment).exists()
    return True
