"""Webhooks in a real Chromium: made by keyboard without scripts, and fit for everyone to read."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client

from oversight.webhooks import services
from oversight.webhooks.models import Subscription
from tests import factories
from tests.dashboards.test_in_a_browser import opened
from tests.webhooks.conftest import put_on_record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def session_of(owner, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(owner)
    return {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}


def test_a_webhook_is_made_by_keyboard_without_scripts(live_server, chromium, receiver):
    session = session_of(factories.make_person(), live_server.url)
    with opened(chromium, 320, "dark", scripts=False) as page:
        page.context.add_cookies([session])
        page.goto(f"{live_server.url}/my/webhooks/")
        page.get_by_label("Address").focus()
        page.keyboard.type(receiver.url)
        page.get_by_label("decisions made or annulled").press("Space")
        page.get_by_role("button", name="Make the webhook").press("Enter")
        page.get_by_text("it is shown this once").wait_for()
        assert "whsec_" in page.content()
    assert Subscription.objects.get().types == ["proposals.decision"]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_no_page_of_a_webhook_breaks_a_rule_of_axe_or_scrolls_sideways(
    live_server, chromium, subscribe, receiver, width, scheme
):
    owner = factories.make_person()
    failing = subscribe(owner, note="The newsroom", types=["proposals.decision", "incidents"])
    put_on_record("proposal:2026-001", "proposal:2026-002")
    failing.serve()
    services.ping(subscription=failing.row)
    receiver.status = 500
    put_on_record("proposal:2026-003")
    failing.serve()
    waiting = subscribe(owner, answer=False)
    pages = (
        ("list", "/my/webhooks/"),
        ("failing", failing.row.get_absolute_url()),
        ("waiting", waiting.row.get_absolute_url()),
    )
    session = session_of(owner, live_server.url)
    with opened(chromium, width, scheme) as page:
        page.context.add_cookies([session])
        for name, address in pages:
            page.goto(live_server.url + address)
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found] == [], address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            if folder := os.environ.get("SHOTS"):
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
