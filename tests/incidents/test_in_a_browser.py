"""Incidents in a real Chromium: reported and handled by keyboard, narrow, and without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client

from oversight.incidents.models import Incident
from tests.dashboards.test_in_a_browser import opened
from tests.factories import make_cast, make_deployment
from tests.incidents.made import make_incident, make_report

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def forms_are_taken_at_once(monkeypatch):
    monkeypatch.setattr("oversight.incidents.form_token.YOUNGEST_SECONDS", 0)


def test_a_report_is_sent_and_followed_by_keyboard_without_scripts(live_server, chromium):
    make_cast()
    with opened(chromium, 320, "dark", scripts=False) as page:
        page.goto(f"{live_server.url}/incidents/report/")
        page.get_by_label("What happened?").focus()
        page.keyboard.type("It named a person.")
        page.keyboard.press("Tab")
        page.keyboard.type("Personal")
        # What only programs see is not among what the keyboard reaches.
        for _ in range(5):
            page.keyboard.press("Tab")
        page.get_by_label("E-mail").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Send the report"
        page.keyboard.press("Enter")
        page.wait_for_url("**/incidents/follow/**")
        assert "Your report waits to be looked at." in page.content()
        page.get_by_label("What do you add?").fill("It was Monday.")
        page.get_by_role("button", name="Send it").press("Enter")
        page.get_by_role("listitem").filter(has_text="It was Monday.").wait_for()
    assert Incident.objects.get().messages.count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_no_page_of_an_incident_breaks_a_rule_of_axe_or_scrolls_sideways(
    live_server, chromium, width, scheme
):
    cast = make_cast()
    incident = make_incident(cast.clerk, deployments=[make_deployment()])
    raw, secret = make_report()
    client = Client()
    client.force_login(cast.clerk)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    with opened(chromium, width, scheme) as page:
        page.context.add_cookies([cookie | {"url": live_server.url}])
        for address in (
            "/incidents/report/",
            f"/incidents/follow/{secret}/",
            f"/incidents/{incident.ref}/handle/",
            f"/incidents/{raw.ref}/handle/",
        ):
            page.goto(live_server.url + address)
            for details in page.query_selector_all("main details"):
                details.evaluate("each => each.open = true")
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found] == [], address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
