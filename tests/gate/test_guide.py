"""The guides are true: their files are judged as they say, and LiteLLM reads what we read."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from oversight_gate.__main__ import _parser
from oversight_gate.admission import DEPLOYMENT, WEIGHTS, review
from oversight_gate.findings import RULES
from oversight_gate.litellm_file import open_proxy
from tests.gate.conftest import GOOD, NEVER, Words, found

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "guides"
LITELLM = ROOT / "var" / "litellm" / "bin" / "python"


def blocks(name, language):
    text = (GUIDES / name).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


BEFORE, AFTER, HOOK, WORKFLOW = blocks("gate-a-litellm-proxy.md", "yaml")


def test_the_file_as_it_was_is_refused_for_each_thing_that_the_guide_names(check):
    report = check(BEFORE)
    assert report.status == 1
    assert found(report) == [
        ("models-from-elsewhere", 28),
        ("names-no-weights", 2),
        ("names-no-weights", 7),
        ("names-no-weights", 12),
        ("wildcard", 17),
        ("leads-to-refused", 23),
        ("leads-to-refused", 23),
        ("leads-to-refused", 24),
    ]


def test_the_file_that_claims_what_was_decided_is_allowed(check):
    report = check(AFTER, Words((GOOD, "chat-one"), (GOOD, "chat-two")))
    assert (report.status, report.findings) == (0, [])


INCLUDED = {
    "main.yaml": "include: [more.yaml]\nmodel_list:\n- model_name: a\n"
    "  litellm_params: &p {model: openai/a, api_key: k}\n"
    "router_settings: {fallbacks: [{a: [b]}]}\n",
    "more.yaml": "model_list:\n- model_name: b\n"
    "  litellm_params: {<<: {api_key: k}, model: openai/b}\n"
    "  model_info: {oversight: {subject: x, deployment: y}}\n"
    "router_settings: {fallbacks: [{b: [a]}], model_group_alias: {c: a}}\n",
}


@pytest.mark.parametrize("case", ["before", "after", "included"])
def test_litellm_itself_makes_the_same_of_a_file(tmp_path, case):
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: bash .ci/fetch-litellm")
    files = {"before": {"main.yaml": BEFORE}, "after": {"main.yaml": AFTER}}.get(case, INCLUDED)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    proxy = open_proxy(tmp_path / "main.yaml")
    theirs = as_litellm_reads(tmp_path / "main.yaml")
    aliases = {route.source: route.target for route in proxy.routes if route.is_alias}
    assert theirs["aliases"] == aliases
    assert set(theirs["names"]) == {*proxy.names(), *aliases}
    assert [each for each in theirs["entries"] if each[0] not in aliases] == [
        [
            entry.name,
            entry.model,
            {"subject": entry.subject, "deployment": entry.deployment} if entry.subject else {},
        ]
        for entry in proxy.entries
    ]
    assert theirs["sections"] == sorted(proxy.sections)
    assert [
        (source, target)
        for each in theirs["fallbacks"] or []
        for source, targets in each.items()
        for target in targets
    ] == [(route.source, route.target) for route in proxy.routes if not route.is_alias]


def as_litellm_reads(path):
    keys = dict.fromkeys(("ONE_KEY", "TWO_KEY", "THREE_KEY", "MASTER_KEY"), "x")
    done = subprocess.run(
        [LITELLM, "-W", "ignore", Path(__file__).with_name("with_litellm.py"), path],
        env=os.environ | keys | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_guide_names_every_finding_about_a_configuration():
    text = (GUIDES / "gate-a-litellm-proxy.md").read_text()
    table = text.split("| finding | is |")[1].split("\n\n")[0]
    elsewhere = {"changed-files", "not-judged"}
    assert set(re.findall(r"`([a-z-]+)`", table.replace("`--other-weights note`", ""))) >= (
        {str(rule) for rule in RULES} - elsewhere
    )


def commands():
    for name in ("gate-a-litellm-proxy.md", "gate-other-programs.md"):
        text = (GUIDES / name).read_text()
        line = r"(?:^|- run: |/bin/)oversight-gate (.+?)(?: \\)?$"
        yield from re.findall(line, text, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_of_the_guides_is_one(command):
    _parser().parse_args(shlex.split(command.replace("…", "x")))


def test_there_are_commands_in_the_guides():
    assert len(set(commands())) >= 4


def test_the_hook_of_the_guide_is_the_one_that_the_project_offers():
    (offered,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (used,) = yaml.safe_load(HOOK)["repos"][0]["hooks"]
    assert used["id"] == offered["id"]
    arguments = shlex.split(offered["entry"])[1:] + used["args"]
    options = _parser().parse_args([*arguments, "config.yaml"])
    assert options.files == [Path("config.yaml")]
    (folder,) = offered["additional_dependencies"]
    assert (ROOT / folder / "pyproject.toml").is_file()


def test_the_workflow_of_the_guide_installs_and_runs_the_program():
    steps = yaml.safe_load(WORKFLOW)["jobs"]["gate"]["steps"]
    assert "subdirectory=oversight_gate" in steps[1]["run"]
    assert steps[2]["run"].endswith("--format github")


class TestKubernetes:
    WORKLOAD, WEBHOOK, SERVER = (
        yaml.safe_load(each) for each in blocks("gate-other-programs.md", "yaml")
    )

    def asked(self, weights):
        thing = json.loads(json.dumps(self.WORKLOAD).replace("sha256:\\u2026", weights))
        body = {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {"uid": "x", "operation": "CREATE", "object": thing},
        }
        return review(json.dumps(body).encode(), Words())["response"]

    def test_the_workload_of_the_guide_is_asked_about(self):
        notes = self.WORKLOAD["spec"]["template"]["metadata"]["annotations"]
        assert set(notes) == {WEIGHTS, DEPLOYMENT}
        assert self.asked(GOOD)["allowed"] is True
        assert self.asked(NEVER)["allowed"] is False

    def test_the_webhook_fails_closed_and_reaches_the_server(self):
        (hook,) = self.WEBHOOK["webhooks"]
        assert hook["failurePolicy"] == "Fail"
        assert hook["clientConfig"]["service"]["path"] == "/admit"
        (container,) = self.SERVER["spec"]["template"]["spec"]["containers"]
        options = _parser().parse_args(container["args"])
        assert options.port == container["ports"][0]["containerPort"]
        assert options.certificate

    def test_the_first_container_reads_the_files(self):
        (first,) = self.WORKLOAD["spec"]["template"]["spec"]["initContainers"]
        options = _parser().parse_args(first["args"])
        assert str(options.folder) == first["volumeMounts"][0]["mountPath"] + "/alpina-8b"
