"""What was made from what: stated once, without circles, drawn and listed."""

import threading

import pytest
from django.db import connection
from django.urls import reverse

from oversight.ledger.models import PendingLeaf
from oversight.registry import licences
from oversight.registry.documents import digest_of
from oversight.registry.lineage import drawing, edges_around
from oversight.registry.models import Descent
from oversight.registry.services import register_version, state_descent
from oversight.web.refusals import Conflict, Invalid, NotAllowed
from tests.factories import make_cast, make_manifest, make_model_version

DATA = {"content": "Letters of the town.", "licence": "CC-BY-4.0"}


@pytest.fixture
def cast(db):
    return make_cast()


def versions(cast, count):
    return [make_model_version(cast.evaluator) for _ in range(count)]


def state(cast, child, parent, kind="quantisation", **fields):
    return state_descent(by=cast.evaluator, version=child, parent=parent, kind=kind, **fields)


def test_a_statement_is_on_the_record_with_the_digest_of_the_data(cast):
    base, tuned = versions(cast, 2)
    edge = state(cast, tuned, base, "post_training", data=DATA)
    leaf = PendingLeaf.objects.get(pk=edge.leaf_id).content
    assert leaf["type"] == "registry.descent.stated"
    assert leaf["subject"] == tuned.subject
    assert leaf["digests"] == {"parent": base.digest, "data": digest_of(DATA)}
    assert leaf["facts"] == {"kind": "post_training"}


def test_no_version_is_its_own_ancestor(cast):
    one, two, three = versions(cast, 3)
    state(cast, two, one)
    state(cast, three, two)
    for child, parent in ((one, three), (one, two), (one, one)):
        with pytest.raises(Conflict, match="was itself made from"):
            state(cast, child, parent)
    assert Descent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_statements_at_once_close_no_circle():
    cast = make_cast()
    one, two = versions(cast, 2)
    outcomes, ready = [], threading.Barrier(2)

    def try_it(child, parent):
        ready.wait()
        try:
            outcomes.append(state(cast, child, parent))
        except Conflict:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([edge for edge in outcomes if edge]) == 1 == Descent.objects.count()


def test_it_is_stated_once(cast):
    base, tuned = versions(cast, 2)
    state(cast, tuned, base)
    with pytest.raises(Conflict, match="on the record already"):
        state(cast, tuned, base, "base")


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("cousin", {}, "kind"),
        ("post_training", {}, "content"),
        ("adapter", {"licence": "MIT"}, "content"),
        ("base", {"colour": "red"}, "document"),
        ("base", {"address": "ftp://x"}, "address"),
    ],
)
def test_what_cannot_be_used_is_named(cast, kind, data, field):
    base, tuned = versions(cast, 2)
    with pytest.raises(Invalid) as refusal:
        state(cast, tuned, base, kind, data=data)
    assert set(refusal.value.fields) == {field}


def test_only_who_registered_a_version_states_its_lineage(cast):
    base, tuned = versions(cast, 2)
    with pytest.raises(NotAllowed):
        state_descent(by=cast.member, version=tuned, parent=base, kind="base")


def test_the_graph_is_read_up_and_down_in_two_questions(cast, django_assert_num_queries):
    one, two, three, aside = versions(cast, 4)
    state(cast, two, one)
    state(cast, three, two)
    state(cast, aside, one)
    with django_assert_num_queries(2):
        found = {(edge.child, edge.parent) for edge in edges_around([two])}
    assert found == {(two, one), (three, two)}


def test_a_drawing_puts_what_was_made_right_of_what_it_was_made_from(cast):
    one, two, three = versions(cast, 3)
    edges = [state(cast, three, one, "merge"), state(cast, three, two, "merge")]
    edges.append(state(cast, two, one))
    drawn = drawing(edges, [two])
    column = {box.version: box.x for box in drawn.boxes}
    assert column[one] < column[two] < column[three]
    assert [box.version for box in drawn.boxes if box.is_own] == [two]
    assert drawing([], [two]) is None


# -- Pages


def test_the_models_page_draws_and_lists_it(client, cast):
    base, tuned = versions(cast, 2)
    state(cast, tuned, base, "post_training", data=DATA)
    for version in (base, tuned):
        page = client.get(version.model.get_absolute_url()).content.decode()
        assert "post-trained from" in page
        assert "Letters of the town." in page
        assert page.count("lineage-line") == 1


def test_lineage_is_stated_on_a_page(client, cast):
    base, tuned = versions(cast, 2)
    path = reverse("state-descent", args=[tuned.digest])
    client.force_login(cast.evaluator)
    refused = client.post(path, {"parent": base.pk, "kind": "adapter", "licence": "MIT"})
    assert refused.status_code == 422
    assert "Say what it was trained on" in refused.content.decode()
    sent = {"parent": base.pk, "kind": "adapter", "content": "Letters.", "languages": "de fr"}
    assert client.post(path, sent).status_code == 302
    assert Descent.objects.get().data == {"content": "Letters.", "languages": ["de", "fr"]}


@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", 302), ("outsider", 403), ("member", 403), ("operator", 403)]
)
def test_the_page_opens_for_nobody_else(client, cast, who, status):
    (version,) = versions(cast, 1)
    if who != "anonymous":
        client.force_login(getattr(cast, who))
    assert client.get(reverse("state-descent", args=[version.digest])).status_code == status
    assert client.get("/register/lineage/x/").status_code in {302, 404}


# -- Licences


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("", ""),
        (" apache-2.0 ", "Apache-2.0"),
        ("mit or CC-BY-4.0", "MIT OR CC-BY-4.0"),
        ("LicenseRef-llama3.1", "LicenseRef-llama3.1"),
    ],
)
def test_a_licence_has_the_spelling_of_spdx(written, spelt):
    assert licences.read(written) == spelt


@pytest.mark.parametrize("written", ["llama3", "free", "MIT OR", "((", "MIT\x00", "MIT " * 60])
def test_what_spdx_does_not_know_is_refused_with_the_way_out(cast, written):
    with pytest.raises(Invalid, match="LicenseRef-"):
        register_version(
            by=cast.evaluator,
            model_slug="x",
            label="1",
            manifest=make_manifest("x"),
            licence=written,
        )


def test_an_expression_names_its_licences():
    assert licences.identifiers("(MIT OR Apache-2.0) AND MIT") == ["MIT", "Apache-2.0"]
