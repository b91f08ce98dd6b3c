"""The examples on the page of the network API, run as they stand there."""

import html
import json
import os
import re
import subprocess
import sys

import pytest

from oversight.accounts.choices import Scope
from oversight.dashboards.api_examples import EXAMPLES
from proposals.models import Ballot, Proposal
from tests.api.conftest import address

NAMES = {f"{example.name}-{form}" for example in EXAMPLES for form in ("curl", "python")}


@pytest.mark.django_db(transaction=True)
def test_each_program_on_the_page_does_what_it_says(live_server, client, world, tmp_path):
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
    drafts, ballots, said = Proposal.objects.count(), Ballot.objects.count(), {}
    for name, program in programs.items():
        shell = ["sh", "-e"] if name.endswith("curl") else [sys.executable, "-I"]
        done = subprocess.run(
            [*shell, "-c", html.unescape(program)],
            check=False,
            cwd=tmp_path,
            env=environment,
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
    assert json.loads(said["gate-curl"])
    assert Proposal.objects.count() == drafts + 2
    # The second changed the first.
    assert Ballot.objects.count() == ballots + 1
    assert json.loads(said["ballot-curl"])["receipt_at"]
    assert said["feed-python"].strip()
