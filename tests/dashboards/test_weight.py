"""What a first visit costs the reader: page, style, scripts and fonts, as they are sent."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static"
MOST = 120_000


def sent(path: Path) -> int:
    """Return the size on the wire: fonts are compressed in themselves."""
    content = path.read_bytes()
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
