"""Running a published result again from its signed statements alone, and comparing the two.

What is compared is what the statement binds: first, where the samples of the original can still be
had, each sample's scores; then each metric's mean and number of samples. Equal means equal to the
last digit that is published: on other hardware the last digits of a log-likelihood may differ, and
a score with them.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from evals import artefacts
from evals.decimals import decimal_text
from evals.models import Aggregate, Artefact, Run, SuiteVersion, TaskRun, Worker
from evals.run_settings import DTYPES
from evals.samples import Sample, SamplesError, read_samples
from evals.statement import Statement, StatementError, verify_envelope
from evals.suites.document import digest as task_digest
from oversight.registry.models import ModelVersion
from oversight.web.refusals import Invalid


@dataclass(frozen=True)
class Original:
    """What the statements of one run say was run, found in the registry."""

    ref: str
    suite_version: SuiteVersion
    model_version: ModelVersion
    settings: dict[str, Any]
    predicates: Sequence[Any]
    """Of each task, what its statement says: `EvaluationPredicate`s."""


def original_of(envelopes: Sequence[Any]) -> Original:
    """Return what signed statements ask to be run again.

    Raises:
        Invalid: a statement was signed by no worker on record, they are of several runs, or what
            they name is not registered here.
    """
    if not envelopes:
        raise Invalid(_("There is no signed statement in this: nothing says what was run."))
    predicates = [_verified(envelope)["predicate"] for envelope in envelopes]
    first = predicates[0]
    for predicate in predicates:
        if any(predicate[name] != first[name] for name in ("run", "suite", "model")):
            raise Invalid(_("The statements are of several runs: reproduce one at a time."))
    suite = SuiteVersion.objects.filter(digest=first["suite"]["digest"]).first()
    if suite is None:
        raise Invalid(
            _("The suite %(first)s is not published here.")
            % {
                "first": first["suite"]["digest"],
            }
        )
    model = ModelVersion.objects.filter(digest=first["model"]["digest"]).first()
    if model is None:
        raise Invalid(
            _("The model %(first)s is not registered here.")
            % {
                "first": first["model"]["digest"],
            }
        )
    for predicate in predicates:
        _require_task(suite, predicate["task"])
    return Original(first["run"], suite, model, _settings(first["settings"]), predicates)


def first_difference(original: Original, again: Run) -> str:
    """Return in words where a run first differs from its original; empty where they are equal."""
    for predicate in original.predicates:
        name = predicate["task"]["name"]
        part = again.task_runs.get(task_name=name)
        found = _samples_differ(predicate, part) or _aggregates_differ(predicate, part)
        if found:
            return f"{name}: {found}"
    return ""


def _verified(envelope: Any) -> Statement:
    """Return a statement that was signed with a key that its worker has or had."""
    worker = Worker.objects.filter(public_id=_claimed_worker(envelope)).first()
    for key in worker.keys.all() if worker else ():
        try:
            return verify_envelope(envelope, bytes.fromhex(key.public_key))
        except StatementError:
            continue
    raise Invalid(_("A statement is signed by no key that is or was on record for its worker."))


def _claimed_worker(envelope: Any) -> str:
    try:
        payload = json.loads(base64.b64decode(envelope["payload"]))
        return str(payload["predicate"]["evaluator"]["worker"])
    except (KeyError, TypeError, ValueError):
        raise Invalid(_("This is no signed statement of an evaluation.")) from None


def _require_task(suite: SuiteVersion, named: Mapping[str, Any]) -> None:
    task: Any = next((task for task in suite.tasks if task["name"] == named["name"]), None)
    if task is None or task_digest(task) != named["digest"]:
        raise Invalid(
            _("The suite's task %(named)s is not the one that was run.")
            % {
                "named": named["name"],
            }
        )


def _settings(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings to ask for, from those that took effect."""
    if stated.get("backend") not in {"hf", "vllm"}:
        raise Invalid(
            _("A run on an endpoint cannot be reproduced: nobody vouches for what is there.")
        )
    if stated.get("dtype") not in DTYPES:
        raise Invalid(
            _("The statement's dtype %(get)s cannot be asked for.")
            % {
                "get": f"{stated.get('dtype')!r}",
            }
        )
    device = "cuda" if str(stated.get("device", "")).startswith("cuda") else "cpu"
    return {
        "backend": stated["backend"],
        "dtype": stated["dtype"],
        "batch_size": stated["batch_size"],
        "limit": stated["limit"],
        "device": device,
        "devices": stated.get("devices", 1),
        # What a worker remembers would only repeat what it said before.
        "fresh": True,
    }


def _samples_differ(predicate: Mapping[str, Any], part: TaskRun) -> str:
    """Compare sample by sample, where the original's are still in the store and unaltered."""
    row = Artefact.objects.filter(sha256=predicate["samples"]["sha256"]).first()
    if row is None or part.samples_id is None:
        return ""
    try:
        artefacts.require_unchanged(row)
        before = read_samples(artefacts.path_of(row.sha256))
        after = read_samples(artefacts.path_of(part.samples_id))
        for old, new in zip_longest(before, after):
            if found := _sample_differs(old, new):
                return found
    except (Invalid, SamplesError):
        # The aggregates of the statement stand whatever became of the file.
        return ""
    return ""


def _sample_differs(old: Sample | None, new: Sample | None) -> str:
    if old is None or new is None:
        there = old or new
        missing = gettext("the original") if old is None else gettext("the reproduction")
        return gettext("sample %(sample)s is missing from %(missing)s") % {
            "sample": there.doc_id if there else "?",
            "missing": missing,
        }
    if old.doc_id != new.doc_id:
        return gettext("sample %(old)s of the original stands where %(new)s stands now") % {
            "old": old.doc_id,
            "new": new.doc_id,
        }
    for metric, score in old.scores.items():
        if new.scores.get(metric) != score:
            return f"sample {old.doc_id}: {metric} was {score!r}, is {new.scores.get(metric)!r}"
    return ""


def _aggregates_differ(predicate: Mapping[str, Any], part: TaskRun) -> str:
    rows = {row.metric: row for row in Aggregate.objects.filter(task_run=part, group="")}
    for stated in predicate["aggregates"]:
        row = rows.get(stated["metric"])
        if row is None:
            return gettext("%(metric)s was not measured") % {"metric": stated["metric"]}
        if row.n != stated["n"]:
            return gettext("%(metric)s was over %(before)s samples, is over %(now)s") % {
                "metric": stated["metric"],
                "before": stated["n"],
                "now": row.n,
            }
        if Decimal(decimal_text(row.mean)) != Decimal(stated["mean"]):
            return f"{stated['metric']} was {stated['mean']}, is {decimal_text(row.mean)}"
    return ""
