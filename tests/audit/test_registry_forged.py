"""What things say, what was made from what, and checks of endpoints: replayed in their order."""

import pytest
import rfc8785

from tests.audit.forge import CLERK, Forge, digest_of, files_of, repacked

ONE, TWO, THREE = (f"sha256:{letter * 64}" for letter in "abc")
SUITE = f"sha256:{'d' * 64}"


def begun():
    """Return a log with three versions of a model, and a suite."""
    forge = Forge()
    forge.act("registry.model.registered", CLERK, "model:alpina", facts={})
    for label, digest in enumerate((ONE, TWO, THREE)):
        forge.act(
            "registry.version.registered",
            CLERK,
            f"version:{digest}",
            digests={"manifest": digest},
            facts={"model": "alpina", "label": str(label), "licence": ""},
        )
    forge.act(
        "evals.suite.published",
        CLERK,
        "suite:town:1",
        digests={"document": SUITE},
        facts={"tasks": 1},
    )
    return forge


def written(*acts):
    forge = begun()
    for kind, about, words in acts:
        forge.act(kind, CLERK, f"version:{about}", **words)
    return forge.pack()


def describes(number, about=ONE):
    words = {"digests": {"description": SUITE}, "facts": {"number": number}}
    return "registry.description.written", about, words


def descends(child, parent):
    words = {"digests": {"parent": parent}, "facts": {"kind": "merge"}}
    return "registry.descent.stated", child, words


def plans(suite=SUITE):
    facts = {"items": 50, "every_hours": 24, "agreement": "0.90"}
    return "evals.check.planned", ONE, {"digests": {"suite": suite}, "facts": facts}


ENDS = ("evals.check.ended", ONE, {"facts": {}})
JUDGED = (
    "evals.check.judged",
    ONE,
    {"digests": {"findings": SUITE}, "facts": {"answerers": 2, "compared": 1, "alarms": 0}},
)


@pytest.mark.parametrize(
    "acts",
    [
        [describes(1), describes(2), describes(1, TWO)],
        [descends(TWO, ONE), descends(THREE, TWO), descends(THREE, ONE)],
        [plans(), JUDGED, ENDS, JUDGED, plans()],
    ],
)
def test_what_the_system_writes_is_proven(verify_here, acts):
    status, report = verify_here(written(*acts))
    assert status == 0, report


@pytest.mark.parametrize(
    "acts",
    [
        [describes(2)],
        [describes(1), describes(1)],
        [describes(1), describes(3)],
        [describes(1, SUITE)],
        [descends(ONE, ONE)],
        [descends(TWO, ONE), descends(ONE, TWO)],
        [descends(TWO, ONE), descends(THREE, TWO), descends(ONE, THREE)],
        [descends(TWO, ONE), descends(TWO, ONE)],
        [descends(TWO, SUITE)],
        [JUDGED],
        [ENDS],
        [plans(ONE)],
        [plans(), plans()],
        [plans(), ENDS, ENDS],
    ],
)
def test_what_it_never_writes_is_contradicted(verify_here, acts):
    assert verify_here(written(*acts))[0] == 1


# -- The documents beside the log

ALIKE = {
    "kind": "operator",
    "endpoint": "north",
    "beside": "south",
    "run": "run-1",
    "beside_run": "run-2",
    "compared": 100,
    "alike": 99,
    "low": "0.9455",
    "high": "0.9982",
    "p_value": "0.5",
    "verdict": "alike",
    "reason": "",
}
SILENT = {
    "kind": "answer",
    "endpoint": "south",
    "beside": "",
    "run": "",
    "verdict": "unanswered",
    "reason": "It is away.",
}


def judged(*findings, forge=None, **facts):
    """Return a log on which two endpoints were checked, with the document of what was found."""
    forge = forge or begun()
    for slug in ("north", "south"):
        about = f"endpoint:{slug}"
        forge.act("registry.endpoint.registered", CLERK, about, facts={"operator": None})
    for number in (1, 2):
        forge.act(
            "evals.run.requested",
            "system:shell",
            f"run:run-{number}",
            digests={"suite": SUITE, "version": ONE},
            facts={"limit": 50},
        )
    kind, about, words = plans()
    forge.act(kind, CLERK, f"version:{about}", **words)
    document = {"findings": list(findings)}
    digest = digest_of(rfc8785.dumps(document))
    forge.keep(f"checks/{digest[7:]}.json", document)
    alarms = sum(found["verdict"] in {"differs", "unanswered"} for found in findings)
    silent = sum(found["verdict"] == "unanswered" for found in findings)
    counted = {"answerers": 2, "compared": len(findings) - silent, "alarms": alarms}
    forge.act(
        "evals.check.judged",
        "system:evaluations",
        f"version:{ONE}",
        digests={"findings": digest},
        facts=counted | facts,
    )
    return forge


@pytest.mark.parametrize(
    "findings",
    [
        [],
        [ALIKE],
        [SILENT],
        [ALIKE, SILENT],
        [ALIKE | {"p_value": "0.001", "verdict": "differs"}],
        [ALIKE | {"alike": 50, "low": "0.4038", "high": "0.5962", "verdict": "differs"}],
        [ALIKE | {"alike": 92, "low": "0.8500", "high": "0.9589", "verdict": "undecided"}],
        [ALIKE | {"compared": 0, "alike": 0, "low": "0.0000", "high": "1.0000"}
         | {"p_value": None, "verdict": "undecided"}],
    ],
)  # fmt: skip
def test_what_a_check_found_follows_from_what_was_counted(verify_here, findings):
    status, report = verify_here(judged(*findings).pack())
    assert status == 0, report


@pytest.mark.parametrize(
    ("findings", "facts"),
    [
        ([ALIKE | {"verdict": "differs"}], {}),
        ([ALIKE | {"alike": 50, "low": "0.4038", "high": "0.5962"}], {}),
        ([ALIKE | {"alike": 101}], {}),
        ([ALIKE | {"low": "0.9999"}], {}),
        ([ALIKE | {"p_value": "0.001"}], {}),
        ([ALIKE | {"endpoint": "nowhere"}], {}),
        ([ALIKE | {"run": "run-9"}], {}),
        ([SILENT], {"alarms": 0}),
        ([ALIKE, SILENT], {"compared": 2}),
        ([ALIKE | {"alike": "many"}], {}),
    ],
)
def test_findings_that_the_log_does_not_bear_out_are_contradicted(verify_here, findings, facts):
    assert verify_here(judged(*findings, **facts).pack())[0] == 1


def changed(forge, path, value):
    return repacked((files_of(forge.pack()) | {path: rfc8785.dumps(value)}).items())


def test_findings_that_were_exchanged_are_contradicted(verify_here):
    forge = judged(ALIKE)
    (path,) = (each for each in forge.documents if each.startswith("checks/"))
    status, report = verify_here(changed(forge, path, {"findings": []}))
    assert status == 1
    assert f"the SHA-256 of {path}" in str(report)


def test_a_run_of_another_version_is_no_answer_of_this_one(verify_here):
    forge = begun()
    forge.act(
        "evals.run.requested",
        "system:shell",
        "run:run-3",
        digests={"suite": SUITE, "version": TWO},
        facts={"limit": 50},
    )
    status, report = verify_here(judged(ALIKE | {"run": "run-3"}, forge=forge).pack())
    assert status == 1
    assert "the version that run-3 asked" in str(report)


def described(document, **digests):
    """Return a log with an endpoint that says this of itself."""
    forge = begun()
    forge.act("registry.endpoint.registered", CLERK, "endpoint:north", facts={"operator": None})
    digest = forge.keep("descriptions/endpoint/north-1.json", document)
    forge.act(
        "registry.description.written",
        CLERK,
        "endpoint:north",
        digests={"description": digest} | digests,
        facts={"number": 1},
    )
    return forge


CLAIM = {"version": ONE, "served_as": "alpina"}


def test_a_description_stands_beside_the_log_under_its_digest(verify_here):
    status, report = verify_here(described(CLAIM, version=ONE).pack())
    assert status == 0, report
    assert verify_here(described({"served_as": "alpina"}).pack())[0] == 0


def test_a_description_that_was_exchanged_is_contradicted(verify_here):
    path = "descriptions/endpoint/north-1.json"
    data = changed(described(CLAIM, version=ONE), path, CLAIM | {"served_as": "other"})
    status, report = verify_here(data)
    assert status == 1
    assert f"the SHA-256 of {path}" in str(report)


@pytest.mark.parametrize("digests", [{}, {"version": TWO}])
def test_a_claim_that_the_entry_does_not_name_is_contradicted(verify_here, digests):
    assert verify_here(described(CLAIM, **digests).pack())[0] == 1


def test_a_description_that_no_entry_tells_of_is_contradicted(verify_here):
    forge = begun()
    forge.keep("descriptions/endpoint/north-1.json", CLAIM)
    assert verify_here(forge.pack())[0] == 1
