"""Who is due next: priority, then an even share between requesters, then age; and what fits."""

from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.models import Run, TaskRun, Worker
from evals.services import claims, leases
from oversight.web.refusals import Invalid, NotAllowed
from tests.scenes import (
    make_administrator,
    make_evaluator,
    make_machine,
    make_model_version,
    make_run,
    make_suite,
)

pytestmark = pytest.mark.django_db


def stated(machine, **words):
    """Let a machine state what it has, and return it."""
    Worker.objects.filter(pk=machine.worker.pk).update(**words)
    machine.worker.refresh_from_db()
    return machine


def claim(machine):
    token_digest = machine.worker.token_digest
    return claims.claim(token_digest=token_digest, boot_id="b", resource_classes=["cpu"])


def gpu_machine(**words):
    machine = stated(make_machine(), resource_classes=["gpu"], **words)
    machine.resource_classes = ["gpu"]
    return machine


# -- Shares ----------------------------------------------------------------------------------


@dataclass
class Simulation:
    """What the queue should do, kept by hand beside the real one."""

    waiting: list[tuple[int, int, int]] = field(default_factory=list)
    """Priority, requester, place in time."""
    under_way: list[int] = field(default_factory=list)
    served: dict[int, int] = field(default_factory=dict)
    clock: int = 0

    def due(self) -> tuple[int, int, int] | None:
        """Return what is due, by the rule as the documentation words it."""
        if not self.waiting:
            return None
        return min(
            self.waiting,
            key=lambda one: (
                -one[0],
                self.under_way.count(one[1]),
                self.served.get(one[1], -1),
                one[1],
                one[2],
            ),
        )

    def serve(self, one: tuple[int, int, int]) -> None:
        self.waiting.remove(one)
        self.under_way.append(one[1])
        self.clock += 1
        self.served[one[1]] = self.clock


QUEUES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 3]), st.integers(0, 3)), min_size=1, max_size=10
)
EVENTS = st.lists(st.sampled_from(["claim", "claim", "end"]), min_size=4, max_size=16)


@pytest.fixture
def crowd():
    """Return four administrators, whose runs may have any priority, in the order of their keys."""
    return sorted((make_administrator(f"Evaluator {n}") for n in range(4)), key=lambda p: p.pk)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(queue=QUEUES, events=EVENTS)
def test_the_queue_serves_in_the_order_of_the_rule(crowd, queue, events):
    before = transaction.savepoint()
    try:
        suite, model = make_suite(items=1), make_model_version()
        simulation, places = Simulation(), {}
        for place, (priority, requester) in enumerate(queue):
            run = make_run(by=crowd[requester], priority=priority, suite=suite, model=model)
            places[run.pk] = (priority, requester, place)
            simulation.waiting.append(places[run.pk])
        machine, held = make_machine(), []
        for event in events:
            if event == "claim":
                task_run = machine.claim()
                due = simulation.due()
                assert (task_run and places[task_run.run_id]) == due
                if task_run is not None:
                    simulation.serve(due)
                    held.append(task_run)
            elif held:
                ended = held.pop(0)
                machine.finish(ended, right=1)
                simulation.under_way.remove(places[ended.run_id][1])
    finally:
        transaction.savepoint_rollback(before)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(flood=st.integers(2, 12), others=st.integers(1, 3), hosts=st.integers(1, 3))
def test_nobody_waits_longer_than_one_turn_of_everybody_else(crowd, flood, others, hosts):
    """However much one asks for before, each other requester gets a host within one round."""
    before = transaction.savepoint()
    try:
        suite, model = make_suite(items=1), make_model_version()
        for _ in range(flood):
            make_run(by=crowd[0], suite=suite, model=model)
        machine = make_machine()
        held = [machine.claim() for _ in range(min(hosts, flood))]
        for person in crowd[1 : others + 1]:
            make_run(by=person, suite=suite, model=model)
        served = []
        for _ in range(others):
            machine.finish(held.pop(0), right=1)
            held.append(machine.claim())
            served.append(held[-1].requester)
        assert set(served) == set(crowd[1 : others + 1])
    finally:
        transaction.savepoint_rollback(before)


def test_one_class_of_hosts_does_not_count_in_the_other():
    busy, other = make_evaluator(), make_evaluator()
    gpu, cpu = gpu_machine(), make_machine()
    for _ in range(3):
        make_run(by=busy, resource_class="gpu", device_memory_bytes=0)
        assert gpu.claim() is not None
    first = make_run(by=busy)
    make_run(by=other)
    assert {cpu.claim().requester, cpu.claim().requester} == {busy, other}
    assert first.task_runs.get().state == "running"


def test_only_an_administrator_lets_a_run_go_first_and_anybody_lets_it_go_last():
    with pytest.raises(NotAllowed, match="before everybody"):
        make_run(by=make_evaluator(), priority=1)
    with pytest.raises(Invalid, match="-10 to 10"):
        make_run(by=make_administrator(), priority=11)
    patient = make_run(by=make_evaluator(), priority=-1)
    make_run(by=make_evaluator())
    assert make_machine().claim().run != patient
    assert make_machine().claim().run == patient


# -- Memory ----------------------------------------------------------------------------------


def test_a_run_goes_to_a_host_with_the_memory_it_needs():
    make_run(resource_class="gpu", device_memory_bytes=40 * 2**30)
    small, large = (
        gpu_machine(device_memory_bytes=24 * 2**30),
        gpu_machine(device_memory_bytes=80 * 2**30),
    )
    assert small.claim() is None
    assert large.claim() is not None


def test_a_host_with_little_memory_takes_what_fits_though_more_is_due():
    make_run(resource_class="gpu", device_memory_bytes=40 * 2**30)
    fits = make_run(resource_class="gpu", device_memory_bytes=8 * 2**30)
    assert gpu_machine(device_memory_bytes=24 * 2**30).claim().run == fits


def test_a_host_that_does_not_say_its_memory_may_try():
    make_run(resource_class="gpu", device_memory_bytes=40 * 2**30)
    assert gpu_machine().claim() is not None


def test_a_run_over_several_gpus_goes_to_a_host_with_so_many():
    make_run(resource_class="gpu", settings={"devices": 4})
    assert gpu_machine(devices=2).claim() is None
    assert gpu_machine(devices=4).claim() is not None


def test_the_memory_is_estimated_from_the_files_unless_it_is_stated():
    version = make_model_version()
    run = make_run(resource_class="gpu", model=version, settings={"devices": 2})
    assert run.device_memory_bytes == int(version.total_bytes * 1.2 / 2)
    assert make_run(resource_class="gpu", device_memory_bytes=7).device_memory_bytes == 7
    assert make_run(model=version).device_memory_bytes == 0


def test_what_ran_out_of_memory_goes_only_to_another_host_that_could_hold_it():
    run = make_run(resource_class="gpu", device_memory_bytes=8 * 2**30)
    gpu_machine(device_memory_bytes=4 * 2**30, last_seen_at=run.requested_at)
    machine = gpu_machine(device_memory_bytes=24 * 2**30)
    task_run = machine.claim()
    leases.hear_failure(
        worker=machine.worker,
        task_run_id=task_run.pk,
        token=1,
        code="out-of-memory",
        message="Not even a batch of size 1 fits.",
    )
    run.refresh_from_db()
    assert run.state == "failed"


# -- The statement ---------------------------------------------------------------------------


def test_a_claim_is_one_statement_whose_cost_does_not_grow_with_the_queue():
    """10,000 task runs of three requesters wait: the plan reads indexes and never the table."""
    suite, model = make_suite(items=1), make_model_version()
    for _ in range(3):
        run = make_run(by=make_evaluator(), suite=suite, model=model)
        first = run.task_runs.get()
        TaskRun.objects.bulk_create(
            TaskRun(
                run=run,
                task_name=f"more-{n}",
                position=n + 1,
                resource_class="cpu",
                priority=0,
                requester=first.requester,
                requested_at=first.requested_at,
            )
            for n in range(3_333)
        )
    Run.objects.update(state="running", started_at=first.requested_at)
    machine = make_machine()
    # Suite and model are looked up once: they never change.
    assert claim(machine) is not None
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE evals_taskrun")
    plans = []

    def explained(execute, sql, params, many, context):
        if not sql.startswith(("SAVEPOINT", "RELEASE")):
            with context["cursor"].connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        order = claim(machine)
    assert order is not None
    (plan,) = plans
    assert "task_run_line" in plan
    assert "Seq Scan on evals_taskrun" not in plan


def test_a_claim_locks_nothing_but_what_it_takes():
    """What others would have to pass over is theirs to claim at the same instant."""
    for _ in range(3):
        make_run(by=make_evaluator())
    assert make_machine().claim() is not None
    with connection.cursor() as cursor:
        # A row that somebody has locked remembers by whom.
        cursor.execute(
            "SELECT count(*), sum((xmax <> '0')::int) FROM evals_taskrun WHERE state = 'queued'"
        )
        assert cursor.fetchone() == (2, 0)


def test_an_order_holds_what_the_documents_say(settings):
    run = make_run(settings={"limit": 3})
    suite, version = run.suite_version, run.model_version
    machine = make_machine()
    order = claim(machine)
    task_run = run.task_runs.get()
    assert (order.task_run, order.token, order.attempt) == (task_run.pk, 1, 1)
    assert (order.run, order.settings) == (run.ref, run.settings)
    assert order.task == suite.task(task_run.task_name)
    assert order.suite == {"slug": suite.suite.slug, "version": 1, "digest": suite.digest}
    assert order.model == {
        "slug": version.model.slug,
        "label": version.label,
        "digest": version.digest,
        "manifest": version.manifest,
        "source": version.source,
    }
    left = task_run.lease_until - task_run.started_at
    assert abs(left.total_seconds() - settings.LEASE_SECONDS) < 1
