"""Remarks, arguments and the opinion map in a real Chromium, with scripts and without."""

import pytest

from proposals.models import Anchor, ArgumentSupport, Opinion
from proposals.services import moderation
from proposals.services.discussion import Quoted
from tests import factories
from tests.dashboards.test_in_a_browser import VIEWS
from tests.proposals.opinions.crowds import crowd
from tests.proposals.test_in_a_browser import apart, barriers, opened, signed_in, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def deliberation():
    """Return a cast and a proposal on which everything was said once."""
    cast = factories.make_cast()
    proposal = factories.make_deliberated_proposal(cast)
    for number in range(6):
        factories.make_statement(cast.member, proposal, f"Opinion {number}.")
    return cast, proposal


def test_without_scripts_and_mouse_one_answers_statements_and_supports(live_server, chromium):
    cast, proposal = deliberation()
    made = factories.make_argument(cast.member, proposal, "It costs less.")
    with opened(chromium, live_server, signed_in(cast.outsider)) as page:
        page.goto(f"{proposal.get_absolute_url()}opinions/")
        for number, words in enumerate(("Agree", "Disagree", "Pass"), start=1):
            tab_to(page, words)
            page.keyboard.press("Enter")
            page.get_by_text(f"{number} of 6").first.wait_for()
        page.goto(proposal.get_absolute_url())
        page.get_by_role("button", name="Support “It costs less.”").focus()
        page.keyboard.press("Enter")
        page.get_by_text("1 of 1 supports").wait_for()
    answers = apart(lambda: sorted(Opinion.objects.values_list("answer", flat=True)))
    assert answers == ["agree", "disagree", "pass"]
    assert apart(lambda: ArgumentSupport.objects.get().argument) == made


def test_with_scripts_the_next_statement_takes_the_focus(live_server, chromium):
    cast, proposal = deliberation()
    with opened(chromium, live_server, signed_in(cast.outsider), scripts=True) as page:
        page.goto(f"{proposal.get_absolute_url()}opinions/")
        first = page.locator(".opinion-statement").inner_text()
        page.get_by_role("button", name="Agree", exact=True).click()
        page.locator("#next-title:focus").wait_for()
        assert page.locator(".opinion-statement").inner_text() != first
        assert page.url.endswith("/opinions/")


def test_selected_words_lead_to_a_remark_on_them(live_server, chromium):
    cast, proposal = deliberation()
    with opened(chromium, live_server, signed_in(cast.outsider), scripts=True) as page:
        page.goto(proposal.get_absolute_url())
        page.evaluate(
            """() => {
              const walker = document.createTreeWalker(
                document.querySelector("[data-passages]"), NodeFilter.SHOW_TEXT);
              while (!walker.nextNode().textContent.includes("20 requests"));
              const range = document.createRange(), node = walker.currentNode;
              const start = node.textContent.indexOf("20 requests");
              range.setStart(node, start);
              range.setEnd(node, start + "20 requests".length);
              getSelection().addRange(range);
            }"""
        )
        page.get_by_role("link", name="Remark on the selected words").click()
        page.get_by_label("Your comment").fill("Why twenty?")
        page.get_by_role("button", name="Say it in public").click()
        page.locator(".comment").get_by_text("Why twenty?").wait_for()
    assert apart(Anchor.objects.get).quote == "20 requests"


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_pages_of_a_deliberation_are_free_of_barriers(live_server, chromium, width, scheme):
    cast, proposal = deliberation()
    passage = Quoted(1, "At most 20 requests a minute for each caller.")
    factories.make_comment(cast.outsider, proposal, "Hm.", passage=passage)
    hidden = factories.make_argument(cast.outsider, proposal)
    moderation.hide(by=cast.clerk, said=hidden, reason="Off topic.")
    factories.make_argument(cast.outsider, proposal)
    people = factories.make_opinions(proposal, crowd((14, 9, 6), 6, sure=1.0).rows)
    factories.draw_map(proposal)
    address = proposal.get_absolute_url()
    visits = {
        people[0]: ("", "opinions/", "statements/", "arguments/", "revisions/1/passages/3/"),
        cast.clerk: ("", "statements/", "moderation/", f"moderation/argument/{hidden.pk}/"),
    }
    found = {}
    for session, pages in [(signed_in(person), pages) for person, pages in visits.items()]:
        view = opened(chromium, live_server, session, scripts=True, width=width, scheme=scheme)
        with view as page:
            for each in pages:
                page.goto(address + each)
                found[each] = barriers(page)
    assert not {each: what for each, what in found.items() if what}


def test_a_question_renews_where_the_proposal_stands_and_keeps_the_focus(live_server, chromium):
    cast, proposal = deliberation()
    with opened(chromium, live_server, signed_in(cast.outsider), scripts=True) as page:
        page.goto(proposal.get_absolute_url())
        page.get_by_label("Your comment").fill("Why at night?")
        page.get_by_label("question").first.check()
        page.get_by_role("button", name="Say it in public").click()
        page.locator("#where-it-stands").get_by_text("has not answered").wait_for()
        page.locator(".comment [data-focus]:focus, .comment[data-focus]:focus").wait_for()
        assert page.locator("#where-it-stands").count() == 1
