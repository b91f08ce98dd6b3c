"""The examples on the page of the network API, run as they stand there."""

import html
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext

import pytest
from django.db import connection

from oversight.accounts.choices import Scope
from oversight.dashboards.api_examples import EXAMPLES
from oversight.ledger.sequencer import sequence_once
from oversight.web.pagination import Pages
from oversight.webhooks import signing
from proposals.models import Ballot, Proposal
from tests.api.conftest import address

NAMES = {f"{example.name}-{form}" for example in EXAMPLES for form in ("curl", "python")}


@pytest.mark.django_db(transaction=True)
def test_each_program_on_the_page_does_what_it_says(
    live_server, client, world, tmp_path, monkeypatch
):
    monkeypatch.setattr(Pages, "page_size", 1)
    page = client.get(address("api-docs")).content.decode()
    programs = dict(re.findall(r'<code[^>]*id="example-([a-z-]+)">(.*?)</code>', page, re.DOTALL))
    assert programs.keys() == NAMES
    environment = {
        "PATH": os.environ["PATH"],
        "SITE": live_server.url,
        "KEY": world.key("member", *Scope.values),
        "USE": world.deployment.slug,
        "DIGEST": world.version.digest,
        "RUN": world.run.ref,
        "BODY": world.cast.body.slug,
        "PROPOSAL": world.voting.ref,
    }
    environment |= on_the_record(world) | a_webhooks_message(tmp_path)
    evaluator = {"KEY": world.key("evaluator", *Scope.values)}
    drafts, ballots, said = Proposal.objects.count(), Ballot.objects.count(), {}
    for name, program in programs.items():
        shell = ["sh", "-e"] if name.endswith("curl") else [sys.executable, "-I"]
        own = evaluator if name.startswith("evaluate") else {}
        with a_worker(world) if own else nullcontext():
            done = subprocess.run(
                [*shell, "-c", html.unescape(program)],
                check=False,
                cwd=tmp_path,
                env=environment | own,
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert done.returncode == 0, (name, done.stdout, done.stderr)
        said[name] = done.stdout
        if name.startswith("samples"):
            lines = (tmp_path / "samples.jsonl").read_text().splitlines()
            assert all(json.loads(line) for line in lines)
            assert lines
            (tmp_path / "samples.jsonl").unlink()
    assert world.deployment.slug in said["uses-curl"]
    assert world.deployment.slug in said["uses-python"]
    for ref in (world.decision.ref, world.elected.ref):
        assert ref in said["pages-curl"]
        assert ref in said["pages-python"]
    assert json.loads(said["gate-curl"])
    assert Proposal.objects.count() == drafts + 2
    # The second changed the first.
    assert Ballot.objects.count() == ballots + 1
    assert json.loads(said["ballot-curl"])["receipt_at"]
    assert said["feed-python"].strip()
    assert json.loads(said["evaluate-curl"])["state"] == "succeeded"
    assert "succeeded" in said["evaluate-python"]
    assert "facts acc all" in said["evaluate-python"]
    assert "Signature Verified Successfully" in said["receipt-curl"]
    assert "The act with index" in said["receipt-python"]
    assert said["webhook-curl"] == said["webhook-python"] == "Whoever sent it has the secret.\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["propose", "ballot", "evaluate"])
def test_a_refusal_says_why(live_server, world, tmp_path, name):
    (example,) = (each for each in EXAMPLES if each.name == name)
    names = dict.fromkeys(("BODY", "PROPOSAL", "SUITE", "DIGEST", "USE"), "unknown")
    environment = names | {"PATH": os.environ["PATH"], "SITE": live_server.url, "KEY": "ovk_wrong"}
    for shell, program in ((["sh"], example.curl), ([sys.executable, "-I"], example.python)):
        done = subprocess.run(
            [*shell, "-c", program],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert '"status":401' in (done.stdout + done.stderr).replace(" ", ""), (name, done)


@pytest.mark.parametrize("name", ["webhook-curl", "webhook-python"])
def test_a_message_that_was_changed_on_its_way_is_not_trusted(tmp_path, name):
    environment = a_webhooks_message(tmp_path) | {"PATH": os.environ["PATH"]}
    (example,) = (each for each in EXAMPLES if each.name == "webhook")
    shell = ["sh", "-e"] if name.endswith("curl") else [sys.executable, "-I"]
    program = example.curl if name.endswith("curl") else example.python

    def run():
        done = subprocess.run(
            [*shell, "-c", program],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode

    assert run() == 0
    (tmp_path / "message.json").write_bytes(b'{"type": "proposals.decision.annulled"}')
    assert run() == 1


def on_the_record(world) -> dict[str, str]:
    """Have the log sign what happened; return what the programs are about."""
    while sequence_once():
        pass
    return {"SUITE": world.suite.suite.slug, "INDEX": "3"}


def a_webhooks_message(folder) -> dict[str, str]:
    """Put a signed message into a folder; return its headers and the secret."""
    seed, sent_at, body = signing.new_seed(), int(time.time()), b'{"type": "webhook.ping"}'
    (folder / "message.json").write_bytes(body)
    return {
        "SECRET": signing.secret_of(seed),
        "WEBHOOK_ID": "whk_1_7",
        "WEBHOOK_TIMESTAMP": str(sent_at),
        "WEBHOOK_SIGNATURE": signing.signatures(
            [signing.new_seed(), seed], "whk_1_7", sent_at, body
        ),
    }


@contextmanager
def a_worker(world):
    """Have a worker evaluate whatever waits, and whatever is asked for meanwhile."""
    is_over = threading.Event()

    def work() -> None:
        try:
            while not is_over.wait(0.05):
                while task_run := world.machine.claim():
                    world.machine.finish(task_run, 70)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    is_over.set()
    thread.join()
