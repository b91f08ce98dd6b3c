"""The parts of the verifier against what others know: vectors, libraries, and our own server code.

The verifier shares no line with the server, so that where the two agree, both are probably right.
"""

import base64
import json
import math
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from evals.statistics import compare, summarise
from oversight.ledger import merkle
from proposals.tally import consent, score, yes_no
from proposals.tally.blt import parse
from proposals.tally.election import Election
from proposals.tally.lot import Lot
from proposals.tally.methods import METHODS
from proposals.tally.motion import Rules, Votes
from tests.audit.conftest import program

SHARED = Path(__file__).resolve().parents[3] / "shared"

# -- Ed25519: RFC 8032 section 7.1, then the library

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_verify_and_every_flipped_bit_is_refused(key, message, signature):
    public, text, signed = map(bytes.fromhex, (key, message, signature))
    assert program.ed25519_verifies(public, text, signed)
    for bit in range(0, 512, 37):
        wrong = bytearray(signed)
        wrong[bit // 8] ^= 1 << bit % 8
        assert not program.ed25519_verifies(public, text, bytes(wrong))
    assert not program.ed25519_verifies(public, text + b"!", signed)


def library_says(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 1000))
def test_it_agrees_with_the_library_on_good_and_on_damaged_signatures(seed, message, damage):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(message))
    if damage < 512:
        signature[damage // 8] ^= 1 << damage % 8
    assert program.ed25519_verifies(public, message, bytes(signature)) is (damage >= 512)
    assert library_says(public, message, bytes(signature)) is (damage >= 512)


def test_encodings_that_are_not_the_one_spelling_are_refused():
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"x")
    s = int.from_bytes(signature[32:], "little")
    again = signature[:32] + (s + program.L).to_bytes(32, "little")
    assert program.ed25519_verifies(public, b"x", signature)
    assert not program.ed25519_verifies(public, b"x", again), "S not below L"
    for y in range(19):
        spelled = (program.P + y).to_bytes(32, "little")
        assert program.decode_point(spelled) is None, "y not below p"
    assert program.decode_point((1 | 1 << 255).to_bytes(32, "little")) is None, "minus zero"
    assert not program.ed25519_verifies(public[:31], b"x", signature)
    assert not program.ed25519_verifies(public, b"x", signature[:63])


# -- The tree


@given(st.lists(st.binary(max_size=20), max_size=600))
@settings(max_examples=60, deadline=None)
def test_the_root_is_that_of_the_recursive_definition(entries):
    tree = program.Tree()
    for entry in entries:
        tree.add(program.sha256(b"\x00" + entry))

    def root(part):
        if len(part) == 1:
            return program.sha256(b"\x00" + part[0])
        split = 1 << (len(part) - 1).bit_length() - 1
        return program.sha256(b"\x01" + root(part[:split]) + root(part[split:]))

    assert tree.root() == (root(entries) if entries else program.sha256(b""))
    assert tree.root() == merkle.root([merkle.leaf_hash(entry) for entry in entries])


def test_a_log_of_another_implementation_gives_its_signed_root():
    folder = SHARED / "vectors" / "tessera-log"
    if not folder.exists():
        pytest.skip("the log of another implementation is not beside the project")
    key = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    policy = program.Policy(f"log {key}\nquorum none\n")
    for size in range(1, 16):
        checkpoint = program.Checkpoint((folder / f"checkpoint.{size}").read_bytes())
        assert "signed" in checkpoint.signed_by_log(policy)
        data = (folder / "tile" / "entries" / "000.p" / str(size)).read_bytes()
        tree = program.Tree()
        for entry in program.split_entries(data, "entries", size):
            tree.add(program.sha256(b"\x00" + entry))
        assert (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)


def test_inclusion_vectors_lead_to_the_roots_that_the_tree_gives():
    path = SHARED / "vectors" / "merkle-inclusion.json"
    if not path.exists():
        pytest.skip("the vectors are not beside the project")
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    leaves.append("606162636465666768696a6b6c6d6e6f")
    roots = {}
    tree = program.Tree()
    for leaf in leaves:
        tree.add(program.sha256(b"\x00" + bytes.fromhex(leaf)))
        roots[tree.size] = tree.root()
    assert roots[3].hex().startswith("aeb6bcfe274b70a1")
    assert roots[7].hex().startswith("ddb89be403809e32")
    assert roots[8].hex().startswith("5dc9da79a70659a9")
    stated = {
        base64.b64decode(case["root"]) for case in json.loads(path.read_text()) if case["root"]
    }
    assert roots[8] in stated


def test_a_cosignature_counts_towards_the_quorum_and_a_wrong_one_is_refused():
    witness = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
    log = Ed25519PrivateKey.from_private_bytes(bytes([8] * 32))

    def vkey(name, kind, private):
        material = bytes([kind]) + private.public_key().public_bytes_raw()
        key_id = program.sha256(name.encode() + b"\n" + material)[:4]
        return key_id, f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}"

    text = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    log_id, log_key = vkey("example.org/log", 1, log)
    wit_id, wit_key = vkey("witness.example/w", 4, witness)
    moment = 1_700_000_000
    message = f"cosignature/v1\ntime {moment}\n{text}".encode()

    def note(stated):
        blob = wit_id + stated.to_bytes(8, "big") + witness.sign(message)
        lines = [("example.org/log", log_id + log.sign(text.encode())), ("witness.example/w", blob)]
        signed = "".join(f"— {n} {base64.b64encode(b).decode()}\n" for n, b in lines)
        return program.Checkpoint(f"{text}\n{signed}".encode())

    asked = f"log {log_key}\nwitness w {wit_key}\nwitness v {vkey('v.example', 4, log)[1]}\n"
    one, both = (program.Policy(f"{asked}group g {k} w v\nquorum g\n") for k in ("any", "all"))
    assert "met by w" in note(moment).cosigned(one)
    with pytest.raises(program.NotEnough, match="not met"):
        note(moment).cosigned(both)
    with pytest.raises(program.Contradiction, match="cosignature"):
        note(moment + 1).cosigned(one)


# -- Canonical JSON


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc_é", min_size=1), inner),
        max_leaves=20,
    )
)
def test_canonical_json_is_that_of_the_library(value):
    import rfc8785

    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    assert program.canonical(value) == expected


# -- Statistics

NUMBERS = st.floats(-1000, 1000, allow_nan=False).map(lambda x: round(x, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=300)
    | st.lists(NUMBERS, min_size=1, max_size=9)
    | st.lists(NUMBERS, min_size=10, max_size=30)
)
def test_intervals_are_those_that_the_server_publishes(scores):
    theirs, ours = summarise(scores), program.interval(scores)
    expected = (theirs.n, theirs.mean, theirs.stderr, theirs.low, theirs.high)
    for found, wanted in zip(ours, expected, strict=True):
        assert (found is None) == (wanted is None)
        assert found is None or math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("bits", [True, False])
@pytest.mark.parametrize(("n", "clusters"), [(6, 1), (6, 2), (40, 12), (900, 30), (2400, 600)])
def test_intervals_of_scores_in_clusters_are_those_that_the_server_publishes(n, clusters, bits):
    scores = [math.sin(k * k) + k % 3 for k in range(n)]
    scores = [float(score > 1) for score in scores] if bits else scores
    labels = [k % clusters if k % 5 else 0 for k in range(n)]
    theirs = summarise(scores, [f"passage {label}" for label in labels])
    expected = (theirs.n, theirs.mean, theirs.stderr, theirs.low, theirs.high)
    for found, wanted in zip(program.interval(scores, labels), expected, strict=True):
        assert (found is None) == (wanted is None)
        assert found is None or math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("bits", [True, False])
@pytest.mark.parametrize("clusters", [0, 1, 15])
@pytest.mark.parametrize("n", [2, 9, 60, 700])
def test_paired_differences_are_those_that_the_server_publishes(n, clusters, bits):
    first = [math.sin(k * k) for k in range(n)]
    second = [math.cos(k * 3) + 0.1 for k in range(n)]
    if bits:
        first, second = ([float(x > 0) for x in scores] for scores in (first, second))
    labels = [k % clusters for k in range(n)] if clusters else None
    theirs = compare(first, second, labels)
    expected = (theirs.n, theirs.mean, theirs.low, theirs.high)
    for found, wanted in zip(program.difference(first, second, labels), expected, strict=True):
        assert (found is None) == (wanted is None)
        assert found is None or math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("n", [10, 37, 500, 501, 3000])
def test_intervals_of_real_valued_scores_agree_at_the_edges_of_the_methods(n):
    scores = [math.sin(k) ** 2 * (1 + k % 7) for k in range(n)]
    theirs, ours = summarise(scores), program.interval(scores)
    assert math.isclose(ours[3], theirs.low, rel_tol=1e-9)
    assert math.isclose(ours[4], theirs.high, rel_tol=1e-9)


@pytest.mark.parametrize("last", [0.5, 1e-6, 1e-3, 223.0, 446.0])
def test_intervals_of_nearly_symmetric_scores_agree_though_their_skewness_all_but_vanishes(last):
    scores = [0.0, 0.0, 446.0, 446.0, 446.0, last]
    theirs, ours = summarise(scores), program.interval(scores)
    assert math.isclose(ours[3], theirs.low, rel_tol=1e-12)
    assert math.isclose(ours[4], theirs.high, rel_tol=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 499, 2_000_000])
def test_students_quantile_is_that_of_the_library(freedom):
    assert math.isclose(program.student(freedom), stdtrit(freedom, 0.975), rel_tol=1e-9)


# -- Counting

NAMES = ["Ann", "Ben", "Cat", "Dan", "Eve"]


@st.composite
def elections(draw):
    names = NAMES[: draw(st.integers(1, 5))]
    ballots = []
    for _ in range(draw(st.integers(0, 12))):
        order = draw(st.permutations(names))[: draw(st.integers(0, len(names)))]
        ranking = []
        for name in order:
            if ranking and draw(st.integers(0, 5)) == 0:
                ranking[-1].append(name)
            else:
                ranking.append([name])
        ballots.append((draw(st.sampled_from([1, 1, 2, 3, "0.5", "1.25"])), ranking))
    return names, ballots, draw(st.integers(1, 3)), draw(st.none() | st.sampled_from(["a", "b"]))


@pytest.mark.parametrize("method", sorted(METHODS))
@settings(max_examples=150, deadline=None)
@given(election=elections())
def test_elections_are_counted_as_the_server_counts_them(method, election):
    names, ballots, seats, seed = election
    sheet = METHODS[method](
        Election.of(candidates=names, ballots=ballots, seats=seats), Lot(seed) if seed else None
    ).as_json()
    papers = [
        program.read_ranks({"weight": weight, "ranking": ranking}) for weight, ranking in ballots
    ]
    draw = program.lot_of(seed) if seed else None
    own = program.METHODS[method](names, seats, papers, draw)
    program.matches(sheet, own, "sheet")


def test_a_published_election_is_counted_as_published():
    path = SHARED / "elections" / "aberdeen_2017_ward1.blt"
    if not path.exists():
        pytest.skip("the published election is not beside the project")
    election = parse(path.read_bytes())
    papers = [
        (weight, [[election.candidates[n] for n in rank] for rank in ranking])
        for ranking, weight in election.ballots.items()
    ]
    own = program.count_stv(
        list(election.candidates), election.seats, papers, program.lot_of("oversight")
    )
    program.matches(METHODS["scottish-stv"](election, Lot("oversight")).as_json(), own, "sheet")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=8),
    st.lists(st.sampled_from(["yes", "no", "abstain", None]), min_size=8, max_size=8),
    st.sampled_from(["1/2", "2/3", "1"]),
    st.sampled_from(["yes_and_no", "votes_cast", "roll"]),
    st.sampled_from(["at_least", "more_than"]),
    st.sampled_from(["0", "1/2", "4/5"]),
    st.sampled_from(["roll", "members"]),
)
def test_motions_are_counted_as_the_server_counts_them(
    weights, choices, threshold, base, comparison, quorum, quorum_base
):
    if (threshold, comparison) == ("1", "more_than"):
        return
    cast = [(c, w) for c, w in zip(choices, weights, strict=False) if c]
    heads = (len(cast), len(weights), 0)
    rules = Rules.of(
        threshold=threshold,
        base=base,
        comparison=comparison,
        quorum=quorum,
        quorum_base=quorum_base,
    )
    votes = Votes.from_ballots(cast, roll=sum(weights), voters=len(cast), members=len(weights))
    sheet = yes_no.count(rules, votes).as_json()
    ballots = [{"choice": c, "weight": w} for c, w in cast]
    own = program.count_motion(rules.as_json(), ballots, sum(weights), heads, None)
    program.matches(sheet, own, "sheet")


def test_consent_is_judged_as_the_server_judges_it():
    given_ = [("consent", 2, ""), ("object", 1, "It costs too much."), ("abstain", 1, "")]
    for part in (given_, given_[:1], given_[1:2], [("consent", 1, ""), ("object", 3, " ")]):
        ballots = [consent.ConsentBallot.of(c, w, reason=r) for c, w, r in part]
        sheet = consent.count(ballots, roll=5).as_json()
        plain = [{"choice": c, "weight": w, "reason": r} for c, w, r in part]
        rules = {"quorum": "0", "quorum_base": "roll"}
        program.matches(
            sheet, program.count_consent(rules, plain, 5, (len(part), 5, 0), None), "sheet"
        )


def test_scores_are_added_up_as_the_server_does_it():
    ballots = [(1, {"Ann": 5, "Ben": 2}), (2, {"Cat": 4}), (3, {}), ("0.5", {"Ben": 0})]
    election = score.ScoreElection.of(candidates=NAMES[:3], highest=5, ballots=ballots, seats=2)
    papers = [program.read_ranks({"weight": w, "scores": points}) for w, points in ballots]
    own = program.METHODS["score"](NAMES[:3], 2, papers, None)
    program.matches(score.count(election).as_json(), own, "sheet")
