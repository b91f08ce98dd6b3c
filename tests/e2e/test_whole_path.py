"""From a draft to a public record in a real browser, with a real worker on a real model."""

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.broker]

MEMBERS = ("chair", "social-affairs", "education", "health", "data-protection")
VOTES = ("For", "For", "For", "For", "Against")
EVALUATION_MS = 240_000


def draft(page: Page) -> str:
    """Draft the proposal and return its reference."""
    page.goto("/proposals/new/")
    page.get_by_role("link", name="Authorise a model for a deployment").click()
    page.get_by_label("Deployment").select_option(label="Helpdesk")
    page.get_by_label("Model version").select_option(label="Small model 1.0")
    page.get_by_label("Title").fill("Authorise the small model for the helpdesk")
    page.get_by_label("Summary").fill("It would answer simple questions.")
    page.get_by_label("Text", exact=True).fill("# Why\n\nIt **counts**. <script>alert(1)</script>")
    page.get_by_role("button", name="Keep the draft").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Authorise the small model for the helpdesk"
    )
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def vote(page: Page, ref: str, choice: str) -> None:
    """Cast a ballot and see its receipt."""
    page.goto(f"/proposals/{ref}/ballot/")
    page.get_by_label(choice, exact=True).check()
    page.get_by_role("button", name="Cast my ballot").first.click()
    expect(page.get_by_role("heading", name="Your ballot is cast")).to_be_visible()
    expect(page.get_by_text("under a signed checkpoint").first).to_be_visible(timeout=15_000)


def test_a_proposal_goes_from_draft_to_public_record(site, browser, sign_in):
    chair, clerk = sign_in("chair"), sign_in("clerk")
    gate = {"subject": site.digest, "deployment": site.deployment}

    ref = draft(chair)
    assert httpx.get(f"{site.url}/proposals/{ref}/").status_code == 404
    chair.locator("summary", has_text="Open the deliberation").click()
    chair.get_by_role("button", name="Yes, open it").click()
    assert chair.evaluate("document.querySelectorAll('main script').length") == 0

    chair.get_by_role("link", name="Add a criterion").first.click()
    chair.get_by_label("What is measured").select_option(index=0)
    chair.get_by_label("Threshold").fill("0.05")
    chair.get_by_role("button", name="Put it on the record").first.click()
    chair.get_by_role("button", name="Evaluate the model now").first.click()
    chair.locator("a[href^='/runs/']").first.click()
    # The page follows the worker by itself, without a reload.
    heading = chair.get_by_role("heading", level=1)
    expect(heading).to_contain_text("was evaluated", timeout=EVALUATION_MS)
    run_ref = chair.url.rstrip("/").rsplit("/", 1)[-1]
    run = httpx.get(f"{site.url}/api/v1/runs/{run_ref}/").json()
    assert run["state"] == "succeeded"
    lines = httpx.get(f"{site.url}/api/v1/runs/{run_ref}/samples.jsonl").text.splitlines()
    assert len(lines) == 8

    comment = sign_in("data-protection")
    comment.goto(f"/proposals/{ref}/")
    comment.get_by_label("Your comment").fill("Who answers what it **cannot**?")
    comment.get_by_role("button", name="Say it in public").first.click()
    expect(comment.locator(".comment strong", has_text="cannot")).to_be_visible()

    clerk.goto(f"/proposals/{ref}/")
    clerk.locator("summary", has_text="Declare the text final").click()
    clerk.get_by_role("button", name="Yes, declare it final").click()
    clerk.locator("summary", has_text="Open the vote").click()
    clerk.get_by_role("button", name="Open the vote").click()
    assert httpx.get(f"{site.url}/api/v1/gate/", params=gate).json()["allowed"] is False
    for who, choice in zip(MEMBERS, VOTES, strict=True):
        vote(sign_in(who), ref, choice)
    clerk.goto(f"/proposals/{ref}/")
    clerk.locator("summary", has_text="Close and count the vote").click()
    clerk.get_by_role("button", name="Yes, close it").click()

    anyone = browser.new_context(base_url=site.url, java_script_enabled=False).new_page()
    anyone.goto(f"/decisions/{ref}/")
    expect(anyone.get_by_text("Carried").first).to_be_visible()
    expect(anyone.get_by_role("row", name="Member for data protection")).to_contain_text("Against")
    answer = httpx.get(f"{site.url}/api/v1/gate/", params=gate).json()
    assert answer["allowed"] is True
    assert answer["authorisation"]["decision"] == ref

    decision_leaf = httpx.get(f"{site.url}/api/v1/decisions/{ref}/").json()
    assert decision_leaf["outcome"] == "carried"
    record = httpx.get(f"{site.url}/log/checkpoint").text.splitlines()
    proof = httpx.get(f"{site.url}/log/proof/{int(record[1]) - 1}").text
    anyone.goto("/record/check/")
    anyone.get_by_label("Your receipt").fill(proof)
    anyone.get_by_role("button", name="Check").first.click()
    expect(anyone.locator("main")).to_contain_text("This receipt holds.")
    anyone.context.close()


def test_the_health_of_all_parts_is_told(site):
    answer = httpx.get(f"{site.url}/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["ledger"]["size"] > 0
