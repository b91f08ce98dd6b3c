"""The ballot of every method in a real Chromium: no barrier, and cast without a pointer."""

import pytest

from proposals.choices import ProposalType
from proposals.models import Ballot
from tests import factories
from tests.dashboards.test_in_a_browser import VIEWS
from tests.proposals.test_in_a_browser import barriers, opened, signed_in, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OPTIONS = ["Ann Arbor", "Ben Berg", "Cäcilie Chur"]
METHODS = ("approval", "plurality", "score", "irv", "scottish-stv", "schulze")


def open_votes():
    """Return members' sessions and open votes, one for each method of motions and elections."""
    found = {}
    for method in ("yes-no", "consent", *METHODS):
        charter = factories.quick_charter()
        kind = ProposalType.ELECTION if method in METHODS else ProposalType.MOTION
        charter[kind.value]["method"] = method
        charter[kind.value]["vote"] |= {"tie_rule": "status_quo"}
        cast = factories.make_cast(charter=charter)
        asked = {"type": kind, "options": OPTIONS, "seats": 1} if method in METHODS else {}
        proposal = factories.make_open_vote(cast, **asked)
        found[method] = signed_in(cast.member), f"{proposal.get_absolute_url()}ballot/"
    return found


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_ballot_of_every_method_is_free_of_barriers(live_server, chromium, width, scheme):
    votes, found = open_votes(), {}
    first = next(iter(votes.values()))[0]
    view = opened(chromium, live_server, first, scripts=True, width=width, scheme=scheme)
    with view as page:
        for method, (session, address) in votes.items():
            cookie = {"name": "sessionid", "value": session, "url": live_server.url}
            page.context.add_cookies([cookie])
            page.goto(address)
            assert page.get_by_role("button", name="Cast my ballot").count() == 1, method
            found[method] = barriers(page)
    assert not {method: what for method, what in found.items() if what}


def test_a_ranking_is_cast_by_keyboard_without_scripts(live_server, chromium, settings):
    settings.RECEIPT_WAIT_SECONDS = 0
    session, address = open_votes()["schulze"]
    with opened(chromium, live_server, session) as page:
        page.goto(address)
        for number, option in ((2, 0), (1, 2)):
            tab_to(page, f"rank-{option}")
            page.keyboard.type(str(number))
        tab_to(page, "Cast my ballot")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your ballot is cast").wait_for()
    assert Ballot.objects.get().content == {"ranking": [OPTIONS[2], OPTIONS[0]]}
