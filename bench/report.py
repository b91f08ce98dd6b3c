"""The report of a decision with 40 criteria and 500 ballots: request to last byte of its PDF.

The decision lies in a system of its own and is asked for through every layer of Django but the
socket; nothing that was set before is kept.
"""

import json
import statistics
import time
from typing import Any

from bench.own_system import found_inside, open_site
from bench.result import Figure, Result

SUITES = 20
"""Each has one task with two metrics, and so two criteria."""
MEMBERS = 500
ROUNDS = 7
FORMS = ("report.pdf", "report/", "report.json")


def measure() -> Result:
    """Fill a system, ask for each form of the report, and read the clock."""
    found = found_inside("bench.report")
    what = f"report of {2 * SUITES} criteria and {MEMBERS} ballots"
    pdf, page, data = (found[form] for form in FORMS)
    figures = [
        Figure(f"{what}, PDF, median", statistics.median(pdf["seconds"]), "s", at_most=2),
        Figure("the same, slowest", max(pdf["seconds"]), "s", at_most=2),
        Figure("the same, pages", found["pages"], "count"),
        Figure("the same, size", pdf["bytes"] / 1_000, "kB"),
        Figure("the same, kept from before, median", statistics.median(found["kept"]), "s"),
        Figure(f"{what}, page, median", statistics.median(page["seconds"]), "s"),
        Figure(f"{what}, JSON, median", statistics.median(data["seconds"]), "s"),
        Figure("queries of the report", found["queries"], "count", at_most=40),
    ]
    return Result("report", f"A large {what}, {ROUNDS} requests for each form", figures, found)


def main() -> None:
    """Measure inside a system of its own and print what every request took."""
    open_site()
    address = _decision()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    found: dict[str, Any] = {form: _ask(address + form) for form in FORMS}
    found["kept"] = _ask(address + "report.pdf", is_kept=True)["seconds"]
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get(address + "report.pdf")
    print(json.dumps(found | {"queries": len(queries), "pages": _pages(answer.content)}))


def _ask(address: str, *, is_kept: bool = False) -> dict[str, Any]:
    from django.core.cache import caches
    from django.test import Client

    seconds = []
    for _ in range(ROUNDS):
        if not is_kept:
            caches["reports"].clear()
        start = time.perf_counter()
        answer = Client().get(address)
        seconds.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}: {answer.content[:400]!r}")
    return {"seconds": seconds, "bytes": len(answer.content)}


def _pages(content: bytes) -> int:
    import io

    import pypdf

    return len(pypdf.PdfReader(io.BytesIO(content)).pages)


def _decision() -> str:
    """Evaluate, vote and decide; return the address of the decision."""
    from oversight.ledger.sequencer import sequence_once
    from proposals.services import casting, closing, stages, voting
    from tests import factories, scenes

    council = scenes.make_council(MEMBERS)
    proposal = scenes.make_proposal(council)
    machine = factories.make_machine()
    suites = [factories.make_question_suite() for _ in range(SUITES)]
    for suite in suites:
        for metric in ("acc", "acc_norm"):
            factories.make_criterion(council, proposal, suite, metric=metric, threshold="0.1")
    for suite in suites:
        run = factories.make_run(
            council.proposer, suite, proposal.version, purpose=proposal.subject
        )
        for _ in run.task_runs.all():
            machine.finish(machine.claim(), 15)
    stages.fix_text(by=council.clerk, proposal=proposal)
    voting.open_vote(by=council.clerk, proposal=proposal)
    for number, member in enumerate(council.members):
        choice = ("yes", "yes", "yes", "no", "abstain")[number % 5]
        casting.cast_ballot(by=member, proposal=proposal, choice=choice)
    proposal.refresh_from_db()
    decision = closing.close_vote(by=council.clerk, proposal=proposal)
    sequence_once()
    return decision.get_absolute_url()


if __name__ == "__main__":
    main()
