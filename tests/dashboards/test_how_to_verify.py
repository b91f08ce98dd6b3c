"""The programs on the page “How to verify” do what the page says, on real files of this site."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import transaction

from oversight.ledger.models import LedgerEntry
from oversight.ledger.sequencer import sequence_once
from oversight.ledger.services import append

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(client, world):
    """Return a function that takes a program from the page by its id."""
    page = client.get("/how-to-verify/").content.decode()

    def take(name):
        return html.unescape(re.search(rf'<code[^>]*id="{name}">(.*?)</code>', page, re.DOTALL)[1])

    return take


def run(program, folder, path=None):
    """Run a program in a folder with a plain Python: no packages unless `path` gives them."""
    done = subprocess.run(
        [sys.executable, *(["-I", "-S"] if path is None else []), "-c", program],
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(path)} if path else {},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.fixture(params=["inner", "last"])
def receipt(request, client, world, tmp_path):
    """Save an act, its receipt and the log's key as the page says.

    The path of the last act goes up the edge of the tree, where the rule is another one; it does
    so at once in a tree of an odd size.
    """
    while LedgerEntry.objects.count() % 2 == 0:
        with transaction.atomic():
            append(type="tests.thing.done", actor="system:tests", subject="thing:1")
        sequence_once()
    index = 7 if request.param == "inner" else LedgerEntry.objects.count() - 1
    (tmp_path / "leaf.json").write_bytes(client.get(f"/record/{index}/leaf.json").content)
    (tmp_path / "receipt.txt").write_bytes(client.get(f"/log/proof/{index}").content)
    (tmp_path / "vkey").write_bytes(client.get("/log/vkey").content)
    return tmp_path


def test_root_py_recomputes_the_signed_root_with_nothing_but_python(program, receipt):
    assert "the act is on the record" in run(program("root-py"), receipt)


def test_root_py_says_so_when_one_byte_of_the_act_differs(program, receipt):
    leaf = receipt / "leaf.json"
    leaf.write_bytes(leaf.read_bytes().replace(b'"v":1', b'"v":2'))
    assert "THE ROOTS DIFFER" in run(program("root-py"), receipt)


def test_signature_py_verifies_the_logs_signature(program, receipt):
    assert "signed the root" in run(program("signature-py"), receipt, path=ROOT)
    key = receipt / "vkey"
    key.write_text("other.example/log" + key.read_text()[key.read_text().index("+") :])
    assert "NOT SIGNED WITH THIS KEY" in run(program("signature-py"), receipt, path=ROOT)


def test_signature_py_refuses_a_forged_signature(program, receipt):
    file = receipt / "receipt.txt"
    lines = file.read_text().splitlines()
    # The log's Ed25519 line; those of other kinds follow it.
    at = next(n for n, line in enumerate(lines) if line.startswith("\u2014 "))
    name, signature = lines[at].rsplit(" ", 1)
    lines[at] = f"{name} {signature[:-6]}AAAA{signature[-2:]}"
    file.write_text("\n".join(lines) + "\n")
    assert "InvalidSignature" in run(program("signature-py"), receipt, path=ROOT)


@pytest.fixture(params=[(), ("-layout",), ("-raw",)], ids=["", "layout", "raw"])
def copied(request, client, world, tmp_path):
    """Save the receipt as it is copied out of a decision's PDF, with what follows it there."""
    if not shutil.which("pdftotext"):
        pytest.skip("needs poppler's pdftotext")
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(client.get(f"{world.decision.get_absolute_url()}report.pdf").content)
    command = ["pdftotext", *request.param, str(pdf), "-"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    text = printed[printed.index("c2sp.org/tlog-proof@v1") :]
    (tmp_path / "receipt.txt").write_text(text, encoding="utf-8")
    index = re.search(r"index (\d+)", text)[1]
    (tmp_path / "leaf.json").write_bytes(client.get(f"/record/{index}/leaf.json").content)
    (tmp_path / "vkey").write_bytes(client.get("/log/vkey").content)
    return tmp_path


def test_both_programs_read_a_receipt_copied_out_of_a_pdf(program, copied):
    text = (copied / "receipt.txt").read_text(encoding="utf-8")
    assert "\n\n\N{EM DASH}" not in text, "the PDF has it as the log gives it"
    assert "the act is on the record" in run(program("root-py"), copied)
    assert "signed the root" in run(program("signature-py"), copied, path=ROOT)
    root = re.search(r"^\s*([A-Za-z0-9+/]{43}=)\s+\N{EM DASH}", text, re.MULTILINE)[1]
    other = root.replace(root[0], "B" if root[0] == "A" else "A", 1)
    forged = text.replace(root, other)
    (copied / "receipt.txt").write_text(forged, encoding="utf-8")
    assert "THE ROOTS DIFFER" in run(program("root-py"), copied)
    assert "InvalidSignature" in run(program("signature-py"), copied, path=ROOT)


@pytest.fixture
def decision(client, world, tmp_path):
    """Save a decision's record and contract as the page says."""
    for name in ("record.json", "contract.json"):
        answer = client.get(f"{world.decision.get_absolute_url()}{name}")
        (tmp_path / name).write_bytes(answer.content)
    return tmp_path


def test_recount_py_counts_a_decision_as_published_without_any_package(program, decision):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + program("recount-py")
    answer = run(code, decision)
    assert answer.splitlines()[-1] == "as published"
    assert "Outcome: carried." in answer


def test_recount_py_says_so_when_a_ballot_was_altered(program, decision):
    file = decision / "record.json"
    file.write_text(file.read_text().replace('"choice":"yes"', '"choice":"no"', 1))
    assert "NOT AS PUBLISHED" in run(program("recount-py"), decision, path=ROOT)


def test_open_ballots_py_gives_the_commitments_that_are_on_the_record(
    client, world, program, decision
):
    lines = run(program("open-ballots-py"), decision).splitlines()
    assert len(lines) == 3
    for line in lines:
        leaf, choice, digest = line.split()
        act = client.get(f"/receipts/{leaf}/", follow=True).context["content"]
        assert choice == "yes"
        assert act["commits"] == {"choice": digest}


def test_every_address_that_the_page_and_the_data_page_link_to_answers(client, world):
    for page in ("/how-to-verify/", "/data/", "/api/docs/"):
        body = client.get(page).content.decode().split("<main")[1]
        for address in set(re.findall(r'href="(/[^"#]*)"', body)) - {"/my/keys/", "/my/webhooks/"}:
            assert client.get(address).status_code == 200, address


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not shutil.which("curl"), reason="the page's commands use curl")
def test_who_follows_the_page_to_the_letter_in_an_empty_folder_ends_with_proof(
    live_server, world, settings, client, tmp_path
):
    """A journalist with a shell, curl and Python: each block is run as it is printed, in order."""
    settings.PUBLIC_URL = live_server.url
    page = client.get("/how-to-verify/").content.decode()
    # "… in a copy of this project's source code"
    (tmp_path / "proposals").symlink_to(ROOT / "proposals")
    said = ""
    for program, block in re.findall(
        r'<code data-copy=[^>]*?(?:id="([a-z-]+)-py")?>(.*?)</code>', page, re.DOTALL
    ):
        if program:
            name = program.replace("-", "_") + ".py"
            (tmp_path / name).write_text(html.unescape(block))
        elif "lm-eval" not in block:  # which fetches gigabytes
            said += shell(html.unescape(block).replace("pip install cryptography", ""), tmp_path)
    assert "PROVEN: all" in said
    assert "the act is on the record" in said
    assert "signed the root" in said
    assert "as published" in said
    assert len(re.findall(r"^\S+ yes sha256:", said, re.MULTILINE)) == 3
    # "Keep the key when you first see it …"
    key = shell(f"curl -s {live_server.url}/log/vkey", tmp_path)
    (tmp_path / "mine").write_text(f"log {key}quorum none\n")
    says = shell("python3 verify.py bundle.zip --policy mine", tmp_path)
    assert "PROVEN: all" in says
    assert "it came with the bundle" not in says


def test_the_source_code_is_linked_where_its_address_is_set(client, world, settings):
    settings.SOURCE_URL = "https://code.example.org/oversight"
    link = 'href="https://code.example.org/oversight"'
    assert client.get("/").content.decode().count(link) == 1
    assert client.get("/how-to-verify/").content.decode().count(link) == 3
    without_a_copy = "Without a copy of the source, <code>verify.py</code> does the same count"
    assert without_a_copy not in client.get("/how-to-verify/").text
    settings.SOURCE_URL = ""
    page = client.get("/how-to-verify/").text
    assert "The source code of this site" not in page
    assert without_a_copy in page


def shell(commands, folder):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-eu", "-c", commands],
        check=False,
        cwd=folder,
        env={"PATH": path, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
