"""Recording what is asked of a model before it is evaluated."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from evals import policy
from evals.choices import Comparison, Leaf
from evals.models import Criterion, SuiteVersion
from oversight.accounts.models import Person
from oversight.ledger import services as ledger
from oversight.registry.models import ModelVersion
from oversight.web.refusals import Conflict, Invalid, NotAllowed


def record_criterion(
    *,
    by: Person,
    subject: str,
    suite_version: SuiteVersion,
    task_name: str,
    metric: str,
    comparison: Comparison,
    threshold: Decimal | str,
    beside: ModelVersion | None = None,
    must_pass: bool = True,
    decision: str = "",
) -> Criterion:
    """Record one criterion about a subject. Call inside the transaction of the subject's floor.

    `beside` is the version that it must not be worse than; `threshold` is then the margin.
    Where a standing `decision` asks it of whatever is proposed, it matters not who `by` is, and the
    record says that the decision asks.

    Raises:
        Invalid: the suite has no such task or metric, the threshold is no usable number, or there
            is nothing to compare with.
        Conflict: the same criterion is there already.
    """
    if not decision and not policy.can_record_criterion(by):
        raise NotAllowed(_("Recording a criterion takes a role in a body or an organisation."))
    task = _asked_task(suite_version, task_name, metric)
    limit = _number(threshold)
    if comparison == Comparison.NOT_WORSE:
        _require_comparable(task, limit, beside)
    elif beside is not None:
        words = gettext("Only “not worse than” names a version to compare with.")
        raise Invalid(words, fields={"beside": words})
    leaf = ledger.append(
        type=Leaf.CRITERION_RECORDED,
        actor=decision or by.actor,
        subject=subject,
        digests={"suite": suite_version.digest} | ({"beside": beside.digest} if beside else {}),
        facts={
            "task": task_name,
            "metric": metric,
            "comparison": str(comparison),
            "threshold": f"{limit.normalize():f}",
            "must_pass": must_pass,
        },
    )
    try:
        with transaction.atomic():
            return Criterion.objects.create(
                subject=subject,
                suite_version=suite_version,
                task_name=task_name,
                metric=metric,
                comparison=comparison,
                threshold=limit,
                beside=beside,
                must_pass=must_pass,
                recorded_by=by,
                leaf_id=leaf.id,
            )
    except IntegrityError:
        raise Conflict(_("This criterion is on the record already.")) from None


def _asked_task(suite_version: SuiteVersion, name: str, metric: str) -> dict[str, Any]:
    """Return a task of a suite that has such a metric."""
    task = next((t for t in suite_version.tasks if t["name"] == name), None)
    if task is None:
        names = ", ".join(t["name"] for t in suite_version.tasks)
        raise Invalid(
            _("The suite has no task %(task_name)s: use one of %(names)s.")
            % {"task_name": f"{name!r}", "names": names}
        )
    if metric not in task["metrics"]:
        raise Invalid(
            _("Task %(task_name)s has no metric %(metric)s: use %(names)s.")
            % {"task_name": name, "metric": f"{metric!r}", "names": ", ".join(task["metrics"])}
        )
    return task


def _require_comparable(
    task: Mapping[str, Any], margin: Decimal, beside: ModelVersion | None
) -> None:
    if beside is None:
        words = gettext("“Not worse than” needs the version to compare with.")
        raise Invalid(words, fields={"beside": words})
    if margin < 0:
        words = gettext("The margin is 0 or more: by how much it may be worse.")
        raise Invalid(words, fields={"threshold": words})
    if "neutral" in task:
        raise Invalid(
            _(
                "On %(task)s neither more nor less is better: nothing is worse than another. "
                "Ask for a score at least, or below, instead."
            )
            % {
                "task": task["name"],
            }
        )


def _number(threshold: Decimal | str) -> Decimal:
    try:
        limit = Decimal(threshold)
    except InvalidOperation:
        raise Invalid(
            _("%(threshold)s is no number: write it like 0.65.")
            % {
                "threshold": f"{threshold!r}",
            }
        ) from None
    if not limit.is_finite() or abs(limit) > 100_000:
        raise Invalid(_("A threshold lies between -100000 and 100000."))
    return limit.quantize(Decimal("0.000001"))
