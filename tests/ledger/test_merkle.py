"""The tree: the published vectors, a naive second implementation, and properties of proofs."""

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.ledger import merkle

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
CLASSIC = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
FROM_EMPTY = {
    "additional/size1-is-zero-and-does-not-equal-size2.json",
    "additional/size1-is-zero-and-size2-is-not-zero.json",
    "additional/sizes-are-equal-zero-and-proof-is-empty.json",
}
"""Cases their library refuses, as a policy, because they start from the empty tree. Ours accepts:
a witness that has seen nothing yet must be able to begin there."""


def cases(name):
    """Return the published cases, or one that skips where the vectors are not at hand."""
    path = VECTORS / f"merkle-{name}.json"
    if not path.exists():
        reason = "the shared vectors are not beside the repository"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(each, id=each["file"]) for each in json.loads(path.read_text())]


def decode(value):
    return base64.b64decode(value or "")


def naive_root(leaves):
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def reader_of(leaves):
    """Read any node by computing it from all the leaves."""

    def read(nodes):
        return [naive_root(leaves[n.index << n.level : (n.index + 1) << n.level]) for n in nodes]

    return read


def numbered(count):
    return [str(number).encode() for number in range(count)]


@pytest.mark.parametrize("case", cases("inclusion"))
def test_inclusion_vectors_are_judged_as_published(case):
    def verify():
        merkle.verify_inclusion(
            case["leafIdx"],
            case["treeSize"],
            decode(case["leafHash"]),
            [decode(each) for each in case["proof"] or []],
            decode(case["root"]),
        )

    if case["wantErr"]:
        with pytest.raises(merkle.ProofError):
            verify()
    else:
        verify()


@pytest.mark.parametrize("case", cases("consistency"))
def test_consistency_vectors_are_judged_as_published(case):
    def verify():
        merkle.verify_consistency(
            case["size1"],
            case["size2"],
            decode(case["root1"]),
            decode(case["root2"]),
            [decode(each) for each in case["proof"] or []],
        )

    if case["wantErr"] and case["file"] not in FROM_EMPTY:
        with pytest.raises(merkle.ProofError):
            verify()
    else:
        verify()


def test_all_196_vectors_are_there_and_three_are_judged_by_our_own_policy():
    if not VECTORS.exists():
        pytest.skip("the shared vectors are not beside the repository")
    inclusion = json.loads((VECTORS / "merkle-inclusion.json").read_text())
    consistency = json.loads((VECTORS / "merkle-consistency.json").read_text())
    assert (len(inclusion), len(consistency)) == (98, 98)
    refused = {case["file"] for case in consistency if case["wantErr"]}
    assert refused >= FROM_EMPTY


def test_hashes_of_a_leaf_and_a_node_are_the_known_ones():
    assert merkle.leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )
    assert merkle.node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_roots_of_the_classic_tree_are_the_known_ones(size, expected):
    assert merkle.root([merkle.leaf_hash(each) for each in CLASSIC[:size]]).hex() == expected


@given(st.integers(0, 70))
def test_the_root_equals_the_definition_of_the_standard(size):
    leaves = numbered(size)
    assert merkle.root(map(merkle.leaf_hash, leaves)) == naive_root(leaves)
    assert merkle.fold(reader_of(leaves)(merkle.cover(0, size))) == naive_root(leaves)


@given(st.data())
def test_every_inclusion_proof_verifies_and_only_for_its_own_leaf(data):
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    root = naive_root(leaves)
    proof = merkle.prove_inclusion(index, size, reader_of(leaves))
    merkle.verify_inclusion(index, size, merkle.leaf_hash(leaves[index]), proof, root)
    for wrong in {index - 1, index + 1, size} - {index}:
        with pytest.raises(merkle.ProofError):
            merkle.verify_inclusion(wrong, size, merkle.leaf_hash(leaves[index]), proof, root)
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(b"other"), proof, root)
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(leaves[index]), [*proof, root], root)
    if proof:
        with pytest.raises(merkle.ProofError):
            merkle.verify_inclusion(index, size, merkle.leaf_hash(leaves[index]), proof[:-1], root)


@given(st.data())
def test_every_consistency_proof_verifies_and_a_changed_past_does_not(data):
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    leaves = numbered(new)
    read = reader_of(leaves)
    proof = merkle.prove_consistency(old, new, read)
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)
    merkle.verify_consistency(old, new, old_root, new_root, proof)
    changed = data.draw(st.integers(0, old - 1))
    other_root = naive_root([*leaves[:changed], b"forged", *leaves[changed + 1 : old]])
    with pytest.raises(merkle.ProofError):
        merkle.verify_consistency(old, new, other_root, new_root, proof)
    with pytest.raises(merkle.ProofError):
        merkle.verify_consistency(old, new, old_root, other_root, proof)


@given(st.data())
def test_no_single_flipped_bit_of_a_proof_is_accepted(data):
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)
    proof = merkle.prove_inclusion(index, size, reader_of(leaves))
    position = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(proof[position])
    flipped[bit // 8] ^= 1 << bit % 8
    proof[position] = bytes(flipped)
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(
            index, size, merkle.leaf_hash(leaves[index]), proof, naive_root(leaves)
        )


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_right_edge_can_be_stopped_and_taken_up_anywhere(first, more):
    leaves = [merkle.leaf_hash(each) for each in numbered(first + more)]
    whole, resumed = merkle.RightEdge(), merkle.RightEdge()
    for each in leaves:
        whole.append(each)
    for each in leaves[:first]:
        resumed.append(each)
    resumed = merkle.RightEdge(resumed.size, list(resumed.hashes))
    for each in leaves[first:]:
        resumed.append(each)
    assert resumed == whole
    assert resumed.root() == whole.root()


def test_a_right_edge_with_a_wrong_number_of_hashes_has_no_root():
    with pytest.raises(merkle.ProofError, match="right edge of 3"):
        merkle.RightEdge(3, [bytes(32)]).root()


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_for_a_leaf_outside_the_tree(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.prove_inclusion(index, size, reader_of(numbered(size)))
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(index, size, bytes(32), [], bytes(32))


def test_hashes_of_another_length_are_refused():
    with pytest.raises(merkle.ProofError, match="32 bytes"):
        merkle.verify_inclusion(0, 1, bytes(31), [], bytes(31))
    with pytest.raises(merkle.ProofError, match="32 bytes"):
        merkle.verify_consistency(1, 2, bytes(32), bytes(32), [bytes(33)])


def test_a_smaller_tree_extends_no_larger_one():
    with pytest.raises(merkle.ProofError):
        merkle.verify_consistency(4, 3, bytes(32), bytes(32), [])
    with pytest.raises(ValueError, match="cannot extend"):
        merkle.prove_consistency(4, 3, reader_of(numbered(3)))
