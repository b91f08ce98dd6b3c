"""What a first visit costs the reader: page, style, scripts and fonts, as they are sent."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage

from oversight.web.static_files import StaticFiles, without_comments

STATIC = Path(settings.BASE_DIR) / "static"
MOST = 120_000


def sent(path: Path) -> int:
    """Return the size on the wire: fonts are compressed in themselves, comments are not sent."""
    content = path.read_bytes()
    if path.parent.name == "css":
        content = without_comments(content.decode()).encode()
    return len(content) if path.suffix == ".woff2" else len(brotli.compress(content))


@pytest.mark.parametrize("name", ["home", "decision", "model", "run-samples"])
def test_a_first_visit_weighs_at_most_120_kilobytes(client, world, name):
    page = client.get(
        {
            "home": "/",
            "decision": world.decision.get_absolute_url(),
            "model": world.version.model.get_absolute_url(),
            "run-samples": f"{world.run.get_absolute_url()}samples/facts/",
        }[name]
    )
    assert page.status_code == 200
    text = page.content.decode()
    files = set(re.findall(r'(?:href|src)="/static/([^"?]+\.(?:css|js|woff2|svg))"', text))
    assert any(file.endswith(".woff2") for file in files)
    assert any(file.endswith(".css") for file in files)
    weight = len(gzip.compress(page.content)) + sum(sent(STATIC / file) for file in files)
    assert weight <= MOST, f"{weight} bytes: {sorted(files)}"


def test_readers_are_sent_a_style_sheet_without_its_comments(tmp_path):
    kept = StaticFiles(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=STATIC)
    name = "css/oversight.css"
    with source.open(name) as file:
        kept.save(name, file)
    written = (STATIC / name).read_text()
    assert "/*" in written
    for _ in range(2):  # collected anew it stays the same
        found = {name: (source, name)}
        assert all(not isinstance(new, Exception) for _, new, _ in kept.post_process(found))
    hashed = tmp_path / kept.stored_name(name)
    assert "/*" not in hashed.read_text()
    assert hashed.read_text().count("{") == without_comments(written).count("{")
    assert written.count("{") == without_comments(written).count("{")
    assert (tmp_path / f"{kept.stored_name(name)}.gz").exists()
