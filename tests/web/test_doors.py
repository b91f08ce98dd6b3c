"""Every named page has its row here: public by name, private by default."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = {
    *("body-feed", "body-calendar", "vote-calendar", "minutes-list", "minutes", "minutes-document"),
    *(
        "home",
        "healthz",
        "robots",
        "favicon",
        "in-service",
        "model",
        "deployment",
        "findings",
        "suite",
    ),
    *(
        "suite-version",
        "run",
        "run-samples",
        "statement-type",
        "gate-statement-type",
        "deciding",
        "decision",
    ),
    *("decision-record", "decision-contract", "body", "record", "record-check", "record-entry"),
    *("record-leaf", "receipt", "how-to-verify", "data", "accessibility", "design"),
    *("api-schema", "api-docs", "proposal", "proposal-revision", "first-administrator"),
    *("proposal-amendment", "proposal-attachment", "charter"),
    *("proposal-passage", "proposal-arguments", "proposal-moderation", "body-moderation"),
    *("proposal-statements", "proposal-opinions", "opinions-map", "opinions-input"),
    *("opinions-input-csv",),
    *("budgets-csv", "compute-by-csv", "count", "search", "site-feed"),
    *("models", "deployments", "endpoint", "endpoints", "version-changes", "version-changes-json"),
    *("decision-report", "decision-report-pdf", "decision-report-json", "register"),
    *("deployment-report", "deployment-report-pdf", "deployment-report-json"),
    *("deployment-registers", "deployment-register-json", "member", "members-csv"),
    *("participation", "participation-json", "participation-csv"),
    *("dictionary", "dictionary-json", "whole-list", "incidents-parquet", "members-parquet"),
    *("incident-statistics-parquet", "participation-parquet", "compare-parquet"),
    *("compute-parquet", "compute-by-parquet", "budgets-parquet", "suite-history-parquet"),
    *("data-catalogue", "newest-snapshot", "snapshot"),
    *("run-results-parquet", "model-card", "version-card"),
    *("compare", "compare-json", "compare-csv", "compute", "compute-json", "compute-csv"),
    *("suite-history", "suite-history-csv", "suite-changes", "run-results-csv"),
    *("overview", "overview-json", "overview-csv", "overview-parquet"),
    *("task", "task-json", "task-csv", "task-parquet"),
    *("chart", "chart-embed", "chart-spec", "chart-csv", "chart-parquet"),
    *("chart-svg", "chart-png"),
    *("around-decisions", "around-proposals", "around-bodies", "around-suites", "around-runs"),
    *("proposal-sheet", "proposal-sheet-json", "record-status", "ledger:vkeys"),
    *("log-bundle", "decision-bundle", "deployment-bundle", "verifier"),
    *("ledger:checkpoint", "ledger:tile", "ledger:vkey", "ledger:proof", "ledger:timestamp"),
    *("unsubscribe", "decision-ballots-blt"),
    *("incidents", "incidents-json", "incidents-csv", "incidents-oecd", "incidents-feed"),
    *("incident", "incident-oecd", "incident-statistics", "incident-statistics-json"),
    *("incident-statistics-csv", "incident-report", "incident-follow"),
}
PRIVATE = {
    *("describe", "state-descent", "checks-plan", "checks-end"),
    *("incident-handle", "incident-act", "incident-unlink", "incident-suspend"),
    *("incident-review", "incident-file"),
    *("minutes-edit", "minutes-move"),
    *("notices", "notices-read", "notice-read", "notice-settings"),
    *("my-work", "api-keys", "api-key-revoke", "run-start", "run-cancel"),
    *("webhooks", "webhook", "webhook-secret", "webhook-challenge", "webhook-ping"),
    *("webhook-again", "webhook-delete"),
    *("proposal-create", "proposal-edit", "proposal-comment", "proposal-comment-hide"),
    *("alarm-review", "decision-suspend", "decision-annul", "decision-statement"),
    *("proposal-amend", "proposal-amendment-edit", "proposal-amendment-act"),
    *("proposal-attach", "proposal-detach", "proposal-support"),
    *("proposal-argument-support", "proposal-moderate", "proposal-answer"),
    *("proposal-criterion", "proposal-evaluate", "proposal-move", "proposal-end"),
    *("delegation", "proposal-conflict", "proposal-casting-vote", "library-install"),
    *("draft", "drafts", "draft-discard", "draft-publish", "draft-remove", "draft-shape"),
    *("draft-stock", "draft-task", "draft-upload"),
    *("proposal-ballot", "charter-adopt", "endpoint-register", "deployment-register"),
}
ADMINISTRATORS = {
    *("administration", "body-found", "administration-body", "membership-end"),
    "body-language",
    *("organisation-admit", "administration-organisation", "affiliation-end"),
}
SIGNING_IN = {
    # allauth's pages on the way in and out; what is one's own among them asks for the sign-in.
    *("account_login", "account_logout", "account_signup", "account_inactive"),
    *("account_email_verification_sent", "account_confirm_email", "account_reset_password"),
    *("account_reset_password_done", "account_reset_password_from_key"),
    *("account_reset_password_from_key_done", "account_confirm_login_code"),
    *("mfa_authenticate", "mfa_login_webauthn"),
}
ONES_OWN = {
    *("account_change_password", "account_set_password", "account_email"),
    *("account_reauthenticate", "mfa_index", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn"),
    *("mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn"),
}


def pages(resolver: URLResolver | None = None, prefix: str = "", space: str = "") -> Iterator:
    """Yield name, address pattern and view of every page; not of the API nor of Django's admin."""
    for part in (resolver or get_resolver()).url_patterns:
        route = prefix + str(part.pattern)
        if isinstance(part, URLPattern):
            if not route.startswith("api/v1/"):
                yield f"{space}{part.name}", route, part.callback
        elif part.namespace != "admin":
            yield from pages(part, route, f"{part.namespace}:" if part.namespace else space)


def example(route: str) -> str:
    """Return an address that fits a pattern."""
    values = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000000"}
    filled = re.sub(r"<(?:(\w+):)?\w+>", lambda found: values.get(found[1] or "", "x"), route)
    filled = re.sub(r"\(\?P<\w+>[^)]*\)", "x", filled)
    return "/" + re.sub(r"[\^$]|\\Z", "", filled)


def test_every_page_has_its_row():
    named = {name for name, _, _ in pages()}
    rows = [PUBLIC, PRIVATE, ADMINISTRATORS, SIGNING_IN, ONES_OWN]
    assert named == set().union(*rows)
    assert sum(map(len, rows)) == len(set().union(*rows))


def test_only_what_is_public_by_name_does_without_a_sign_in():
    open_to_all = {name for name, _, view in pages() if not getattr(view, "login_required", True)}
    assert open_to_all == PUBLIC | SIGNING_IN


@pytest.mark.django_db
def test_a_visitor_is_led_to_the_sign_in_from_every_private_page(client):
    tried = 0
    for name, route, _ in pages():
        if name in PRIVATE | ADMINISTRATORS | ONES_OWN:
            for method in (client.get, client.post):
                answer = method(example(route))
                assert answer.status_code == 302, (name, answer.status_code)
                assert answer["Location"].startswith("/accounts/login/?next="), name
            tried += 1
    assert tried == len(PRIVATE | ADMINISTRATORS | ONES_OWN)


@pytest.mark.django_db
def test_djangos_admin_opens_for_nobody_without_a_sign_in(client):
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "login" in answer["Location"]
