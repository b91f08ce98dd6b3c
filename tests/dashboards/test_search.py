"""Search: everything public is found, and nothing else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oversight.dashboards.search import PAGE, search
from oversight.dashboards.search_kinds import INCIDENT_WORDS, KINDS, REVISION_WORDS
from oversight.dashboards.search_query import SNIPPET, Query, plain, snippet
from oversight.incidents.services import handling
from proposals.services import drafting, moderation, statements
from tests import factories
from tests.incidents import made


def found(text, kind=""):
    return [(row.kind, row.title) for row in search(text, kind).rows]


# -- What is sought --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("Help desk", "help:* & desk:*"),
        ("  Zürich   Straße ", "zurich:* & strasse:*"),
        ("mmlu-pro acc_norm", "mmlu:* & pro:* & acc:* & norm:*"),
        ("!!! ' :* <-> & | ( ) \\", ""),
        ("a\x00b", "a:* & b:*"),
        ("да 日本語", "да:* & 日本語:*"),
    ],
)
def test_anything_typed_becomes_words_and_nothing_else(typed, asked):
    assert Query.of(typed).tsquery == asked


def test_a_search_has_so_many_words_and_characters_and_no_more():
    query = Query.of(" ".join(f"word{n}" for n in range(1_000)))
    assert len(query.words) == 12
    assert len(query.text) <= 200


def test_a_snippet_stands_round_the_first_word_and_marks_each():
    text = f"{'Lead. ' * 100}The Bürgerbüro answers; no other bureau does. {'Tail. ' * 100}"
    pieces = snippet(text, Query.of("burger does"))
    assert [words for words, is_sought in pieces if is_sought] == ["Bürgerbüro", "does"]
    whole = "".join(words for words, _ in pieces)
    assert whole.startswith("… ")
    assert whole.endswith(" …")
    assert len(whole) <= SNIPPET + 4
    assert whole.strip("… ") in text


@pytest.mark.parametrize("text", ["", "ß", "ﬀ ﬃ", "\u0301" * 9, "a" * 5_000, "İstanbul ŉ"])
def test_a_snippet_of_any_text_is_made_of_it(text):
    pieces = snippet(text, Query.of("a f i s"))
    assert "".join(words for words, _ in pieces).strip("… ") in " ".join(text.split())


def test_letters_lose_accents_and_keep_their_number_of_words():
    assert plain("Ärger, ça & naïve STRASSE") == "arger, ca & naive strasse"


# -- Incidents -------------------------------------------------------------------------------


def published(world):
    return made.make_incident(world.cast.clerk, title="The quokka answered", text="It did.")


def test_an_incident_is_found_by_its_public_words_and_its_reference_alone(world):
    waiting, _ = made.make_report(text="A quokka wrote to me, says Ada Canary.")
    assert found("quokka") == found(waiting.ref) == []
    incident = published(world)
    assert found("quokka") == [("incident", "The quokka answered")]
    assert found(incident.ref.lower())[0][0] == "incident"
    assert found("Canary") == []


def test_an_incident_that_was_hidden_is_not_found(world):
    incident = published(world)
    handling.hide_text(by=world.cast.clerk, incident=incident, reason="A name.")
    assert found("quokka") == found(incident.ref) == []
    handling.restore_text(by=world.cast.clerk, incident=incident, reason="No name.")
    assert len(found("quokka")) == 1


# -- What is found ---------------------------------------------------------------------------


def test_everything_public_is_found_by_its_words(world):
    cast, decision = world.cast, world.decision
    proposal = factories.make_deliberated_proposal(cast, title="A quokka for the zoo")
    factories.make_comment(cast.member, proposal, "I have seen a quokka.")
    factories.make_argument(cast.member, proposal, "A quokka smiles.")
    factories.make_statement(cast.member, proposal, "Each town needs a quokka.")
    statements.make_statement(
        by=cast.clerk, decision=decision, kind="reasons", text="Because of the quokka."
    )
    kinds = {kind for kind, _ in found("QUOKK")}
    assert kinds == {"proposal", "comment", "argument", "opinion", "statement"}
    assert found("quokka")[0] == ("proposal", "A quokka for the zoo")
    assert found("quokka", "comment") == [("comment", f"Comment on {proposal.ref}")]
    for text, kind in (
        (world.version.model.name, "model"),
        (world.deployment.name, "deployment"),
        (world.suite.suite.title, "suite"),
        (cast.body.name, "body"),
    ):
        assert kind in {each for each, _ in found(text)}, text


def test_a_reference_or_a_digest_finds_what_it_names_first(world):
    assert found(world.decision.ref)[0][0] == "proposal"
    assert found(world.run.ref)[0] == ("run", world.run.ref)
    assert found(world.version.digest)[0][0] == "version"
    assert found(world.version.digest.removeprefix("sha256:").upper())[0][0] == "version"


def test_a_name_is_found_when_it_is_nearly_so(world):
    world.version.model.name = "Apertus"
    world.version.model.save()
    assert ("model", "Apertus") in found("apertsu")
    assert ("model", "Apertus") not in found("quokka")


def test_accents_do_not_matter_on_either_side(world):
    factories.make_deliberated_proposal(world.cast, title="Straßenverkehrsämter am Zürichsee")
    for typed in ("strassenverkehr", "Straßenverkehrsämter", "zurich", "ZÜRICH"):
        assert ("proposal", "Straßenverkehrsämter am Zürichsee") in found(typed), typed


def test_only_the_newest_text_is_searched(world):
    proposal = factories.make_proposal(world.cast, title="The quokka stays")
    proposal = factories.make_deliberated_proposal(world.cast, title="Something with quokkas")
    drafting.revise_text(
        by=proposal.proposer, proposal=proposal, title="Something else", summary="It is.",
        text="No animal.", base_number=1,
    )  # fmt: skip
    assert found("quokka") == []


def test_drafts_and_what_is_hidden_are_not_found_by_anybody(client, world):
    factories.make_proposal(world.cast, title="A secret quokka")
    proposal = factories.make_deliberated_proposal(world.cast)
    comment = factories.make_comment(world.cast.member, proposal, "A rude quokka.")
    argument = factories.make_argument(world.cast.member, proposal, "A false quokka.")
    moderation.hide(by=world.cast.clerk, said=argument, reason="It insults.")
    moderation.hide(by=world.cast.clerk, said=comment, reason="It insults.")
    client.force_login(world.cast.member)
    assert "quokka" not in client.get("/search/?q=quokk").content.decode().replace(
        'value="quokk"', ""
    )
    assert found("quokka") == []


# -- The page and the API --------------------------------------------------------------------


HOSTILE = (
    "'; DROP TABLE proposals_proposal; --",
    "<script>alert(1)</script>",
    "\x00\x01",
    "%' OR 1=1",
    "a" * 10_000,
    "the:*&!|()<->",
    "\u202e\u0660\U0001f600",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_typed_gets_a_page(client, world, text):
    answer = client.get("/search/", {"q": text})
    assert answer.status_code in {200, 400}
    assert b"<script>alert" not in answer.content
    assert client.get("/api/v1/search/", {"q": text}).status_code in {200, 400}


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "٣", "2"])
def test_a_page_that_is_not_there_says_so_and_breaks_nothing(client, world, page):
    assert client.get("/search/", {"q": "council", "page": page}).status_code == 200


def test_findings_come_in_pages_without_gaps_or_repeats(world):
    for number in range(PAGE + 5):
        factories.make_deliberated_proposal(world.cast, title=f"Quokka number {number}")
    first, second = search("quokka"), search("quokka", page=2)
    assert (first.total, first.pages, len(first.rows), len(second.rows)) == (25, 2, 20, 5)
    keys = {row.key for row in (*first.rows, *second.rows)}
    assert len(keys) == 25


def test_the_api_answers_with_the_same_findings(client, world):
    answer = client.get("/api/v1/search/", {"q": world.deployment.name}).json()
    shown = search(world.deployment.name)
    assert [row["title"] for row in answer["results"]] == [row.title for row in shown.rows]
    assert answer["counts"] == {kind.key: number for kind, number in shown.counts}
    assert all(row["address"].startswith("http") for row in answer["results"])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "q"),
        ({"q": " "}, "q"),
        ({"q": "a" * 201}, "q"),
        ({"q": "a", "kind": "person"}, "kind"),
        ({"q": "a", "page": "0"}, "page"),
        ({"q": "a", "page": "51"}, "page"),
    ],
)
def test_the_api_says_which_parameter_cannot_be_used(client, db, asked, field):
    answer = client.get("/api/v1/search/", asked)
    assert answer.status_code == 400
    assert field in str(answer.json()["errors"])


@pytest.mark.parametrize(
    "words", ["turnout", "Participation", "delegations", "taux de participation", "Wahlbeteiligung"]
)
def test_a_bodys_figures_are_found_by_what_they_are_about(client, world, words):
    body = world.cast.body
    page = client.get("/search/", {"q": words}).content.decode()
    assert f'href="{reverse("participation", args=[body.slug])}"' in page
    of_it = search(f"{words} {body.name}", "participation")
    assert [row.key for row in of_it.rows] == [body.pk]
    assert search(body.name, "participation").rows == ()


def test_a_search_costs_few_queries_whatever_it_finds(world):
    factories.make_deliberated_proposal(world.cast, title="Quokka")
    with CaptureQueriesContext(connection) as before:
        search("quokka")
    for number in range(PAGE):
        factories.make_deliberated_proposal(world.cast, title=f"Quokka {number}")
    with CaptureQueriesContext(connection) as after:
        search("quokka")
    assert len(after) <= len(KINDS) + 2
    assert len(after) <= len(before) + 1


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("search_revision", "proposals_revision r", REVISION_WORDS),
        ("search_comment", "proposals_comment t", "oversight_words(t.text)"),
        ("search_argument", "proposals_argument t", "oversight_words(t.text)"),
        ("search_opinion", "proposals_opinionstatement t", "oversight_words(t.text)"),
        ("search_incident", "incidents_incident t", INCIDENT_WORDS),
    ],
)
def test_texts_that_grow_have_an_index_of_the_very_words_that_are_sought(db, name, table, words):
    assert any(words in kind.sql and table in kind.sql for kind in KINDS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT 1 FROM {table} WHERE {words} @@ to_tsquery('simple', 'a')")
        plan = "\n".join(line for (line,) in cursor)
    assert name in plan
