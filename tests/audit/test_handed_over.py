"""A policy that names an earlier key of the log: followed where each step was signed, else not."""

import pytest

from tests.audit.forge import Forge
from tests.audit.handed_over import FIRST, SECOND, STRANGER, THIRD, hand_over, packed, signed_at

KEYS = (FIRST, SECOND, THIRD)


@pytest.fixture
def log():
    """A log handed over twice, with the sizes at which it was."""
    forge = Forge()
    sizes = []
    for before, after in ((FIRST, SECOND), (SECOND, THIRD)):
        sizes.append(hand_over(forge, before, after))
        forge.appoint(f"member:{sizes[-1]}", f"person:{sizes[-1]}")
    return forge, sizes


def honest(forge, sizes):
    signers = zip(sizes, KEYS, strict=False)
    return {size: signed_at(forge, size, signer) for size, signer in signers}


def policy_of(tmp_path, *keys):
    path = tmp_path / "policy"
    lines = "".join(f"log {each.verifier.format()}\n" for each in keys)
    path.write_text(f"{lines}quorum none\n")
    return path


@pytest.mark.parametrize("known", KEYS)
def test_each_key_that_signed_once_leads_to_the_newest(log, verify_here, tmp_path, known):
    forge, sizes = log
    data = packed(forge, KEYS, honest(forge, sizes))
    status, report = verify_here(data, "--policy", str(policy_of(tmp_path, known)))
    assert status == 0, report
    assert ("handed over to" in str(report)) == (known != THIRD)


def test_a_policy_may_name_several_keys(log, verify_here, tmp_path):
    forge, _ = log
    data = packed(forge, KEYS, {})
    assert verify_here(data, "--policy", str(policy_of(tmp_path, FIRST, THIRD)))[0] == 0


def test_without_the_old_keys_signature_an_entry_hands_nothing_over(log, verify_here, tmp_path):
    forge, sizes = log
    for kept in ({}, {sizes[1]: signed_at(forge, sizes[1], SECOND)}):
        data = packed(forge, KEYS, kept)
        status, report = verify_here(data, "--policy", str(policy_of(tmp_path, FIRST)))
        assert status == 1
        assert "no key that the policy trusts has signed" in str(report)


def test_a_stranger_is_never_followed_to(log, verify_here, tmp_path):
    forge, sizes = log
    data = packed(forge, KEYS, honest(forge, sizes))
    assert verify_here(data, "--policy", str(policy_of(tmp_path, STRANGER)))[0] == 1


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        (lambda forge, sizes: (sizes[0], signed_at(forge, sizes[0], SECOND)), "not signed by"),
        (
            lambda forge, sizes: (sizes[0], signed_at(forge, sizes[0] - 1, FIRST)),
            "the log that keys/handovers",
        ),
        (lambda forge, sizes: (sizes[0] + 90, signed_at(forge, sizes[0], FIRST)), "not here"),
        (
            lambda forge, sizes: (sizes[0], signed_at(_other(forge), sizes[0], FIRST)),
            "another tree",
        ),
        (lambda forge, _: (1, signed_at(forge, 1, FIRST)), "before any rotation"),
    ],
)
def test_a_handover_that_does_not_fit_is_contradicted(log, verify_here, forged, says):
    forge, sizes = log
    handovers = honest(forge, sizes)
    del handovers[sizes[0]]
    size, data = forged(forge, sizes)
    status, report = verify_here(packed(forge, KEYS, handovers | {size: data}))
    assert status == 1
    assert says in str(report)


def _other(forge):
    other = Forge()
    other.entries = [*forge.entries]
    other.entries[0] = forge.entries[1]
    return other
