"""A record written by hand with its bundle and policy, a configuration, and a judge of words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oversight_gate import checks
from oversight_gate.findings import Verdict
from oversight_gate.judging import Answer, CannotTell
from tests.audit.forge import LOG_KEY, Forge, stamp

GOOD, OTHER, NEVER = (f"sha256:{letter * 64}" for letter in "abc")

CONFIG = f"""\
model_list:
  - model_name: alpina-8b
    litellm_params:
      model: openai/alpina-8b
      api_base: https://one.example/v1
      api_key: os.environ/ONE_KEY
    model_info:
      oversight:
        subject: {GOOD}
        deployment: chat-one
  - model_name: alpina-8b
    litellm_params:
      model: openai/alpina-8b-instruct
      api_base: https://two.example/v1
      api_key: os.environ/TWO_KEY
    model_info:
      oversight:
        subject: {GOOD}
        deployment: chat-two
"""


class Words:
    """A judge that allows what it is told to and knows nothing else."""

    name = "what the test says"

    def __init__(self, *allowed, conditions=None, cannot=""):
        self.allowed = set(allowed or [(GOOD, "chat-one"), (GOOD, "chat-two")])
        self.conditions = conditions or {}
        self.cannot = cannot
        self.asked = []

    def ask(self, subject, deployment):
        self.asked.append((subject, deployment))
        if self.cannot:
            raise CannotTell(self.cannot)
        if (subject, deployment) in self.allowed:
            says = "allowed by decision 2026-001"
            return Answer(True, "authorised", says, "2026-001", "", self.conditions, 30.0)
        return Answer(False, "never-decided", "no decision allows these weights there")

    def prepare(self, pairs):
        self.prepared = set(pairs)


@pytest.fixture
def words():
    return Words()


@pytest.fixture
def check(tmp_path, words):
    """Return a function that checks a configuration, given as text; other files are beside it."""

    def run(text, judge=None, *, files=None, use_environment=False, other=Verdict.REFUSED):
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content)
        path = tmp_path / "config.yaml"
        path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
        return checks.litellm(
            path, judge or words, use_environment=use_environment, other_weights=other
        )

    return run


def found(report):
    """Return rule and line of every finding."""
    return [(str(each.rule), each.place.line) for each in report.findings]


class Record(Forge):
    """A log with what the gate needs to know, dated as of now."""

    def __init__(self, age=timedelta(minutes=1)):
        super().__init__()
        self.now = datetime.now(UTC) - age

    def register(self, *versions, deployments=("chat-one", "chat-two")):
        for version in versions:
            self.act(
                "registry.version.registered",
                "person:x",
                f"version:{version}",
                digests={"manifest": version},
                facts={"model": "alpina", "label": "1", "licence": ""},
            )
        for slug in deployments:
            facts = {"endpoint": "one"}
            self.act(
                "registry.deployment.registered", "person:x", f"deployment:{slug}", facts=facts
            )

    def grant(self, version, deployment, ref, *, starts=-1.0, ends=24.0, conditions=""):
        at = datetime.now(UTC)
        self.act(
            "registry.authorisation.granted",
            f"decision:{ref}",
            f"authorisation:{ref}",
            digests={"version": version} | ({"conditions": conditions} if conditions else {}),
            facts={
                "deployment": deployment,
                "starts_at": stamp(at + timedelta(hours=starts)),
                "ends_at": stamp(at + timedelta(hours=ends)) if ends is not None else None,
            },
        )

    def change(self, ref, word, **facts):
        self.act(
            f"registry.authorisation.{word}",
            "decision:x",
            f"authorisation:{ref}",
            digests={"version": GOOD},
            facts={"deployment": "chat-one", "by": "decision:x", **facts},
        )

    def save(self, folder: Path, **more):
        path = folder / "bundle.zip"
        path.write_bytes(self.pack(**more))
        return path


@pytest.fixture
def record():
    made = Record()
    made.register(GOOD, OTHER)
    made.grant(GOOD, "chat-one", "2026-001")
    made.grant(GOOD, "chat-two", "2026-002")
    return made


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy"
    path.write_text(f"log {LOG_KEY.verifier.format()}\nquorum none\n")
    return path


@pytest.fixture
def guide_block():
    """Return a function that reads the first block of a language out of a guide."""
    guides = Path(__file__).resolve().parents[2] / "docs" / "guides"

    def read(name, language):
        return (guides / name).read_text().split(f"```{language}\n", 1)[1].split("```", 1)[0]

    return read
