"""Hundreds of amendments of one text: page by page, named and counted, at the same cost."""

import re
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from proposals.models import Amendment, AmendmentVersion
from tests.api.test_pages import rows, walk
from tests.factories import make_amendment, make_cast, make_comment, make_deliberated_proposal

pytestmark = pytest.mark.django_db

WORDS = 400
TEXT = " ".join(f"word{number:03}" for number in range(WORDS))
"""One paragraph, so that all amendments are to the same passage."""


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def proposal(cast):
    return make_deliberated_proposal(cast, text=TEXT)


def add_amendments(cast, proposal, number, *, word=None):
    """Add amendments of a word each, or all of one word, like the first by the service."""
    first = proposal.amendments.count()
    if not first:
        make_amendment(cast.second_member, proposal, "word000", "none")
        first = 1
    model, version = (
        proposal.amendments.get(number=1),
        AmendmentVersion.objects.get(amendment__number=1),
    )
    for each in range(first, number):
        place = TEXT.index(f"word{each if word is None else word:03}")
        edits = [{"start": place, "end": place + 7, "text": f"w{each}"}]
        model.pk, model.number, model.edits, model.leaf_id = None, each + 1, edits, uuid4()
        model.save(force_insert=True)
        version.pk, version.amendment, version.leaf_id = None, model, uuid4()
        version.digest = f"sha256:{each:064}"
        version.save(force_insert=True)


def listed(client, proposal, query=""):
    """Return the page, and the numbers of the amendments that it lists."""
    answer = client.get(proposal.get_absolute_url() + query)
    assert answer.status_code == 200
    page = " ".join(answer.content.decode().split())
    return page, [int(number) for number in re.findall(r'id="amendment-(\d+)"', page)]


def test_three_hundred_amendments_are_listed_page_by_page_each_once(client, cast, proposal):
    add_amendments(cast, proposal, 300)
    page, first = listed(client, proposal)
    assert first == list(range(1, 21))
    assert "300 amendments" in page
    assert 'href="?amendments=2#amendments"' in page
    for number, last in ((2, 40), (15, 300)):
        assert listed(client, proposal, f"?amendments={number}")[1] == list(
            range(last - 19, last + 1)
        )
    for nonsense in ("nothing", "-1", "9" * 30):
        assert listed(client, proposal, f"?amendments={nonsense}")[1]


def test_the_discussion_and_the_amendments_are_paged_beside_each_other(client, cast, proposal):
    add_amendments(cast, proposal, 50)
    for number in range(65):
        make_comment(cast.outsider, proposal, f"Remark {number}.")
    page, _ = listed(client, proposal, "?amendments=2&page=2")
    for link in (
        "?page=2&amp;amendments=3#amendments",
        "?page=2&amp;amendments=1#amendments",
        "?amendments=2&amp;page=1#discussion",
        "?amendments=2&amp;page=3#discussion",
    ):
        assert f'href="{link}"' in page


def test_what_is_said_of_them_elsewhere_is_named_and_the_rest_counted(client, cast, proposal):
    add_amendments(cast, proposal, 300)
    client.force_login(cast.member)
    page, _ = listed(client, proposal)
    assert page.count('<details class="text-note">') == 20
    assert "280 more changes to this passage are asked for" in page
    waits = page.partition("Accept or reject ")[2].partition(": the text cannot")[0]
    assert waits.count("/amendments/") == 5
    assert '<a href="#amendments">and 295 more</a>' in waits
    assert page.count("is open: the proposer has to accept or reject it.") == 5
    assert "And 295 more amendments are not settled." in page


def test_conflicts_are_named_and_the_rest_counted_and_a_page_of_its_own_has_them_all(
    client, cast, proposal
):
    add_amendments(cast, proposal, 40, word=0)
    page, _ = listed(client, proposal)
    row = page.partition('id="amendment-2"')[2].partition("</li>")[0]
    said = row.partition("About the same words as")[2].partition("</p>")[0]
    assert said.count("/amendments/") == 10 + 1
    own = reverse("proposal-amendment", args=[proposal.ref, 2])
    assert f'<a href="{own}">and 29 more</a>' in said
    answer = client.get(own).content.decode()
    numbers = set(range(1, 41)) - {2}
    assert all(f"/proposals/{proposal.ref}/amendments/{n}/" in answer for n in numbers)


def test_an_amendment_of_a_later_page_is_in_its_place_in_the_text(client, cast, proposal):
    add_amendments(cast, proposal, 30)
    Amendment.objects.filter(number__lt=25).update(status="withdrawn")
    page, first = listed(client, proposal)
    assert 30 not in first
    text = page.partition('id="the-text"')[2].partition("</section>")[0]
    assert f"Amendment 30 by {cast.second_member}" in text
    assert page.count('<details class="text-note">') == 6


def test_the_api_lists_them_page_by_page_with_what_each_conflicts_with(client, cast, proposal):
    add_amendments(cast, proposal, 120)
    path = reverse("api-amendments", args=[proposal.ref])
    pages = walk(client, f"{settings.PUBLIC_URL}{path}")
    assert [len(page["results"]) for page in pages] == [50, 50, 20]
    found = rows(pages)
    assert [row["number"] for row in found] == list(range(1, 121))
    # Changes of neighbouring words conflict, on two pages of the list, too.
    assert [row["conflicts"] for row in found[48:51]] == [[48, 50], [49, 51], [50, 52]]
    assert found[70]["digest"] == f"sha256:{70:064}"
    assert client.get(f"{path}71/").json() == found[70]


def test_a_page_costs_the_same_with_six_and_with_three_hundred(client, cast, proposal):
    api = reverse("api-amendments", args=[proposal.ref]) + "?page_size=5"

    def cost(person, path):
        client.force_login(person)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries), sum(len(each["sql"]) for each in queries)

    def costs():
        paths = [
            (person, path)
            for person in (cast.member, cast.outsider)
            for path in (
                proposal.get_absolute_url(),
                api,
                f"{proposal.get_absolute_url()}amendments/2/",
            )
        ]
        for each in paths:
            cost(*each)
        return [cost(*each)[0] for each in paths]

    add_amendments(cast, proposal, 6)
    few = costs()
    add_amendments(cast, proposal, 300)
    assert costs() == few
