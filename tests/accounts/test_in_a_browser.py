"""Signing up, and in by every means, in a real Chromium that holds a passkey of its own."""

import base64
import hashlib
import hmac
import re
import struct
import time
from contextlib import contextmanager

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from playwright.sync_api import sync_playwright

from oversight.accounts.models import Person
from oversight.accounts.services import register_person
from tests.dashboards.test_in_a_browser import ARGUMENTS
from tests.proposals.test_in_a_browser import apart

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "seven quiet herons"
EMAIL = "nora@example.org"


@contextmanager
def a_visitor(chromium, server):
    """Open the site as somebody whom it does not know."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_context(base_url=server.url).new_page()
        page.set_default_timeout(10_000)
        refused = []
        page.on(
            "console",
            lambda said: refused.append(said.text) if "Content Security" in said.text else 0,
        )
        yield page
        browser.close()
        assert not refused, "the pages keep to their own security policy"


def sign_in(page, password=PASSWORD):
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirmed(page, path):
    """Go to a page that asks for the password once more."""
    page.goto(path)
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url(f"**{path}")


def sign_out(page):
    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")


def code_of(secret, at):
    """Return the six digits that an app shows at a time (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(at) // 30), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def test_one_signs_up_confirms_the_address_and_only_then_gets_in(live_server, chromium):
    with a_visitor(chromium, live_server) as page:
        page.goto("/my/")
        page.wait_for_url("**/accounts/login/**")
        page.get_by_role("link", name="Make one").click()
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Name shown to others").fill("Nora")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password (again)").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        page.wait_for_url("**/confirm-email/")
        page.goto("/my/")
        page.wait_for_url("**/accounts/login/**")
        (message,) = mail.outbox
        page.goto(re.search(r"/accounts/confirm-email/\S+", message.body)[0])
        page.get_by_role("main").get_by_role("button").first.click()
        sign_in(page)
        page.wait_for_url("**/my/")
    assert apart(lambda: str(Person.objects.get(email=EMAIL))) == "Nora"


def test_a_second_factor_is_asked_for_once_it_is_there(live_server, chromium):
    register_person(email=EMAIL, display_name="Nora", password=PASSWORD)
    with a_visitor(chromium, live_server) as page:
        sign_in(page)
        page.wait_for_url("**/my/")
        confirmed(page, "/accounts/2fa/totp/activate/")
        secret = page.locator("code[data-copy]").get_attribute("data-copy")
        page.locator("input[name=code]").fill(code_of(secret, time.time()))
        page.get_by_role("button", name="Turn it on").click()
        page.wait_for_url("**/recovery-codes/**")
        spare = page.get_by_label("Unused codes").input_value().split()[0]
        sign_out(page)
        sign_in(page)
        page.wait_for_url("**/2fa/authenticate/")
        page.goto("/my/")
        assert not page.url.endswith("/my/"), "the password alone lets nobody in"
        page.goto("/accounts/2fa/authenticate/")
        page.locator("input[name=code]").fill("000000")
        page.locator("input[name=code]").press("Enter")
        page.locator("[aria-invalid=true]").first.wait_for()
        page.locator("input[name=code]").fill(spare)
        page.locator("input[name=code]").press("Enter")
        page.wait_for_url("**/my/")


def test_a_passkey_signs_in_without_a_password(live_server, chromium):
    register_person(email=EMAIL, display_name="Nora", password=PASSWORD)
    with a_visitor(chromium, live_server) as page:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        key = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
        sign_in(page)
        page.wait_for_url("**/my/")
        confirmed(page, "/accounts/2fa/webauthn/add/")
        page.get_by_label("Name").fill("Nora's laptop")
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add the key").click()
        page.wait_for_url(lambda url: "/add/" not in url)
        page.goto("/accounts/2fa/webauthn/")
        page.get_by_text("passkey: signs in without a password").wait_for()
        sign_out(page)
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/my/")
    kinds = apart(lambda: set(Authenticator.objects.values_list("type", flat=True)))
    assert Authenticator.Type.WEBAUTHN in kinds


def test_nothing_stands_between_the_fields_of_the_sign_in(live_server, chromium):
    register_person(email=EMAIL, display_name="Nora", password=PASSWORD)
    with a_visitor(chromium, live_server) as page:
        page.goto("/accounts/login/")
        page.get_by_label("Email").focus()
        page.keyboard.type(EMAIL)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
