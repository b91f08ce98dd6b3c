"""What of the API does what a page shows or does, page by page; or why nothing does.

An operation is named by its id in the OpenAPI document, a twin by the name of the address where the
page's content stands as a file for programs. Where neither is, one sentence says why.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class By:
    """Operations of the API, all of which together do what the page does."""

    operations: tuple[str, ...]


@dataclass(frozen=True)
class Twin:
    """Addresses that have the page's content as JSON, CSV or another form for programs."""

    names: tuple[str, ...]


Answer = By | Twin | str


def by(*operations: str) -> By:
    return By(operations)


def twin(*names: str) -> Twin:
    return Twin(names)


FORM = "The page is the form for an act; the act itself has its operation."
DRAFT = "A draft is one's unfinished work in the browser; a program sends the finished suite."
FILED = "It explains in prose what stands elsewhere; there is nothing in it to act on."
RECORD = "How the log stands, programs read from the log itself, in its public format under /log/."

READ: dict[str, Answer] = {
    "data": twin("data-catalogue", "whole-list"),
    "dictionary": twin("dictionary-json"),
    "webhooks": by("webhooks_list"),
    "webhook": by("webhooks_retrieve", "webhooks_attempts_list"),
    "incident-report": by("incidents_form"),
    "incident-follow": by("incidents_follow_create"),
    "incident-handle": by("incidents_report"),
    "incident-file": by("incidents_files_retrieve"),
    "home": by("deployments_list", "proposals_list", "runs_list", "incidents_list"),
    "my-work": by("my_votes_list", "my_next_steps_list", "my_notices_list", "proposals_list"),
    "in-service": by("deployments_list"),
    "models": by("models_list"),
    "deployments": by("deployments_list"),
    "model": by("models_retrieve", "versions_retrieve", "versions_lineage_retrieve"),
    "version-changes": by("versions_changes"),
    "deployment": by("deployments_retrieve", "deployments_descriptions_list"),
    "endpoints": by("endpoints_list", "checks_list"),
    "endpoint": by("endpoints_retrieve", "endpoints_availability_list", "checks_list"),
    "incidents": by("incidents_list"),
    "incident-statistics": by("incidents_statistics"),
    "incident": by("incidents_retrieve"),
    "findings": by("runs_list", "suites_list"),
    "overview": by("overview"),
    "task": by("suites_task"),
    "suite": by("suites_retrieve", "suites_history"),
    "suite-version": by("suites_versions_list", "suites_versions_retrieve"),
    "suite-changes": by("suites_changes"),
    "run": by("runs_retrieve"),
    "run-samples": by("runs_samples"),
    "chart": twin("chart-spec", "chart-csv"),
    "chart-embed": twin("chart-spec"),
    "compare": by("compare"),
    "compute": by("compute"),
    "deciding": by("proposals_list", "decisions_list"),
    "decision": by("decisions_retrieve"),
    "decision-report": by("decisions_report"),
    "deployment-registers": by("deployments_register"),
    "deployment-report": by("deployments_report"),
    "body": by("bodies_retrieve", "bodies_members_list", "bodies_charters_list"),
    "participation": by("bodies_participation"),
    "member": by("bodies_participation", "decisions_retrieve"),
    "charter": by("bodies_charters_list"),
    "search": by("search_retrieve"),
    "around-decisions": by("decisions_list"),
    "around-proposals": by("proposals_list"),
    "around-bodies": by("bodies_list"),
    "around-suites": by("suites_list"),
    "around-runs": by("runs_list"),
    "record": by("record_list"),
    "record-status": RECORD,
    "record-check": FORM,
    "record-entry": by("record_retrieve"),
    "receipt": by("receipts_retrieve"),
    "how-to-verify": FILED,
    "accessibility": FILED,
    "design": FILED,
    "charter-adopt": FORM,
    "proposal-create": FORM,
    "proposal": by("proposals_retrieve"),
    "proposal-edit": FORM,
    "proposal-revision": by("proposals_revisions_retrieve"),
    "proposal-amend": FORM,
    "proposal-amendment": by("proposals_amendments_retrieve"),
    "proposal-amendment-edit": FORM,
    "proposal-attach": by("proposals_attachments_list"),
    "proposal-attachment": by("proposals_attachments_retrieve"),
    "proposal-passage": by("proposals_comments_list"),
    "proposal-arguments": by("proposals_arguments_retrieve"),
    "proposal-moderation": by("proposals_moderation_list"),
    "proposal-moderate": FORM,
    "body-moderation": by("bodies_moderation_list"),
    "proposal-statements": by("proposals_statements_list"),
    "proposal-opinions": by("proposals_opinions_retrieve", "proposals_statements_next_retrieve"),
    "proposal-conflict": FORM,
    "delegation": FORM,
    "proposal-criterion": FORM,
    "proposal-end": FORM,
    "proposal-ballot": FORM,
    "proposal-casting-vote": FORM,
    "proposal-sheet": twin("proposal-sheet-json"),
    "count": FORM,
    "minutes-list": by("bodies_minutes_list"),
    "minutes": by("bodies_minutes_retrieve"),
    "minutes-edit": FORM,
    "decision-suspend": FORM,
    "decision-annul": FORM,
    "decision-statement": FORM,
    "drafts": DRAFT,
    "draft": DRAFT,
    "draft-publish": DRAFT,
    "draft-task": DRAFT,
    "draft-shape": DRAFT,
    "checks-plan": by("check_plans_list"),
    "run-start": FORM,
    "endpoint-register": FORM,
    "deployment-register": FORM,
    "describe": by("versions_descriptions_list", "deployments_descriptions_list"),
    "state-descent": by("versions_lineage_retrieve"),
    "first-administrator": "The one-time link makes the first account, before anybody has a key.",
    "notices": by("my_notices_list"),
    "notice-settings": by("my_notices_settings_retrieve"),
    "unsubscribe": "The link in a mail is for who reads it there; programs have the settings.",
    "api-keys": "Keys are seen and made by hand, lest one that leaked make others in its place.",
    "administration": by("bodies_list", "organisations_list"),
    "administration-body": by("bodies_retrieve", "bodies_members_list"),
    "administration-organisation": by("organisations_affiliations_list"),
}
"""Every page, by the name of its address."""

DONE: dict[str, Answer] = {
    "webhooks": by("webhooks_create"),
    "webhook-secret": by("webhooks_secret_create"),
    "webhook-challenge": by("webhooks_challenge_create"),
    "webhook-ping": by("webhooks_ping_create"),
    "webhook-again": by("webhooks_again_create"),
    "webhook-delete": by("webhooks_destroy"),
    "incident-report": by("incidents_create", "incidents_files_create"),
    "incident-follow": by("incidents_add_create", "incidents_files_create"),
    "incident-review": by("incidents_review_create"),
    "incident-act": by(
        "incidents_triage_create",
        "incidents_judgement_create",
        "incidents_state_create",
        "incidents_text_create",
        "incidents_notes_create",
        "incidents_answers_create",
        "incidents_links_create",
        "incidents_moderation_create",
    ),
    "incident-unlink": by("incidents_links_destroy"),
    "incident-suspend": by("incidents_suspension_create"),
    "record-check": by("receipts_create"),
    "charter-adopt": by("bodies_charters_create"),
    "proposal-create": by("proposals_create"),
    "proposal-edit": by("proposals_revisions_create", "proposals_preview_create"),
    "proposal-amend": by("proposals_amendments_create"),
    "proposal-amendment-edit": by("proposals_amendments_revise"),
    "proposal-amendment-act": by("proposals_amendments_act_create"),
    "proposal-attach": by("proposals_attachments_create"),
    "proposal-detach": by("proposals_attachments_remove_create"),
    "proposal-support": by("proposals_support_create"),
    "proposal-comment": by("proposals_comments_create"),
    "proposal-comment-hide": by("proposals_moderation_create"),
    "proposal-passage": by("proposals_comments_create"),
    "proposal-arguments": by("proposals_arguments_create"),
    "proposal-argument-support": by(
        "proposals_arguments_support_create", "proposals_arguments_support_destroy"
    ),
    "proposal-moderate": by("proposals_moderation_create"),
    "proposal-statements": by("proposals_statements_create"),
    "proposal-answer": by("proposals_statements_answer_create"),
    "proposal-conflict": by("proposals_conflict_create"),
    "delegation": by("bodies_delegation_create", "bodies_delegation_destroy"),
    "proposal-criterion": by("proposals_criteria_create"),
    "proposal-evaluate": by("proposals_evaluations_create"),
    "proposal-move": by("proposals_stage_create"),
    "proposal-end": by("proposals_stage_create"),
    "proposal-ballot": by("proposals_ballot_create"),
    "proposal-casting-vote": by("proposals_casting_vote_create"),
    "count": by("count_create"),
    "minutes-list": by("bodies_minutes_create"),
    "minutes-edit": by("bodies_minutes_update"),
    "minutes-move": by("bodies_minutes_stage_create"),
    "alarm-review": by("endpoints_alarm_review_create"),
    "decision-suspend": by("decisions_suspension_create"),
    "decision-annul": by("decisions_annulment_create"),
    "decision-statement": by("decisions_statements_create"),
    "drafts": DRAFT,
    "library-install": DRAFT,
    "draft": DRAFT,
    "draft-upload": DRAFT,
    "draft-stock": DRAFT,
    "draft-publish": by("suite_versions_create", "suite_preview_create"),
    "draft-discard": DRAFT,
    "draft-task": DRAFT,
    "draft-shape": DRAFT,
    "draft-remove": DRAFT,
    "checks-plan": by("check_plans_create"),
    "checks-end": by("check_plans_end_create"),
    "run-start": by("runs_create", "replications_create"),
    "run-cancel": by("runs_cancel_create"),
    "endpoint-register": by("endpoints_create"),
    "deployment-register": by("deployments_create"),
    "describe": by(
        "versions_descriptions_create",
        "deployments_descriptions_create",
        "endpoints_descriptions_create",
    ),
    "state-descent": by("versions_lineage_create"),
    "first-administrator": READ["first-administrator"],
    "notices-read": by("my_notices_read_create"),
    "notice-read": by("my_notices_read_create"),
    "notice-settings": by("my_notices_settings_update"),
    "unsubscribe": by("my_notices_settings_update"),
    "api-keys": READ["api-keys"],
    "api-key-revoke": "Who stops a key that leaked does so by hand: the leaked one must not.",
    "body-found": by("bodies_create"),
    "administration-body": by("bodies_members_create"),
    "body-language": by("bodies_partial_update"),
    "membership-end": by("bodies_members_end_create"),
    "organisation-admit": by("organisations_create"),
    "administration-organisation": by("organisations_affiliations_create"),
    "affiliation-end": by("organisations_affiliations_end_create"),
}
"""Every page's acts, by the name of the address that the page sends them to."""

SORTED = {"dashboards/overview.html": "overview"}
"""Each template whose readers choose an order, and the operation that takes `sort` and `order`."""

APART = {
    "accounts/": "Signing in, passwords and second factors are for people; programs have keys.",
    "admin/": "The framework's own view of the tables, for who runs the installation.",
    "log/": "The log is its own public format for programs.",
    "api/": "The API itself.",
}
"""Addresses that no row is about, by how they begin."""
