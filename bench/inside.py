"""Steps that need the system's own database: `python -m bench.inside STEP ARGUMENT`."""

import json
import sys
import time
from pathlib import Path

from bench.own_system import open_system


def main() -> None:
    """Publish a suite, enrol workers and print what they need, queue runs or cancel one."""
    open_system()
    step, argument = sys.argv[1:]
    steps = {"publish": _publish, "enrol": _enrol, "queue": _queue, "crowd": _crowd}
    (steps | {"cancel": _cancel})[step](argument)


def _publish(name: str) -> None:
    from evals.services.suites import publish_suite
    from evals.suites.library import load_library
    from oversight.accounts.services import shell_person

    library = load_library(name)
    publish_suite(by=shell_person(), document=dict(library.document), files=library.files)


def _enrol(url: str) -> None:
    from django.conf import settings

    from oversight.embedded.enrolment import enrol

    print(json.dumps(enrol(Path(settings.OVERSIGHT_VAR), url)))


def _queue(number: str) -> None:
    """Queue so many task runs, of five requesters, of a task whose data only a worker knows."""
    from evals.services.runs import request_run
    from evals.services.suites import publish_suite
    from evals.suites.document import TASKS_LIMIT
    from oversight.accounts import services as accounts
    from oversight.accounts.choices import OrganisationRole
    from oversight.registry.services import register_version

    shell = accounts.shell_person()
    wanted = int(number)
    tasks = [_stock_task(n) for n in range(min(wanted, TASKS_LIMIT))]
    document = {
        "v": 1,
        "slug": "bench",
        "title": "Bench",
        "summary": "For benchmarks.",
        "licence": "CC-BY-4.0",
        "source": "Made for benchmarks.",
        "tasks": tasks,
    }
    suite, _ = publish_suite(by=shell, document=document, files={})
    version = register_version(
        by=shell,
        model_slug="bench",
        label="1",
        manifest=[{"name": "config.json", "size": 2, "sha256": "0" * 64}],
        source={"kind": "directory", "path": "/nowhere"},
    )
    organisation = accounts.admit_organisation(by=shell, slug="bench", name="Bench")
    people = []
    for n in range(5):
        person = accounts.register_person(
            email=f"bench{n}@example.org", display_name=f"Evaluator {n}", password=None
        )
        accounts.affiliate(
            by=shell, person=person, organisation=organisation, role=OrganisationRole.EVALUATOR
        )
        people.append(person)
    for n in range(-(-wanted // len(tasks))):
        request_run(by=people[n % 5], suite_version=suite, model_version=version)


def _stock_task(number: int) -> dict[str, object]:
    return {
        "name": f"stock-{number}",
        "title": "Stock",
        "description": "Stock.",
        "category": "capability",
        "sensitive": False,
        "visibility": "public",
        "metric": "acc",
        "metric_label": "accuracy",
        "higher_is_better": True,
        "metrics": ["acc", "acc_norm"],
        "num_fewshot": None,
        "apply_chat_template": False,
        "seed": 1234,
        "group_field": None,
        "stock": f"bench_{number}",
    }


def _crowd(number: str) -> None:
    """Enrol so many workers and print their tokens."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from evals.services.workers import enrol_worker
    from oversight.accounts.models import Organisation
    from oversight.accounts.services import shell_person

    shell = shell_person()
    organisation = Organisation.objects.get(slug="bench")
    tokens = []
    for n in range(int(number)):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
        _, token = enrol_worker(
            by=shell, organisation=organisation, name=f"bench-{n}", public_key=key
        )
        tokens.append(token)
    print(json.dumps(tokens))


def _cancel(ref: str) -> None:
    """Cancel a run and print the time at which that began."""
    from evals.models import Run
    from evals.services.runs import cancel_run
    from oversight.accounts.services import shell_person

    run, by = Run.objects.get(ref=ref), shell_person()
    print(time.time())
    cancel_run(by=by, run=run)


if __name__ == "__main__":
    main()
