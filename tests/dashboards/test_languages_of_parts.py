"""What people wrote in German stands on French pages with its language, wherever it stands."""

import json
import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.utils.translation import override

from oversight.accounts import services as accounts
from oversight.accounts.models import Body, Notice
from oversight.dashboards.reports.of_decision import report_of
from oversight.dashboards.reports.typesetting import press_values
from oversight.incidents.choices import Category, Harm, Severity
from oversight.incidents.services import handling
from oversight.ledger.sequencer import sequence_once
from proposals.choices import Side, StatementKind
from proposals.models import Decision, Recusal
from proposals.services import moderation, opinions, stages, statements
from tests import factories
from tests.dashboards.unmarked import VOID
from tests.factories import make_comment
from tests.incidents.made import make_incident, make_report

pytestmark = pytest.mark.django_db

WORD = re.compile(r"Brückenwort\w*")
"""What only people of the world say; each of their texts has one of these words of its own."""
SHOWN = {
    *("titel", "zusammenfassung", "überschrift", "satz", "punkt", "ersatz", "anliegen", "frage"),
    *("antwort", "moderation", "argument", "aussage", "befangenheit", "grund", "widerspruch"),
    *("rückzug", "auftrag", "fehltritt", "vorfall", "bericht", "notiz"),
}
"""Which of them the crawl has to come upon."""
LINKS = re.compile(r'<a [^>]*href="(/fr/[^"#]*)')
NO_PARTS = {"title", "option", "textarea", "script", "style", "desc"}
"""Elements whose text has one language, whatever it is made of."""


class _Page(HTMLParser):
    """Collects the words that stand in a page under another language than theirs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self.marked: set[str] = set()
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        broken = [value for value in said.values() if "<span" in value or 'lang="' in value]
        self.found |= {f"broken attribute: {value}" for value in broken}
        if tag not in VOID:
            self._open.append((tag, said.get("lang") or self._language))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "<span" in data:
            self.found.add(f"shown as text: {data}")
        if self._open and {tag for tag, _ in self._open} & NO_PARTS:
            return
        words = set(WORD.findall(data))
        if self._language == "de":
            self.marked |= words
        else:
            self.found |= words

    @property
    def _language(self) -> str:
        return self._open[-1][1] if self._open else ""


def read(html):
    page = _Page()
    page.feed(html)
    return page


def crawled(client, *starts):
    """Give pages as a reader finds them from the first ones on: one of each kind."""
    todo, seen, done = list(starts), set(), set()
    while todo:
        address = todo.pop(0).replace("&amp;", "&")
        path, question, _ = address.partition("?")
        kind = re.sub(r"[^/]*\d[^/]*", "#", path) + question
        is_seen = address in done or (kind in seen and address not in starts)
        if is_seen or "logout" in address:
            continue
        seen.add(kind)
        done.add(address)
        answer = client.get(address)
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            page = answer.content.decode()
            todo += LINKS.findall(page)
            yield address, page


@pytest.fixture
def german(world):
    """Return a proposal in German with all that can be said about one, and a withdrawn one."""
    cast = world.cast
    accounts.set_language(by=cast.administrator, body=cast.body, language="de")
    Body.objects.filter(pk=cast.body.pk).update(summary="Brückenwortauftrag")
    cast.body.refresh_from_db()
    words = {
        "title": "Brückenworttitel für den Helpdesk",
        "summary": "Brückenwortzusammenfassung in einem Satz.",
        "text": "## Brückenwortüberschrift\n\nBrückenwortsatz der Vorlage.\n\n- Brückenwortpunkt\n",
        "version": world.version,
        "deployment": world.deployment,
    }
    proposal = factories.make_deliberated_proposal(cast, **words)
    factories.make_criterion(cast, proposal, world.suite)
    speak_about(cast, proposal)
    decided = factories.make_deliberated_proposal(cast, **words)
    decision = factories.decide(cast, decided, ("yes", "yes", "no"))
    state = statements.make_statement
    state(by=cast.clerk, decision=decision, kind=StatementKind.REASONS, text="Brückenwortgrund")
    said = "Brückenwortwiderspruch"
    state(by=cast.chair, decision=decision, kind=StatementKind.DISSENT, text=said)
    withdrawn = factories.make_deliberated_proposal(cast, **words)
    stages.withdraw(by=cast.member, proposal=withdrawn, reason="Brückenwortrückzug")
    factories.make_open_vote(cast, **words)
    incident = make_incident(
        cast.clerk,
        deployments=[world.deployment],
        title="Brückenwortvorfall",
        text="Brückenwortbericht",
    )
    handling.add_note(by=cast.clerk, incident=incident, text="Brückenwortnotiz")
    sequence_once()
    # A notice is one text in its reader's language, with a title as a name in it.
    Notice.objects.all().delete()
    return proposal, withdrawn


def speak_about(cast, proposal):
    """Say everything about a proposal that can be said while it is deliberated."""
    question = make_comment(cast.outsider, proposal, "Brückenwortfrage an alle?", is_question=True)
    make_comment(cast.outsider, proposal, "Brückenwortantwort von jemandem.", parent=question)
    hidden = make_comment(cast.outsider, proposal, "Brückenwortfehltritt")
    moderation.hide(by=cast.clerk, said=hidden, reason="Brückenwortmoderation")
    for side in Side:
        factories.make_argument(cast.outsider, proposal, f"Brückenwortargument {side}", side)
    made = [
        opinions.make_statement(by=cast.outsider, proposal=proposal, text=f"Brückenwortaussage {n}")
        for n in range(5)
    ]
    assert made[0].language == "de"
    factories.make_opinions(proposal, ["+-+-0", "-+-+0"] * 7)
    factories.draw_map(proposal)
    factories.make_amendment(
        cast.second_member,
        proposal,
        "Brückenwortsatz",
        "Brückenwortersatz",
        reason="Brückenwortanliegen",
    )
    # The charter of this council lets nobody step off; pages show it all the same.
    seat = cast.chair.memberships.get()
    reason = "Brückenwortbefangenheit"
    Recusal.objects.create(proposal=proposal, membership=seat, reason=reason, leaf_id=uuid4())


def test_what_people_wrote_in_german_is_marked_on_every_french_page(client, world, german):
    found, marked = {}, set()
    starts = [
        "/fr/",
        "/fr/my/",
        *(f"/fr{each.get_absolute_url()}" for each in german),
        "/fr/search/?q=Brückenworttitel",
    ]
    for who in ("", "clerk", "member", "outsider", "evaluator", "operator", "administrator"):
        if who:
            client.force_login(getattr(world.cast, who))
        for address, html in crawled(client, *starts):
            page = read(html)
            marked |= page.marked
            for word in page.found:
                found.setdefault(f"{word} {re.sub('[^/]*[0-9][^/]*', '#', address)}", who)
    left = sorted(f"{text} ({who})" for text, who in found.items())
    assert not left, "\n".join(left)
    assert {word.removeprefix("Brückenwort") for word in marked} == SHOWN


def test_who_reported_reads_a_clerks_german_notes_as_german(client, world):
    cast = world.cast
    accounts.set_language(by=cast.administrator, body=cast.body, language="de")
    incident, secret = make_report()
    handling.triage(
        by=cast.clerk,
        incident=incident,
        severity=Severity.INCIDENT,
        category=Category.WRONG_ANSWER,
        harm=Harm.ECONOMIC,
        title="Brückenwortvorfall",
        text="Brückenwortbericht",
        deployments=[world.deployment],
    )
    handling.add_note(by=cast.clerk, incident=incident, text="Brückenwortnotiz")
    page = read(client.get(f"/fr/incidents/follow/{secret}/").content.decode())
    assert not page.found
    assert "Brückenwortnotiz" in page.marked


def test_a_feed_says_the_language_of_a_summary_that_somebody_wrote(client, german):
    feed = client.get("/feeds/proposals.atom").content.decode()
    marked = '<summary type="html" xml:lang="de">Brückenwortzusammenfassung in einem Satz.'
    assert feed.count(marked) == 4
    incidents = client.get("/incidents/feed.atom").content.decode()
    assert '<summary type="html" xml:lang="de">Brückenwortnotiz</summary>' in incidents


def test_a_report_is_set_in_its_language_and_what_was_written_in_its_own(client, world, german):
    decision = Decision.objects.get(proposal__revisions__title__startswith="Brückenwort")
    with override("fr"):
        report = report_of(decision)
        values = json.loads(press_values(report))
    assert (report.language, values["title_language"], values["lede_language"]) == (
        "fr",
        "de",
        "de",
    )
    prose = [
        block["language"]
        for section in values["sections"]
        for block in section["blocks"]
        if block["kind"] == "prose"
    ]
    assert prose == ["de", "de", "de"]
    answer = client.get(f"{decision.get_absolute_url()}report.pdf?language=fr")
    assert answer.content.startswith(b"%PDF")
    # A program reads texts, and whose language they are in the proposal.
    told = client.get(f"{decision.get_absolute_url()}report.json?language=fr").json()
    assert told["title"] == "Brückenworttitel für den Helpdesk"
