"""What people write is shown as text, however it is written."""

import re
from collections import Counter

from tests import factories

SCRIPT = "<script>alert('x')</script><b>& \"quoted\""
LONG = "Donaudampfschifffahrtsgesellschaft" * 3


def hostile_world(world):
    """Decide something whose every name is hostile; return the addresses that show it."""
    cast = world.cast
    for person in cast.members:
        person.display_name = (SCRIPT + LONG)[:80]
        person.save()
    cast.organisation.name = (SCRIPT + LONG)[:120]
    cast.organisation.save()
    cast.body.name, cast.body.summary = (SCRIPT + LONG)[:120], LONG
    cast.body.save()
    world.version.model.name, world.version.model.summary = (SCRIPT + LONG)[:120], SCRIPT + LONG
    world.version.model.developer = (SCRIPT + LONG)[:120]
    world.version.model.save()
    world.deployment.name, world.deployment.purpose = (SCRIPT + LONG)[:120], LONG + SCRIPT
    world.deployment.save()
    world.suite.suite.title = (SCRIPT + LONG)[:120]
    world.suite.suite.save()
    title = (SCRIPT + LONG)[:160]
    factories.make_open_vote(cast, title=title, summary=SCRIPT)
    return factories.make_decision(cast, title=title, summary=SCRIPT)


def test_names_and_texts_are_escaped_on_every_page(client, world, addresses):
    decision = hostile_world(world)
    for address in (*addresses, decision.get_absolute_url(), f"/record/?q={SCRIPT}"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        if "html" in answer["Content-Type"]:
            assert "<script>alert" not in answer.content.decode(), address
            assert "<b>&" not in answer.content.decode(), address


def test_no_page_has_inline_script_or_style(client, world, addresses):
    for address in addresses:
        answer = client.get(address)
        if "html" not in answer["Content-Type"]:
            continue
        body = answer.content.decode()
        # Data for a script is none, and no policy stops it.
        data = r'<script id="[\w-]+" type="application/json">[^<]*</script>'
        assert not re.search(r"<script(?![^>]*\bsrc=)", re.sub(data, "", body)), address
        # What is shown as code for the pages of others is escaped, and none of ours.
        assert not re.search(r"<style|\sstyle=(?!&quot;)|\son[a-z]+=", body), address
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


def test_every_page_has_one_title_one_main_heading_and_unique_ids(client, world, addresses):
    for address in addresses:
        answer = client.get(address)
        if "html" not in answer["Content-Type"]:
            continue
        body = answer.content.decode()
        assert len(re.findall(r"<h1\b", body)) == 1, address
        ids = Counter(re.findall(r'\sid="([^"]+)"', body))
        assert [name for name, count in ids.items() if count > 1] == [], address
        targets = re.findall(r'aria-labelledby="([^"]+)"', body)
        assert set(targets) <= set(ids), address
