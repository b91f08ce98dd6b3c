"""What becomes of a text is played again from the log, and a forged amendment is seen."""

import json

import pytest
from django.db import transaction

from evals.artefacts import path_of
from oversight.ledger import services as ledger
from oversight.ledger.sequencer import sequence_once
from proposals.choices import ProposalType, Status
from proposals.revisions import write_revision
from proposals.services import (
    amendments,
    attachments,
    closing,
    moderation,
    stages,
    support,
    voting,
)
from tests import factories
from tests.audit.conftest import bundle_of
from tests.audit.forge import files_of, repacked
from tests.audit.test_effects_replayed import proven

TEXT = "The operator must log every request for twelve months.\n\nA person takes over.\n"


@pytest.fixture
def cast(world):
    return world.cast


def decide(cast, proposal, *choices):
    stages.fix_text(by=cast.clerk, proposal=proposal)
    voting.open_vote(by=cast.clerk, proposal=proposal)
    for person, choice in zip(cast.members, choices, strict=True):
        factories.make_ballot(person, proposal, choice)
    return closing.close_vote(by=cast.clerk, proposal=proposal)


def test_amendments_files_and_supporters_are_proven(cast, verify):
    proposal = factories.make_proposal(cast, text=TEXT)
    support.give_support(by=cast.chair, proposal=proposal)
    support.give_support(by=cast.second_member, proposal=proposal)
    support.withdraw_support(by=cast.chair, proposal=proposal)
    letter = attachments.add_attachment(
        by=cast.member, proposal=proposal, name="a.txt", data=b"words"
    )
    attachments.add_attachment(by=cast.member, proposal=proposal, name="b.txt", data=b"others")
    attachments.remove_attachment(by=cast.member, attachment=letter)
    proposal = stages.open_deliberation(by=cast.member, proposal=proposal)
    by_vote, lost, accepted, withdrawn, rejected = (
        factories.make_amendment(cast.second_member, proposal, old, new)
        for old, new in (
            ("twelve", "six"),
            ("every", "each"),
            ("takes over", "answers"),
            ("operator", "office"),
            ("log", "store"),
        )
    )
    amendments.accept_amendment(by=cast.member, amendment=accepted)
    amendments.withdraw_amendment(by=cast.second_member, amendment=withdrawn)
    amendments.reject_amendment(by=cast.member, amendment=rejected, reason="No.")
    carried = amendments.put_to_vote(by=cast.clerk, amendment=by_vote)
    refused = amendments.put_to_vote(by=cast.second_member, amendment=lost)
    decide(cast, carried, "yes", "yes", "no")
    decide(cast, refused, "no", "no", "yes")
    amendments.accept_amendment(by=cast.member, amendment=rejected)
    decide(cast, proposal, "yes", "yes", "yes")
    sequence_once()
    report = proven(verify(bundle_of()))
    assert any("has the amendment" in str(check) for check in report["checks"])


def test_what_was_said_in_a_deliberation_is_opened_but_what_a_clerk_hid(cast, verify):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    factories.make_comment(cast.outsider, proposal, "A comment.")
    factories.make_argument(cast.chair, proposal, text="It costs less.")
    factories.make_statement(cast.chair, proposal, "A person must take over.")
    hidden = factories.make_argument(cast.outsider, proposal, text="It names a person.")
    moderation.hide(by=cast.clerk, said=hidden, reason="It names a person.")
    sequence_once()
    data = bundle_of()
    proven(verify(data))
    opened = [json.loads(line) for line in files_of(data)["openings.jsonl"].splitlines()]
    assert [each["value"] for each in opened] == [
        {"text": "A comment."},
        {"side": "for", "text": "It costs less."},
        {"text": "A person must take over."},
    ]


def test_an_argument_that_the_log_puts_on_the_other_side_is_seen(cast, verify):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    with transaction.atomic():
        committed = ledger.commit_to({"side": "against", "text": "It costs more."})
        leaf = ledger.append(
            type="proposals.argument.made",
            actor=cast.chair.actor,
            subject=proposal.subject,
            commits={"text": committed.digest},
            facts={"side": "for"},
        )
        ledger.keep_opening(leaf, "text", committed)
        proposal.arguments.create(
            author=cast.chair, side="for", text="It costs more.", leaf_id=leaf.id
        )
    sequence_once()
    assert_seen(verify(bundle_of()), "the side of the argument")


def make_attached(cast):
    """Decide on a text with two files beside it, and a third that was taken off."""
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    for name in ("a.txt", "b.txt", "c.txt"):
        kept = attachments.add_attachment(
            by=cast.member, proposal=proposal, name=name, data=f"words of {name}".encode()
        )
    attachments.remove_attachment(by=cast.member, attachment=kept)
    decide(cast, proposal, "yes", "yes", "yes")
    sequence_once()
    return proposal


def files_beside(data):
    return {path: each for path, each in files_of(data).items() if "/files/" in path}


def test_a_decisions_bundle_has_the_files_beside_the_text_with_their_names(cast, verify):
    proposal = make_attached(cast)
    data = bundle_of(decision=proposal.ref)
    found = files_beside(data)
    assert sorted(found.values()) == [b"words of a.txt", b"words of b.txt"]
    report = proven(verify(data))
    says = [each["says"] for each in report["checks"]]
    assert any(each.endswith("; 2 of 2 files are here") for each in says)
    assert any(each.startswith("2 openings show") for each in says)
    assert b'"name":"a.txt"' in files_of(data)["openings.jsonl"]
    assert files_beside(bundle_of()) == {}


def test_a_file_that_was_erased_is_missing_and_the_rest_is_proven(cast, verify):
    proposal = make_attached(cast)
    path_of(proposal.attachments.first().artefact.sha256).unlink()
    report = proven(verify(bundle_of(decision=proposal.ref)))
    assert any("1 of 2 files are here" in each["says"] for each in report["checks"])


def test_another_file_under_a_files_digest_is_seen(cast, verify):
    proposal = make_attached(cast)
    files = files_of(bundle_of(decision=proposal.ref))
    path = next(path for path in files if "/files/" in path)
    files[path] = b"words of somebody else"
    assert_seen(
        verify(repacked(files.items(), {"kind": "decision", "ref": proposal.ref})),
        f"the SHA-256 of {path}",
    )


def test_a_clerk_accepts_in_place_of_a_closed_account_and_that_is_proven(cast, verify):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    amendment = factories.make_amendment(cast.second_member, proposal, "twelve", "six")
    cast.member.is_active = False
    cast.member.save(update_fields=["is_active"])
    amendment.proposal.proposer.refresh_from_db()
    amendments.accept_amendment(by=cast.clerk, amendment=amendment)
    sequence_once()
    proven(verify(bundle_of()))


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("kind", "who", "parts", "words"),
    [
        ("amendment.made", "clerk", {"facts": {"number": 2, "version": 1}}, "has no seat"),
        ("amendment.made", "chair", {"facts": {"number": 7, "version": 1}}, "number of the"),
        ("amendment.revised", "chair", {"facts": {"number": 1, "version": 2}}, "whose amendment"),
        ("amendment.withdrawn", "chair", {"facts": {"number": 1}}, "whose amendment"),
        ("amendment.accepted", "chair", {"facts": {"number": 1}}, "neither the proposer nor"),
        ("amendment.rejected", "member", {"facts": {"number": 9}}, "no such amendment"),
        ("text.revised", "chair", {"facts": {"number": 2, "amendment": 1}}, "neither the"),
        ("text.revised", "member", {"facts": {"number": 2, "amendment": 5}}, "no amendment 5"),
        ("support.given", "outsider", {}, "has no seat"),
        ("attachment.added", "chair", {"digests": {"file": DIGEST}}, "not who attaches"),
        ("attachment.removed", "member", {"digests": {"file": DIGEST}}, "so already"),
    ],
)
def test_an_act_of_somebody_who_may_not_is_seen(cast, verify, kind, who, parts, words):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    factories.make_amendment(cast.second_member, proposal, "twelve", "six")
    digests = {"text": DIGEST} if kind == "text.revised" else {}
    with transaction.atomic():
        ledger.append(
            type=f"proposals.{kind}",
            actor=cast.named(who).actor,
            subject=proposal.subject,
            **{"digests": digests, **parts},
        )
    sequence_once()
    assert_seen(verify(bundle_of()), words)


def test_a_revision_by_a_vote_about_something_else_is_seen(cast, verify):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    factories.make_amendment(cast.second_member, proposal, "twelve", "six")
    other = factories.make_open_vote(cast)
    with transaction.atomic():
        ledger.append(
            type="proposals.text.revised",
            actor=f"decision:{other.ref}",
            subject=proposal.subject,
            digests={"text": DIGEST},
            facts={"number": 2, "amendment": 1},
        )
    sequence_once()
    assert_seen(verify(bundle_of()), "the amendment that the vote was about")


def test_a_deliberation_without_its_seconders_is_seen(cast, verify):
    charter = {"base": 1, "charter": factories.quick_charter(seconders=1)}
    factories.make_decision(cast, type=ProposalType.AMEND_CHARTER, terms=charter)
    draft = factories.make_proposal(cast)
    with transaction.atomic():
        stages.move(stages.lock_proposal(draft), Status.DELIBERATION, by=cast.member.actor)
    sequence_once()
    assert_seen(verify(bundle_of()), "the charter asks for 1")


def test_a_revision_that_is_not_what_its_amendment_makes_it_is_seen(cast, verify):
    proposal = factories.make_deliberated_proposal(cast, text=TEXT)
    amendment = factories.make_amendment(cast.second_member, proposal, "twelve", "six")
    content = {**proposal.text.document, "text": TEXT.replace("twelve", "sixty")}
    with transaction.atomic():
        write_revision(stages.lock_proposal(proposal), cast.member, 2, content, amendment=amendment)
    sequence_once()
    assert_seen(verify(bundle_of()), "the text with the amendment in it")


def assert_seen(result, words):
    status, report = result
    wrong = [each["says"] for each in report["checks"] if each["verdict"] == "contradicts"]
    assert status == 1
    assert any(words in says for says in wrong), wrong
