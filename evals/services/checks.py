"""Checking endpoints: plans, rounds of runs, and what they show; alarms where answers differ."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import combinations
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from evals import policy
from evals.choices import Leaf, ResourceClass, RunState
from evals.identity import UNANSWERED, Pair, compare_pairs
from evals.models import Check, CheckedEndpoint, CheckPlan, Run, SuiteVersion
from evals.nudges import nudge_workers
from evals.services.alarms import alarms_of, raise_alarm
from evals.services.runs import queue_run
from oversight.accounts.models import Person
from oversight.accounts.services import shell_person
from oversight.ledger import services as ledger
from oversight.registry.documents import digest_of
from oversight.registry.models import Description, Endpoint, ModelVersion
from oversight.web.clock import database_now
from oversight.web.refusals import Conflict, Invalid, NotAllowed

MOST_ENDPOINTS = 12
"""Of one check: more pairs than these have would say little each."""
ITEMS, HOURS = range(5, 501), range(1, 721)


@transaction.atomic(durable=True)
def plan_checks(
    *,
    by: Person,
    version: ModelVersion,
    suite_version: SuiteVersion,
    items: int = 50,
    every_hours: int = 24,
    agreement: Decimal | str = "0.90",
    with_weights: bool = False,
) -> CheckPlan:
    """Have everybody who claims to serve a version asked the same prompts, from now on.

    Raises:
        Invalid: a number cannot be used.
        Conflict: there is such a plan already.
    """
    if not policy.can_start_run(by):
        raise NotAllowed(_("Planning checks takes a role in a body or an evaluator's role."))
    share = _share(agreement)
    _within("items", items, ITEMS)
    _within("every_hours", every_hours, HOURS)
    ModelVersion.objects.select_for_update().get(pk=version.pk)
    if CheckPlan.objects.filter(version=version, ended_at=None).exists():
        raise Conflict(
            _("%(version)s is being checked already: end that plan first.")
            % {
                "version": version,
            }
        )
    leaf = ledger.append(
        type=Leaf.CHECK_PLANNED,
        actor=by.actor,
        subject=version.subject,
        digests={"suite": suite_version.digest},
        facts={"items": items, "every_hours": every_hours, "agreement": f"{share:f}"},
    )
    return CheckPlan.objects.create(
        version=version,
        suite_version=suite_version,
        items=items,
        every_hours=every_hours,
        agreement=share,
        with_weights=with_weights,
        planned_by=by,
        leaf_id=leaf.id,
    )


@transaction.atomic(durable=True)
def end_checks(*, by: Person, version: ModelVersion) -> CheckPlan:
    """End the plan of a version; a round under way is still judged."""
    plan = CheckPlan.objects.select_for_update().filter(version=version, ended_at=None).first()
    if plan is None:
        raise Conflict(_("%(version)s is not being checked.") % {"version": version})
    if not (plan.planned_by_id == by.pk or policy.can_publish_suite(by)):
        raise NotAllowed(_("Who planned the checks, or an evaluator, ends them."))
    plan.ended_at = database_now()
    plan.save(update_fields=["ended_at"])
    ledger.append(type=Leaf.CHECK_ENDED, actor=by.actor, subject=version.subject, facts={})
    return plan


def due_plans() -> list[int]:
    """Return the plans whose next round is due and whose last one is judged."""
    plans = CheckPlan.objects.filter(ended_at=None, next_at__lte=database_now())
    under_way = Check.objects.filter(judged_at=None).values("plan_id")
    return list(plans.exclude(pk__in=under_way).values_list("pk", flat=True))


@transaction.atomic(durable=True)
def begin_check(*, plan_id: int) -> Check | None:
    """Ask everybody who claims the plan's version; None where the round is not due any more.

    The plan's row is locked, so that two that look at once begin one round.
    """
    plans = CheckPlan.objects.select_for_update(of=("self",)).select_related(
        "version__model", "suite_version__suite"
    )
    plan = plans.get(pk=plan_id)
    now = database_now()
    is_open = plan.checks.filter(judged_at=None).exists()
    if plan.ended_at is not None or plan.next_at > now or is_open:
        return None
    plan.next_at = now + timedelta(hours=plan.every_hours)
    plan.save(update_fields=["next_at"])
    begun = Check.objects.create(plan=plan)
    for endpoint in _claiming(plan.version):
        _ask(begun, endpoint)
    if plan.with_weights:
        weights = _weights_run(plan)
        CheckedEndpoint.objects.create(check_round=begun, endpoint=None, run=weights)
    transaction.on_commit(partial(nudge_workers, str(ResourceClass.CPU)), robust=True)
    return begun


def _claiming(version: ModelVersion) -> Sequence[Endpoint]:
    found = Endpoint.objects.filter(claimed_version=version).exclude(base_url="")
    return list(found.select_related("operator").order_by("pk")[:MOST_ENDPOINTS])


def _ask(begun: Check, endpoint: Endpoint) -> None:
    """Queue a run on one endpoint, or note why it cannot be asked."""
    plan = begun.plan
    newest = Description.objects.about(endpoint.subject).first()
    told: dict[str, Any] = newest.document if newest else {}
    run, problem = None, ""
    settings = {
        "backend": told.get("interface", ""),
        "limit": plan.items,
        # What an endpoint answered before is not what it answers now.
        "fresh": True,
        "endpoint": {
            "slug": endpoint.slug,
            "model": told.get("served_as", ""),
            "requests_per_minute": told.get("requests_per_minute"),
        },
    }
    if {"interface", "served_as"} <= told.keys():
        try:
            run = _queue(plan, settings)
        except Invalid as refusal:
            problem = refusal.detail[:400]
    else:
        problem = gettext("Its description does not say under which name and interface it serves.")
    CheckedEndpoint.objects.create(check_round=begun, endpoint=endpoint, run=run, problem=problem)


def _queue(plan: CheckPlan, settings: dict[str, Any]) -> Run:
    return queue_run(
        by=shell_person(),
        suite_version=plan.suite_version,
        model_version=plan.version,
        settings=settings,
        resource_class=ResourceClass.CPU,
        device_memory_bytes=None,
        purpose=f"check:{plan.pk}",
    )


def _weights_run(plan: CheckPlan) -> Run:
    """Return the run of the weights themselves: they never change, so one is enough."""
    before = CheckedEndpoint.objects.filter(
        check_round__plan=plan, endpoint=None, run__state=RunState.SUCCEEDED
    ).first()
    if before is not None and before.run is not None:
        return before.run
    return _queue(plan, {"backend": "hf", "limit": plan.items})


def finished_checks() -> list[int]:
    """Return the rounds whose runs have all ended."""
    still = Q(answerers__run__state__in=[RunState.QUEUED, RunState.RUNNING])
    return list(Check.objects.filter(judged_at=None).exclude(still).values_list("pk", flat=True))


def judge_check(*, check_id: int) -> Check:
    """Compare the runs of a round, put what was found on the record, and raise the alarm.

    Samples are read and compared before the transaction begins, since runs that have ended do not
    change any more.

    Raises:
        Conflict: it is judged already, or still under way.
    """
    found = Check.objects.select_related("plan").get(pk=check_id)
    parts = list(found.answerers.select_related("run", "endpoint"))
    if found.judged_at is not None or any(part.run and part.run.is_active for part in parts):
        raise Conflict(_("This check is judged already, or is still under way."))
    before = found.plan.checks.exclude(judged_at=None).first()
    pairs = _pairs(parts, before)
    findings = [
        *(_silent(part) for part in parts if not _answered(part)),
        *compare_pairs(pairs, float(found.plan.agreement)),
    ]
    return _write_down(found.pk, parts, before, findings)


@transaction.atomic(durable=True)
def _write_down(
    check_id: int,
    parts: Sequence[CheckedEndpoint],
    before: Check | None,
    findings: list[dict[str, Any]],
) -> Check:
    rows = Check.objects.select_for_update(of=("self",))
    found = rows.select_related("plan__version__model", "plan__planned_by").get(pk=check_id)
    if found.judged_at is not None:
        raise Conflict(_("This check is judged already."))
    found.findings = findings
    found.judged_at, found.digest = database_now(), digest_of({"findings": findings})
    leaf = ledger.append(
        type=Leaf.CHECK_JUDGED,
        actor="system:evaluations",
        subject=found.plan.version.subject,
        digests={"findings": found.digest},
        facts={
            "answerers": len(parts),
            "compared": len(findings) - sum(not _answered(part) for part in parts),
            "alarms": len(alarms_of(found)),
        },
    )
    found.leaf_id = leaf.id
    found.save(update_fields=["findings", "judged_at", "digest", "leaf_id"])
    raise_alarm(found, before)
    return found


def _answered(part: CheckedEndpoint) -> bool:
    return part.run is not None and part.run.state == RunState.SUCCEEDED


def _silent(part: CheckedEndpoint) -> dict[str, Any]:
    """Return the finding about an answerer that gave no answers."""
    return {
        "kind": "answer",
        "endpoint": part.name,
        "beside": "",
        "run": part.run.ref if part.run else "",
        "verdict": UNANSWERED,
        "reason": (part.problem or (part.run.reason if part.run else ""))[:400],
    }


def _pairs(parts: Sequence[CheckedEndpoint], before: Check | None) -> list[Pair]:
    """Return what is compared: each with the weights, or all with one another; and with before."""
    answered = {part.name: part for part in parts if _answered(part)}
    weights = next((part for part in answered.values() if part.endpoint is None), None)
    endpoints = [part for part in answered.values() if part.endpoint is not None]
    pairs = [
        Pair("weights", part.name, weights.name, part.run, weights.run)  # type: ignore[arg-type]
        for part in endpoints
        if weights
    ] or [
        Pair("operator", one.name, two.name, one.run, two.run)  # type: ignore[arg-type]
        for one, two in combinations(endpoints, 2)
    ]
    earlier = before.answerers.select_related("run", "endpoint") if before else []
    then = {part.name: part for part in earlier if _answered(part)}
    pairs += [
        Pair("drift", part.name, part.name, part.run, then[part.name].run)  # type: ignore[arg-type]
        for part in endpoints
        if part.name in then
    ]
    return pairs


def _share(text: Decimal | str) -> Decimal:
    words = gettext("Use a share from 0.50 to 1.00, such as 0.90.")
    refusal = Invalid(_("agreement: %(words)s") % {"words": words}, fields={"agreement": words})
    try:
        share = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        raise refusal from None
    if not share.is_finite() or not Decimal("0.5") <= share <= 1:
        raise refusal
    return share.quantize(Decimal("0.01"))


def _within(name: str, value: int, bounds: range) -> None:
    if isinstance(value, bool) or value not in bounds:
        words = gettext("Use a whole number from %(value)s to %(value_2)s.") % {
            "value": bounds[0],
            "value_2": bounds[-1],
        }
        raise Invalid(f"{name}: {words}", fields={name: words})
