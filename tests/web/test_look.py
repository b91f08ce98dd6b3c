"""What holds for every template and for the colours: the content policy, contrast, licences."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A mail is no page: no policy is sent with it, and it has to bring its style along.
TEMPLATES = sorted({*(ROOT / "templates").rglob("*.html")} - {*(ROOT / "templates/mail").iterdir()})
CSS = (ROOT / "static/css/oversight.css").read_text()
VENDOR = ROOT / "static/vendor"

TEXT_ON_GROUND = [
    (text, ground)
    for ground in ("paper", "card", "sunk")
    for text in ("ink", "muted", "accent", "good", "bad", "wait")
]
ON_TINT = [(tone, f"{tone}-soft") for tone in ("accent", "good", "bad", "wait")]
PAIRS = [
    *TEXT_ON_GROUND,
    *ON_TINT,
    *(("ink", f"{tone}-soft") for tone in ("accent", "good", "bad", "wait", "neutral")),
    ("muted", "neutral-soft"),
    ("muted", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]


def blocks() -> list[dict[str, str]]:
    """Return the colour tokens as they stand: light, dark by the system, dark by choice."""
    found = re.findall(r"\n\s*:root[^{]*\{([^}]*--paper[^}]*)\}", CSS.split("@media print")[0])
    return [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block)) for block in found]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_dark_is_the_same_by_the_system_and_by_choice() -> None:
    light, by_system, by_choice = blocks()
    assert by_system == by_choice
    assert set(by_system) <= set(light)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(theme: int, text: str, ground: str) -> None:
    tokens = blocks()[theme]
    assert contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_field_stands_out_from_its_ground(theme: int) -> None:
    tokens = blocks()[theme]
    assert contrast(tokens["field-rule"], tokens["card"]) >= 3
    assert contrast(tokens["field-rule"], tokens["paper"]) >= 3


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_part_with_a_form_is_given_the_token_that_its_form_needs(path: Path) -> None:
    """`only` keeps the token out, too: the form would be refused whoever sends it."""
    for part, given in re.findall(
        r"{% include \"([^\"]+)\"((?:(?!%}).)*)\bonly %}", path.read_text()
    ):
        if "{% csrf_token %}" in (ROOT / "templates" / part).read_text():
            assert "csrf_token=csrf_token" in given, part


UNDONE = {
    *("notices-read", "address", "proposal-support", "proposal-argument-support"),
    *("proposal-answer", "incident-unlink", "account_email", "account_logout"),
}
"""Forms of one button that another press undoes, by their address: read, given, answered."""
DRAFTED = {"drafts", "correct", "alarm-review", "incident-review", "proposal-evaluate"}
"""What they make is thrown away or cancelled."""
SENT = {"record-check", "webhook-ping", "webhook-challenge", "webhook-again", "mfa_login_webauthn"}
"""They change nothing that lasts."""
PAGES = {
    "components/_confirm.html",
    "components/_form.html",
    "account/email_confirm.html",
    "accounts/unsubscribe.html",
    "evals/draft_publish.html",
    "mfa/webauthn/authenticator_confirm_delete.html",
    "proposals/charter_check.html",
}
"""The fold itself, an example in a comment, and pages that ask, after a step that led there."""
FORM = re.compile(r'<form\b([^>]*method="post"[^>]*)>(.*?)</form>', re.DOTALL)
FILLED = re.compile(r'{% include|<select|<textarea|<input (?!type="hidden")|{{ form|\.template %}')


def one_click(path: Path) -> set[str]:
    """Return the addresses, or else the acts, of a template's forms in which nothing is filled."""
    found: set[str] = set()
    for tag, inside in FORM.findall(path.read_text()):
        if not FILLED.search(inside):
            address = re.findall(r'action="{% url "([\w-]+)"', tag)
            variable = [each for each in re.findall(r'action="{{ (\w+)', tag) if each == "address"]
            found |= set(address or variable or re.findall(r'value="([\w-]+)"', inside) or {"?"})
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_act_that_cannot_be_taken_back_takes_two_steps(path: Path) -> None:
    if str(path.relative_to(ROOT / "templates")) in PAGES:
        return
    assert one_click(path) <= UNDONE | DRAFTED | SENT, "fold it: components/_confirm.html"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_keeps_the_content_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text), "inline style"
    assert not re.search(r"<style\b", text), "style element"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "inline handler"
    assert not re.search(r"\bhx-on\b|javascript:", text), "inline script"
    for script in re.findall(r"<script\b[^>]*>", text):
        assert " src=" in script or 'type="application/json"' in script, script


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_asks_no_other_host_for_anything(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", text)


def test_every_vendored_folder_has_its_licence_and_stands_in_the_list() -> None:
    readme = (VENDOR / "README.md").read_text()
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert (folder / "LICENSE").is_file()
        assert f"`{folder.name}`" in readme


def test_every_vendored_file_is_the_one_in_the_list() -> None:
    import hashlib

    readme = (VENDOR / "README.md").read_text()
    for path in VENDOR.glob("*/*.*"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"`{path.relative_to(VENDOR)}` | `{digest}`" in readme


def test_every_file_that_the_stylesheet_asks_for_is_there() -> None:
    for address in re.findall(r'url\("(\.\./[^"]+)"\)', CSS):
        assert (ROOT / "static/css" / address).resolve().is_file()
