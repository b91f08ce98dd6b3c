"""What members and administrators do, in a real Chromium: without scripts, by keyboard, for all."""

from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import sync_playwright

from oversight.accounts import services as accounts
from proposals.models import Amendment, Ballot, Charter, Comment, Proposal
from proposals.services import stages, voting
from proposals.services.moderation import hide
from tests.dashboards.test_in_a_browser import ARGUMENTS, VIEWS, apart
from tests.factories import (
    make_amendment,
    make_argument,
    make_cast,
    make_decision,
    make_deliberated_proposal,
    make_deployment,
    make_minutes,
    make_model_version,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


AMEND = "amend_charter"


def signed_in(person):
    """Return the session of a person as a browser's cookie."""
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


@contextmanager
def opened(chromium, server, session, *, scripts=False, width=1000, scheme="light"):
    """Open the site as somebody; the sequencer is not asked for receipts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(
            base_url=server.url,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield page
        browser.close()


def tab_to(page, words):
    """Press Tab until the focus is on what is called so; fail when a round does not meet it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if not focused.count():
            continue
        is_field = focused.evaluate("e => e.matches('input, select, textarea')")
        called = focused.get_attribute("name") if is_field else focused.inner_text().strip()
        if called == words:
            return
    pytest.fail(f"the keyboard does not reach {words!r}")


def test_without_scripts_and_mouse_one_proposes_comments_and_votes(live_server, chromium, settings):
    settings.RECEIPT_WAIT_SECONDS = 0
    cast = make_cast()
    session = signed_in(cast.member)
    with opened(chromium, live_server, session) as page:
        page.goto("/deciding/")
        tab_to(page, "Draft a proposal")
        page.keyboard.press("Enter")
        tab_to(page, "General motion (no effect on the registry)")
        page.keyboard.press("Enter")
        for name in ("title", "summary", "text"):
            tab_to(page, name)
            page.keyboard.type(f"By keyboard: {name}")
        tab_to(page, "Keep the draft")
        page.keyboard.press("Enter")
        page.wait_for_url("**/proposals/2*/")
        tab_to(page, "Open the deliberation")
        page.keyboard.press("Enter")
        tab_to(page, "Yes, open it")
        page.keyboard.press("Enter")
        page.get_by_text("Nothing stands in the way").wait_for()
        tab_to(page, "text")
        page.keyboard.type("A comment by keyboard.")
        tab_to(page, "Say it in public")
        page.keyboard.press("Enter")
        page.locator(".comment").wait_for()
        proposal = apart(Proposal.objects.with_parts().get)
        apart(lambda: stages.fix_text(by=cast.clerk, proposal=proposal))
        apart(lambda: voting.open_vote(by=cast.clerk, proposal=proposal))
        page.goto("/my/")
        tab_to(page, "Vote")
        page.keyboard.press("Enter")
        tab_to(page, "choice")
        page.keyboard.press("Space")
        tab_to(page, "Cast my ballot")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Your ballot is cast").wait_for()
    assert Comment.objects.get().text == "A comment by keyboard."
    assert Ballot.objects.get().choice == "yes"


def test_without_scripts_an_administrator_gives_a_new_body_its_charter(live_server, chromium):
    administrator = make_cast().administrator
    accounts.found_body(by=administrator, slug="new-council", name="New Council")
    with opened(chromium, live_server, signed_in(administrator)) as page:
        page.goto("/administration/bodies/new-council/")
        page.get_by_role("link", name="Enter its first charter").click()
        page.get_by_label("Threshold", exact=True).first.fill("60 %")
        page.get_by_role("button", name="Read it back in plain words").click()
        page.get_by_text("at least three fifths of the votes for and against.").wait_for()
        page.get_by_role("button", name="Change something").click()
        assert page.get_by_label("Threshold", exact=True).first.input_value() == "60 %"
        page.get_by_role("button", name="Read it back in plain words").click()
        page.get_by_role("button", name="Adopt the charter").click()
        page.wait_for_url("**/bodies/new-council/")
    assert Charter.objects.get(body__slug="new-council").document["authorise_deployment"]["vote"][
        "threshold"
    ] == ("3/5")


def test_without_scripts_and_mouse_one_previews_and_sends_an_amendment(live_server, chromium):
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    with opened(chromium, live_server, signed_in(cast.second_member)) as page:
        page.goto(proposal.get_absolute_url())
        tab_to(page, "Propose an amendment")
        page.keyboard.press("Enter")
        tab_to(page, "text")
        page.keyboard.press("ControlOrMeta+End")
        page.keyboard.type("\nNothing is kept.")
        tab_to(page, "reason")
        page.keyboard.type("Nobody needs it.")
        tab_to(page, "Preview")
        page.keyboard.press("Enter")
        page.locator("#preview ins", has_text="Nothing is kept.").wait_for()
        assert page.locator("textarea[name=reason]").input_value() == "Nobody needs it."
        tab_to(page, "Propose the amendment")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Amendment 1 to").wait_for()
    assert "Nothing is kept." in Amendment.objects.get().text


def test_the_preview_follows_what_is_typed(live_server, chromium):
    cast = make_cast()
    proposal = make_deliberated_proposal(cast)
    session = signed_in(cast.member)
    with opened(chromium, live_server, session, scripts=True) as page:
        page.goto(f"{proposal.get_absolute_url()}edit/")
        page.locator("textarea[name=text]").press_sequentially("**Never.** ")
        page.locator("#preview strong", has_text="Never.").wait_for()
    assert proposal.text.number == 1


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_pages_of_those_who_act_are_free_of_barriers(live_server, chromium, width, scheme):
    cast = make_cast()
    accounts.found_body(by=cast.administrator, slug="new-council", name="New Council")
    make_deployment(cast.operator, cast.organisation)
    proposal = make_deliberated_proposal(cast)
    amendment = make_amendment(cast.second_member, proposal, "20 requests", "30 requests")
    decision = make_decision(cast, deployment=make_deployment(), version=make_model_version())
    visits = [
        (
            cast.administrator,
            (
                "/administration/",
                "/administration/bodies/new-council/",
                "/administration/bodies/new-council/charter/",
            ),
        ),
        (cast.operator, ("/register/endpoint/", "/register/use/")),
        (cast.member, ("/proposals/new/", "/my/", proposal.get_absolute_url())),
        (
            cast.member,
            (f"{proposal.get_absolute_url()}{name}/" for name in ("edit", "amend", "attachments")),
        ),
        (cast.member, (amendment.get_absolute_url(),)),
        (cast.member, [f"/proposals/new/?type={kind}" for kind in ("admit_evaluator", AMEND)]),
        (cast.clerk, [f"{decision.get_absolute_url()}{act}/" for act in ("suspend", "annul")]),
        (cast.chair, [decision.get_absolute_url()]),
        (cast.member, _of_members(decision, proposal)),
        (cast.clerk, _of_clerks(cast, proposal)),
    ]
    visits = [(signed_in(person), tuple(addresses)) for person, addresses in visits]
    found = {}
    for session, addresses in visits:
        view = opened(chromium, live_server, session, scripts=True, width=width, scheme=scheme)
        with view as page:
            for address in addresses:
                page.goto(address)
                found[address] = barriers(page)
                if "/charter/" in address:
                    page.get_by_label("Quorum").first.fill("2")
                    page.get_by_role("button", name="Read it back").click()
                    page.locator(".error-summary:focus").wait_for()
                    found["charter with an error"] = barriers(page)
                    page.get_by_label("Quorum").first.fill("1/2")
                    page.get_by_role("button", name="Read it back").click()
                    page.get_by_role("button", name="Adopt the charter").wait_for()
                    found["charter read back"] = barriers(page)
    assert not {address: what for address, what in found.items() if what}


def _of_members(decision, proposal):
    """Return pages that members use now and then: notices, arguments, a renewal, delegation."""
    make_argument(decision.proposal.proposer, proposal)
    return [
        "/my/notices/",
        "/my/notices/settings/",
        f"{proposal.get_absolute_url()}arguments/",
        f"{proposal.get_absolute_url()}opinions/",
        f"/proposals/new/?type=renew_authorisation&about={decision.ref}",
        f"/bodies/{proposal.body.slug}/delegation/",
    ]


def _of_clerks(cast, proposal):
    """Return pages that clerks use now and then: minutes in every state, moderation."""
    said = make_argument(cast.chair, proposal)
    hide(by=cast.clerk, said=make_argument(cast.chair, proposal), reason="It names a person.")
    adopted, draft = make_minutes(cast, is_adopted=True), make_minutes(cast)
    return [
        f"/bodies/{cast.body.slug}/minutes/",
        adopted.get_absolute_url(),
        draft.get_absolute_url(),
        f"{draft.get_absolute_url()}edit/",
        f"{proposal.get_absolute_url()}moderation/",
        f"{proposal.get_absolute_url()}moderation/argument/{said.pk}/",
    ]


def barriers(page):
    """Return what axe finds on the page, and whether it is wider than the screen."""
    result = Axe().run(page)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [v["id"] for v in result.response["violations"]] + ["too wide"] * wide
