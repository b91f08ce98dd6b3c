"""The keys of the gate, replayed: each is adopted once and retired once, in this order."""

import pytest

from tests.audit.forge import Forge

KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def written(*acts):
    forge = Forge()
    for word, key in acts:
        facts = {"key": key} | ({"compromised": False} if word == "retired" else {})
        about = "gate:example.org/log"
        forge.act(f"registry.gate_key.{word}", "system:operator", about, facts=facts)
    return forge.pack()


def test_a_key_that_is_adopted_and_then_retired_is_proven(verify_here):
    assert verify_here(written(("adopted", KEY), ("retired", KEY)))[0] == 0


@pytest.mark.parametrize(
    "acts",
    [
        [("retired", KEY)],
        [("adopted", KEY), ("adopted", KEY)],
        [("adopted", KEY), ("retired", KEY), ("retired", KEY)],
        [("adopted", KEY), ("retired", KEY), ("adopted", KEY)],
        [("adopted", "ff" * 32)],
    ],
)
def test_any_other_order_is_contradicted(verify_here, acts):
    assert verify_here(written(*acts))[0] == 1
