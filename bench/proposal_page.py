"""A proposal's page in the heat of its deliberation: request to last byte, and its queries.

Comments, remarks on passages, amendments, arguments with their support, and an opinion map lie in a
system of its own. The text has just been revised, so that passages have to be looked for again. The
page is asked for in the process that made them, through every layer of Django but the socket.
"""

import json
import random
import statistics
import time
from typing import Any

from bench.own_system import found_inside, open_site
from bench.result import Figure, Result

COMMENTS, THREADS, REMARKS = 2_000, 700, 150
AMENDMENTS = 40
ARGUMENTS, SUPPORTERS = 60, 400
STATEMENTS, PEOPLE = 60, 300
ROUNDS = 15


def measure() -> Result:
    """Fill a system, ask for the page as a visitor and as a member, and read the clock."""
    found = found_inside("bench.proposal_page")
    figures = []
    for who in ("visitor", "member"):
        seconds = found[who]["seconds"]
        name = f"proposal page, {COMMENTS:,} comments, {AMENDMENTS} amendments, {who}"
        middle = 1_000 * statistics.median(seconds[1:])
        figures += [
            Figure(f"{name}, median", middle, "ms", at_most=300),
            Figure("the same, slowest", 1_000 * max(seconds[1:]), "ms"),
            Figure(
                "the same, processor time of the web process, median",
                1_000 * statistics.median(found[who]["processor"][1:]),
                "ms",
            ),
            Figure("the same, queries", found[who]["queries"], "count", at_most=50),
            Figure("the same, size", found[who]["bytes"] / 1_000, "kB"),
        ]
    first = 1_000 * found["visitor"]["seconds"][0]
    figures.append(Figure("the first request after a revision, passages sought anew", first, "ms"))
    what = f"The page of a proposal in a large deliberation, {ROUNDS} requests after the first"
    return Result("proposal_page", what, figures, found)


def main() -> None:
    """Measure inside a system of its own and print what every request took."""
    open_site()
    address, member, small = _deliberation()
    from django.test import Client

    # Templates and code are loaded by another page, so that the first request is about passages.
    Client().get(small)
    print(json.dumps({"visitor": _ask(address, None), "member": _ask(address, member)}))


def _ask(address: str, person: Any) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    if person is not None:
        client.force_login(person)
    seconds, worked = [], []
    for _ in range(ROUNDS + 1):
        start, began = time.perf_counter(), time.process_time()
        answer = client.get(address)
        seconds.append(time.perf_counter() - start)
        worked.append(time.process_time() - began)
        if answer.status_code != 200 or b"2,000 comments" not in answer.content:
            raise RuntimeError(f"the page answered {answer.status_code}")
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return {
        "seconds": seconds,
        "processor": worked,
        "queries": len(queries),
        "bytes": len(answer.content),
    }


def _text(changed: bool) -> str:
    """Return a text of sixty paragraphs, every third of them reworded when it is the later one."""
    draw = random.Random(7)
    words = [
        "model",
        "answer",
        "night",
        "caller",
        "person",
        "council",
        "cost",
        "source",
        "request",
        "rule",
        "week",
        "open",
    ]
    lines = []
    for number in range(60):
        line = [draw.choice(words) for _ in range(40)]
        if changed and number % 3 == 0:
            line[5:8] = ["another", "wording", "now"]
        lines.append(f"Paragraph {number} says: {' '.join(line)}.")
    return "\n\n".join(lines)


def _deliberation() -> tuple[str, Any, str]:
    """Make the proposal; return its address, a member, and the address of a small proposal."""
    from tests import factories

    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast, text=_text(changed=False))
    people = _people(max(SUPPORTERS, 50))
    _comment(proposal, people)
    _argue(proposal, people)
    for number in range(STATEMENTS):
        maker = people[number % 50]
        factories.make_statement(maker, proposal, f"Statement {number} says something.")
    from tests.proposals.opinions.crowds import crowd

    rows = crowd((PEOPLE // 2, PEOPLE // 3, PEOPLE // 6), STATEMENTS, sure=0.85).rows
    factories.make_opinions(proposal, rows)
    factories.draw_map(proposal)
    from proposals.services import drafting

    drafting.revise_text(
        by=cast.member,
        proposal=proposal,
        title="A large deliberation",
        summary="Sixty paragraphs.",
        text=_text(changed=True),
        base_number=1,
    )
    for number in range(AMENDMENTS):
        factories.make_amendment(
            (cast.second_member, cast.chair)[number % 2],
            proposal,
            f"Paragraph {number} says",
            f"Article {number} says",
        )
    small = factories.make_deliberated_proposal(cast)
    return proposal.get_absolute_url(), cast.second_member, small.get_absolute_url()


def _people(number: int) -> list[Any]:
    from oversight.accounts.models import Person

    return Person.objects.bulk_create(
        Person(email=f"person-{n}@example.org", display_name=f"Person {n}") for n in range(number)
    )


def _comment(proposal: Any, people: list[Any]) -> None:
    """Write the comments: some about passages, two thirds of them answers."""
    import uuid

    from proposals.models import Anchor, Comment
    from proposals.passages import context_of
    from tests import factories

    draw = random.Random(8)
    words = (
        "Some **words** about it, with a [link](https://example.org) and a second sentence. " * 3
    )
    threads = Comment.objects.bulk_create(
        Comment(proposal=proposal, author=draw.choice(people), text=words, leaf_id=uuid.uuid4())
        for _ in range(THREADS)
    )
    for _ in range(COMMENTS - THREADS - 1):
        parent = draw.choice(threads[:400])
        Comment.objects.create(
            proposal=proposal,
            author=draw.choice(people),
            parent=parent,
            text=words,
            leaf_id=uuid.uuid4(),
        )
    text = proposal.text
    anchors = []
    for thread in threads[:REMARKS]:
        start = text.body_markdown.index(f"Paragraph {draw.randrange(60)} says")
        end = start + 120
        before, after = context_of(text.body_markdown, start, end)
        quote = text.body_markdown[start:end]
        anchors.append(
            Anchor(comment=thread, revision=text, quote=quote, before=before, after=after)
        )
    Anchor.objects.bulk_create(anchors)
    factories.make_comment(people[0], proposal, "The last of them.")


def _argue(proposal: Any, people: list[Any]) -> None:
    import uuid

    from proposals.choices import Side
    from proposals.models import Argument, ArgumentSupport

    draw = random.Random(9)
    made = Argument.objects.bulk_create(
        Argument(
            proposal=proposal,
            author=draw.choice(people),
            side=draw.choice(list(Side)),
            text=f"Reason {number}: it is so, and in so many words that they fill two lines here.",
            leaf_id=uuid.uuid4(),
        )
        for number in range(ARGUMENTS)
    )
    ArgumentSupport.objects.bulk_create(
        ArgumentSupport(argument=argument, person=person, leaf_id=uuid.uuid4())
        for person in people
        for argument in draw.sample(made, 5)
    )


if __name__ == "__main__":
    main()
