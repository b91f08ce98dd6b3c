"""Bundles of a world that came about through the services are proven, whole and private."""

import hashlib
import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest
from django.db import connection

from evals.choices import Leaf as EvalsLeaf
from evals.choices import Outcome
from oversight.accounts import services as accounts
from oversight.accounts.choices import Leaf as AccountsLeaf
from oversight.incidents.choices import Leaf as IncidentsLeaf
from oversight.incidents.choices import Status as IncidentStatus
from oversight.incidents.services import consequences, erasing, handling
from oversight.ledger import ceremony, queries
from oversight.ledger.sequencer import sequence_once
from oversight.registry.choices import Leaf as RegistryLeaf
from oversight.registry.models import Authorisation
from proposals.choices import Leaf as ProposalsLeaf
from proposals.choices import ProposalType
from proposals.models import Proposal
from proposals.services import casting, closing, discussion, drafting, moderation, stages, voting
from tests import factories, scenes
from tests.audit.conftest import PROGRAM, bundle_of, program, run_verify
from tests.audit.forge import files_of, repacked
from tests.incidents import made
from tests.ledger.tampering import triggers_off

PYTHONS = sorted(
    path
    for path in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(
        "versions/3.*/bin/python"
    )
    if int(path.parts[-3].split(".")[1]) >= 9
)


def proven(result):
    status, report = result
    wrong = [c for c in report["checks"] if c["verdict"] not in {"proven", "note"}]
    assert (status, report["verdict"], wrong) == (0, "proven", [])
    return report


@pytest.fixture
def scopes(world):
    return [
        {},
        {"decision": world.decision.ref},
        {"deployment": world.deployment.slug},
    ]


def test_every_kind_of_bundle_is_proven_from_votes_scores_and_log(world, verify, scopes):
    world.decide(("no", "no", "yes"))
    world.decide(("yes", "no", "abstain"), right=41, threshold="0.60")
    factories.make_decision(world.cast)
    discussion.make_comment(
        by=world.cast.outsider, proposal=factories.make_open_vote(world.cast), text="Why?"
    )
    sequence_once()
    reports = [proven(verify(bundle_of(**scope))) for scope in scopes]
    assert [len({c["section"] for c in r["checks"]}) for r in reports] == [11, 7, 9]
    says = str(reports[0]["checks"])
    for words in (
        "3 yes, 0 no, 0 abstain; outcome carried",
        "1 yes, 2 no, 0 abstain; outcome not carried",
        "at least 3/4 of yes and no (raised",
        "1 opening shows what was committed to",
        "6 results: signed, recomputed from scores",
    ):
        assert words in says


def decide_beside(world, *, passages, right, beside_right):
    """Decide on a version that must not be worse than another by over 0.3."""
    cast = world.cast
    version, other = (factories.make_model_version(cast.evaluator) for _ in range(2))
    suite = factories.make_question_suite(passages=passages)
    run = factories.make_run(cast.evaluator, suite, other)
    factories.finish_run(run, world.worker, right=beside_right)
    proposal = factories.make_deliberated_proposal(
        cast, version=version, deployment=world.deployment
    )
    asked = {"comparison": "not_worse", "beside": other, "threshold": "0.3", "must_pass": False}
    factories.make_criterion(cast, proposal, suite, **asked)
    run = factories.make_run(cast.evaluator, suite, version)
    factories.finish_run(run, world.worker, right=right)
    stages.fix_text(by=cast.clerk, proposal=proposal)
    voting.open_vote(by=cast.clerk, proposal=proposal)
    for member in cast.members:
        casting.cast_ballot(by=member, proposal=proposal, choice="yes")
    decision = closing.close_vote(by=cast.clerk, proposal=Proposal.objects.get(pk=proposal.pk))
    sequence_once()
    return decision


@pytest.mark.parametrize("passages", [0, 5])
@pytest.mark.parametrize(
    ("right", "beside_right", "outcome"), [(18, 15, "met"), (2, 19, "not_met")]
)
def test_a_criterion_beside_another_version_is_judged_anew_from_both_results(
    world, verify, passages, right, beside_right, outcome
):
    decision = decide_beside(world, passages=passages, right=right, beside_right=beside_right)
    (row,) = decision.proposal.contract.content["criteria"]
    assert (row["comparison"], row["outcome"]) == ("not_worse", outcome)
    for scope in ({}, {"decision": decision.ref}):
        report = proven(verify(bundle_of(**scope)))
        assert "judged from its scores" in str(report["checks"])


def test_a_site_that_judges_a_comparison_otherwise_is_caught(world, verify, monkeypatch):
    monkeypatch.setattr("evals.criteria.outcome_beside", lambda *_, **__: Outcome.MET)
    decision = decide_beside(world, passages=0, right=2, beside_right=19)
    status, report = verify(bundle_of(decision=decision.ref))
    assert (status, report["verdict"]) == (1, "contradicted")
    assert "the outcome of questions acc" in str(report["checks"])


@pytest.mark.skipif(not PYTHONS, reason="no other Python on this machine (looked into pyenv)")
@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_it_is_proven_by_every_python_from_3_9_on(packed, verify, python):
    proven(verify(packed(), python=str(python)))


def test_the_same_record_gives_the_same_bytes(world, scopes):
    for scope in scopes:
        assert bundle_of(**scope) == bundle_of(**scope)


def test_a_reader_at_a_terminal_sees_one_verdict_a_line(packed, tmp_path):
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed())
    done = run_verify(path)
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert done.returncode == 0
    assert all(re.match(r"  [✓·] (proven|note)  ", re.sub(r"  +", "  ", x)) for x in lines)
    assert len({line.index(line.split("  ")[-1]) for line in lines if "✓" in line}) >= 1
    assert "PROVEN: all" in done.stdout
    assert "\033" not in done.stdout


def test_the_program_writes_nothing(packed, tmp_path):
    folder = tmp_path / "sealed"
    folder.mkdir()
    path = folder / "bundle.zip"
    path.write_bytes(packed())
    before = path.stat()
    run_verify(path)
    assert [each.name for each in folder.iterdir()] == ["bundle.zip"]
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    source = PROGRAM.read_text()
    imported = set(re.findall(r"^(?:import|from) ([a-z_]+)", source, re.MULTILINE))
    assert not imported & {"socket", "urllib", "http", "ssl", "subprocess", "tempfile", "ctypes"}
    assert set(re.findall(r"\bopen\(([^)]*)\)", source)) <= {
        '__file__, "rb"',
        'options.policy, encoding="utf-8"',
        "info",
    }


def test_the_program_knows_every_kind_of_act_that_the_floors_put_on_the_record():
    """Whoever adds a kind of leaf teaches the verifier what it means, or it proves nothing."""
    written = {
        str(kind)
        for floor in (AccountsLeaf, RegistryLeaf, EvalsLeaf, ProposalsLeaf, IncidentsLeaf)
        for kind in floor
    }
    unwritten = {"proposals.vote.annulled"}  # an annulment is on the record as a move of stage
    assert written - unwritten <= set(program.KINDS)


# -- What may not be in it

CANARIES = {
    "mail": "canary.mail@example.org",
    "name": "Canary Displayname",
    "hidden": "canary hidden comment",
    "draft": "canary draft text",
    "reason": "canary hiding reason",
    "source": "/canary/weights",
    "address": "203.0.113.77",
    "report": "canary report of an incident",
    "reporter": "canary.reporter@example.org",
    "answer": "canary answer to the reporter",
    "attached": "canary attached file",
}


@pytest.fixture
def canaries(world, client):
    """Plant what is not public wherever the system takes it."""
    person = accounts.register_person(
        email=CANARIES["mail"], display_name=CANARIES["name"], password=factories.PASSWORD
    )
    proposal = factories.make_open_vote(world.cast)
    comment = factories.make_comment(person, proposal, CANARIES["hidden"])
    moderation.hide(by=world.cast.clerk, said=comment, reason=CANARIES["reason"])
    factories.make_proposal(world.cast, title=CANARIES["draft"], text=CANARIES["draft"])
    factories.make_model_version(source={"kind": "directory", "path": CANARIES["source"]})
    incident, secret = made.make_report(
        address=CANARIES["address"],
        text=CANARIES["report"],
        email=CANARIES["reporter"],
        files=[("a.txt", CANARIES["attached"].encode())],
    )
    handling.answer_reporter(by=world.cast.clerk, incident=incident, text=CANARIES["answer"])
    client.get(f"/incidents/follow/{secret}/", REMOTE_ADDR=CANARIES["address"])
    made.make_incident(world.cast.clerk)
    client.force_login(person)
    client.get("/", REMOTE_ADDR=CANARIES["address"], HTTP_X_FORWARDED_FOR=CANARIES["address"])
    casting.cast_ballot(by=world.cast.member, proposal=proposal, choice="no")
    sequence_once()
    return proposal


def test_no_bundle_holds_what_the_site_does_not_show(world, canaries, scopes):
    for scope in scopes:
        data = b"\n".join(files_of(bundle_of(**scope)).values())
        found = [name for name, canary in CANARIES.items() if canary.encode() in data]
        assert found == []
        assert re.findall(rb"[\w.]+@example\.org", data) == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT token_digest FROM evals_worker")
            assert not any(digest.encode() in data for (digest,) in cursor.fetchall())


def test_ballots_of_an_open_vote_and_ballots_that_were_replaced_stay_sealed(world, canaries):
    files = files_of(bundle_of())
    assert f"decisions/{canaries.ref}/contract.json" in files
    assert f"decisions/{canaries.ref}/record.json" not in files
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(salt, 'hex') FROM ledger_opening JOIN proposals_ballot USING (leaf_id)"
            " JOIN proposals_rollentry r ON r.id = entry_id JOIN proposals_contract c ON"
            " c.id = r.contract_id JOIN proposals_proposal p ON p.id = c.proposal_id"
            " WHERE p.ref = %s",
            [canaries.ref],
        )
        salts = [salt.encode() for (salt,) in cursor.fetchall()]
    assert len(salts) == 1
    assert not any(salt in data for salt in salts for data in files.values())


def test_what_is_open_draft_withdrawn_or_annulled_is_proven_too(world, verify):
    cast = world.cast
    factories.make_proposal(cast)
    stages.withdraw(
        by=cast.member, proposal=factories.make_deliberated_proposal(cast), reason="No need."
    )
    vote = factories.make_open_vote(cast)
    factories.make_ballot(cast.member, vote)
    stages.annul_vote(by=cast.clerk, proposal=vote, reason="A wrong text.")
    factories.make_open_vote(cast)
    sequence_once()
    report = proven(verify(bundle_of()))
    notes = [c["says"] for c in report["checks"] if c["verdict"] == "note"]
    assert "none is opened: the proposal is annulled" in notes
    assert "none is opened: the proposal is voting" in notes


def test_an_incident_from_report_to_review_is_proven_too(world, verify):
    clerk, deployment = world.cast.clerk, factories.make_deployment()
    decision = factories.make_decision(
        world.cast, deployment=deployment, version=factories.make_model_version()
    )
    incident = made.make_incident(clerk, deployments=[deployment])
    consequences.suspend_at_once(
        by=clerk,
        incident=incident,
        authorisation=Authorisation.objects.get(decision_ref=decision.ref),
        reason="It names debts.",
    )
    consequences.propose_review(by=world.cast.member, incident=incident)
    handling.answer_reporter(by=clerk, incident=incident, text="Thank you.")
    handling.hide_text(by=clerk, incident=incident, reason="A name.")
    handling.move_incident(by=clerk, incident=incident, to=IncidentStatus.CLOSED, reason="Done.")
    erasing.erase_report(incident=incident)
    sequence_once()
    proven(verify(bundle_of()))


# -- One byte at a time

UNREAD = {"README.txt", "verify.py", "manifest.json"}
"""Files that only the manifest vouches for; the manifest vouches for itself by its form."""


def places(data, number):
    """Spread places over the bytes: both ends and evenly between them."""
    step = max(1, (len(data) - 1) // (number - 1))
    return sorted({*range(0, len(data), step), len(data) - 1})


def changed(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


STEPS = int(os.environ.get("OVERSIGHT_BYTE_STEPS", "5"))
"""How many bytes of each file are changed; a very large number changes every byte."""


def test_a_changed_byte_is_refused_by_the_name_of_its_file(packed, verify_here):
    data = packed()
    files = files_of(data)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        starts = {i.filename: i.header_offset + 30 + len(i.filename) for i in file.infolist()}
    for path, content in files.items():
        assert data[starts[path] :].startswith(content)
        for place in places(content, STEPS):
            status, report = verify_here(changed(data, starts[path] + place))
            against = [c["says"] for c in report["checks"] if c["verdict"] == "contradicts"]
            assert status == 1, (path, place)
            assert any(path in says for says in against), (path, place, against)


def test_a_changed_byte_is_refused_even_with_a_manifest_made_anew(world, verify_here):
    factories.make_comment(
        world.cast.member, factories.make_deliberated_proposal(world.cast), "I agree."
    )
    sequence_once()
    files = files_of(bundle_of())
    # A second signature, of a kind the standard library cannot check, is ignored as notes ask for.
    signed = files["checkpoint"].index(b"\n", files["checkpoint"].index(b"\n\n") + 2) + 1
    for path in sorted(set(files) - UNREAD):
        content = files[path][:signed] if path == "checkpoint" else files[path]
        for place in places(content, STEPS):
            forged = files | {path: changed(files[path], place)}
            status, report = verify_here(repacked(forged.items()))
            against = [c["says"] for c in report["checks"] if c["verdict"] == "contradicts"]
            assert status == 1, (path, place, report)
            assert against


def test_the_index_of_a_changed_entry_is_named(packed, verify_here):
    files = files_of(packed())
    path = next(name for name in files if name.startswith("log/tile/entries/"))
    entries = program.split_entries(files[path], path, int(path.rsplit("/", 1)[1]))
    position = sum(len(entry) + 2 for entry in entries[:17]) + 2
    forged = files | {path: changed(files[path], position + 40)}
    _, report = verify_here(repacked(forged.items()))
    (tiles,) = [c for c in report["checks"] if c["check"] == "tiles"]
    assert tiles["verdict"] == "contradicts"
    assert "entry 17 does not give the hash" in tiles["says"]


@pytest.mark.parametrize("what", ["dropped", "doubled", "swapped"])
def test_entries_dropped_doubled_or_swapped_are_refused(packed, verify_here, what):
    files = files_of(packed())
    path = next(name for name in files if name.startswith("log/tile/entries/"))
    entries = program.split_entries(files[path], path, int(path.rsplit("/", 1)[1]))
    other = {
        "dropped": entries[:20] + entries[21:],
        "doubled": entries[:20] + entries[19:-1],
        "swapped": [*entries[:20], entries[21], entries[20], *entries[22:]],
    }[what]
    content = b"".join(len(e).to_bytes(2, "big") + e for e in other)
    status, report = verify_here(repacked((files | {path: content}).items()))
    says = " ".join(c["says"] for c in report["checks"] if c["verdict"] == "contradicts")
    assert status == 1
    assert path in says or "entry 2" in says


# -- Behind the database's back


@pytest.mark.parametrize("careful", [False, True])
def test_a_superusers_update_under_the_triggers_is_named_by_its_index(world, verify, careful):
    """Also one who writes the hash of the new bytes into row and tile: the signed root stays."""
    with triggers_off() as cursor:
        cursor.execute(
            "UPDATE ledger_ledgerentry SET body = convert_to(replace(convert_from(body, 'UTF8'),"
            " '\"v\":1', '\"v\":1 '), 'UTF8') WHERE index = 17 RETURNING body"
        )
        body = bytes(cursor.fetchone()[0])
        if careful:
            digest = hashlib.sha256(b"\x00" + body).digest()
            cursor.execute(
                "UPDATE ledger_ledgerentry SET leaf_hash = %s WHERE index = 17",
                [f"sha256:{digest.hex()}"],
            )
            cursor.execute(
                "UPDATE ledger_tile SET data = overlay(data PLACING %s FROM 545)"
                " WHERE level = 0 AND index = 0",
                [digest],
            )
    status, report = verify(bundle_of())
    says = [c["says"] for c in report["checks"] if c["verdict"] == "contradicts"]
    assert status == 1
    assert any("entry 17" in each for each in says), says
    assert any("the entries give the root" in each for each in says)


# -- Missing material


@pytest.mark.parametrize(
    "path",
    [
        r"checkpoint",
        r"policy",
        r"keys/.*",
        r"log/tile/entries/.*",
        r"bodies/.*",
        r"proposals/.*",
        r"decisions/.*/contract.json",
        r"decisions/.*/record.json",
        r"suites/.*",
        r"runs/.*dsse.json",
        r"runs/.*scores.json",
        r"gate.json",
    ],
)
@pytest.mark.parametrize("kind", ["log", "decision"])
def test_what_is_left_out_is_called_missing_and_never_proven(packed, verify_here, path, kind):
    files = files_of(packed(kind))
    left = {name: data for name, data in files.items() if not re.fullmatch(path, name)}
    assert left.keys() < files.keys()
    about = json.loads(files["manifest.json"])["about"]
    status, report = verify_here(repacked(left.items(), about))
    wrong = [c for c in report["checks"] if c["verdict"] == "contradicts"]
    assert (status, report["verdict"], wrong) == (2, "incomplete", [])


def test_without_tiles_the_entries_suffice(packed, verify_here):
    files = files_of(packed())
    left = {n: d for n, d in files.items() if not re.fullmatch(r"log/tile/\d+/.*", n)}
    assert verify_here(repacked(left.items()))[0] == 0


def test_a_file_that_belongs_to_nothing_is_refused(packed, verify_here):
    files = files_of(packed()) | {"decisions/2026-009/record.json": b"{}"}
    status, report = verify_here(repacked(files.items()))
    assert status == 1
    assert "decisions/2026-009/record.json belongs to no act" in str(report["checks"])


def test_a_bundle_about_a_decision_that_never_was_is_refused(packed, verify_here):
    files = files_of(packed("decision"))
    about = {"kind": "decision", "ref": "2025-007"}
    assert verify_here(repacked(files.items(), about))[0] == 1


# -- The doors


def test_the_bundles_are_served_to_everybody(world, client, verify):
    for address, name in (
        ("/audit/bundle.zip", "oversight-log.zip"),
        (f"/decisions/{world.decision.ref}/bundle.zip", f"oversight-decision-{world.decision.ref}"),
        (
            f"/deployments/{world.deployment.slug}/bundle.zip",
            f"oversight-deployment-{world.deployment.slug}.zip",
        ),
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/zip"
        assert name in answer["Content-Disposition"]
        proven(verify(b"".join(answer.streaming_content)))


def test_the_program_on_the_site_is_the_one_in_the_bundle(world, client):
    assert client.get("/audit/verify.py").content == PROGRAM.read_bytes()
    assert files_of(bundle_of())["verify.py"] == PROGRAM.read_bytes()


@pytest.mark.parametrize(
    "address", ["/decisions/2020-001/bundle.zip", "/deployments/no/bundle.zip"]
)
def test_there_is_no_bundle_about_nothing(world, client, address):
    assert client.get(address).status_code == 404


def test_there_is_no_bundle_about_a_proposal_that_only_its_body_sees(world, client):
    draft = factories.make_proposal(world.cast)
    assert client.get(f"/decisions/{draft.ref}/bundle.zip").status_code == 404


@pytest.mark.django_db
def test_before_the_first_checkpoint_there_is_none(client):
    answer = client.get("/audit/bundle.zip")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_while_an_authorisation_waits_for_its_signature_there_is_none(world, client):
    world.decide()
    assert client.get("/audit/bundle.zip").status_code == 503
    sequence_once()
    assert client.get("/audit/bundle.zip").status_code == 200


# -- Elections and ties, through the services


@pytest.mark.parametrize("method", ["approval", "scottish-stv", "irv", "schulze", "score"])
def test_an_election_held_by_the_services_is_proven(world, verify, method):
    rules = factories.quick_charter()
    rules["election"] = rules["election"] | {"method": method}
    council = scenes.make_council(5, charter=rules)
    names = ["North", "South", "East"]
    proposal = drafting.draft_proposal(
        by=council.proposer,
        body=council.body,
        type=ProposalType.ELECTION,
        title="Where to begin",
        summary="Three places.",
        text="Choose.",
        options=names,
        seats=1,
    )
    stages.open_deliberation(by=council.proposer, proposal=proposal)
    stages.fix_text(by=council.clerk, proposal=proposal)
    voting.open_vote(by=council.clerk, proposal=proposal)
    for number, member in enumerate(council.members):
        order = names[number % 3 :] + names[: number % 3]
        said = {"ranking": order if method != "approval" else sorted(order[:1], key=names.index)}
        if method == "score":
            said = {"scores": {name: 5 - 2 * place for place, name in enumerate(order)}}
        casting.cast_ballot(by=member, proposal=proposal, choice=said)
    closing.close_vote(by=council.clerk, proposal=Proposal.objects.get(pk=proposal.pk))
    sequence_once()
    report = proven(verify(bundle_of(decision=proposal.ref)))
    assert f"{method}, counted anew: elected" in str(report["checks"])


def test_a_tie_that_the_chair_broke_is_proven(world, verify):
    rules = factories.quick_charter()
    rules["general_motion"]["vote"] |= {
        "threshold": "1/2",
        "comparison": "more_than",
        "tie_rule": "chair",
    }
    cast = factories.make_cast(charter=rules)
    vote = factories.make_open_vote(cast)
    for person, choice in zip(cast.members, ("yes", "no", "abstain"), strict=True):
        factories.make_ballot(person, vote, choice)
    assert closing.close_vote(by=cast.clerk, proposal=vote) is None
    sequence_once()
    proven(verify(bundle_of()))
    closing.give_casting_vote(by=cast.chair, proposal=vote, names=["yes"])
    sequence_once()
    report = proven(verify(bundle_of()))
    assert "1 yes, 1 no, 1 abstain; outcome carried" in str(report["checks"])


def test_a_secret_vote_is_neither_opened_nor_called_proven(world, verify):
    rules = factories.quick_charter(secrecy="secret")
    cast = factories.make_cast(charter=rules)
    decision = factories.make_decision(cast)
    sequence_once()
    status, report = verify(bundle_of(decision=decision.ref))
    against = [c for c in report["checks"] if c["verdict"] == "contradicts"]
    assert (status, against) == (2, [])
    assert "the vote is secret" in str(report["checks"])
    record = json.loads(files_of(bundle_of())[f"decisions/{decision.ref}/record.json"])
    assert all(set(ballot) == {"choice", "weight"} for ballot in record["ballots"])


# -- Keys and witnesses


def test_a_log_that_was_handed_to_another_key_is_proven(world, verify, tmp_path):
    kept = tmp_path / "policy"
    kept.write_text(f"log {queries.newest_checkpoint().vkey}\nquorum none\n")
    ceremony.rotate_key()
    factories.make_organisation()
    sequence_once()
    data = bundle_of()
    assert len(files_of(data)["keys/log.vkeys"].splitlines()) == 2
    report = proven(verify(data))
    assert "2 keys since the log began" in str(report["checks"])
    report = proven(verify(data, "--policy", str(kept)))
    assert "a key that the policy's has handed over to" in str(report["checks"])


def test_a_history_of_keys_that_the_log_does_not_tell_is_refused(world, verify):
    ceremony.rotate_key()
    factories.make_organisation()
    sequence_once()
    files = files_of(bundle_of())
    newest = files["keys/log.vkeys"].splitlines(keepends=True)[-1:]
    status, report = verify(repacked((files | {"keys/log.vkeys": b"".join(newest)}).items()))
    assert status == 1
    assert "the history of keys" in str(report["checks"])
