"""Fills a system's own database with a decade of work, from one of everything that came by itself.

What pages read is there and looks real: models, runs with results and scores, proposals with their
votes. Rows are copies that the database makes; their leaves are not on the log. So are their signed
statements: every sixteenth run has them whole, and the newest thousand, the others have stubs.
"""

from typing import Any

MODELS, VERSIONS_EACH = 500, 2
PROPOSALS = 2_000
SUITES, TASKS_EACH = 20, 5
TASK_RESULTS = 1_000_000
SCORES_EACH = 10
COMMENTS_EACH = 15
STATED_EACH, STATED_NEWEST = 16, 1_000
"""Which runs have whole statements, not stubs."""

_LICENCES = ("Apache-2.0", "MIT", "LicenseRef-llama", "CC-BY-4.0")
_WORDS = [
    *("helpdesk", "night", "council", "answer", "summary", "language", "canton", "letter", "tax"),
    *("school", "health", "permit", "road", "archive", "court", "library", "station", "border"),
    *("forest", "pension", "statistics", "energy", "museum", "water", "election", "translation"),
    *("minutes", "register", "citizen", "patient", "pupil", "farmer", "driver", "tenant", "judge"),
]


def fill(cursor: Any) -> Any:
    """Make one of everything by the services, then the crowd; return the cast."""
    from tests import factories

    cast = factories.make_cast()
    suites = [_suite(cast, number) for number in range(SUITES)]
    version = factories.make_model_version(cast.evaluator, model_slug="first")
    deployment = factories.make_deployment(cast.operator, cast.organisation)
    worker = factories.make_worker(cast.administrator, cast.organisation)
    proposal = factories.make_deliberated_proposal(cast, version=version, deployment=deployment)
    factories.make_criterion(cast, proposal, suites[0])
    run = factories.make_run(cast.member, suites[0], version, purpose=proposal.subject)
    factories.finish_run(run, worker)
    factories.make_comment(cast.member, proposal)
    decision = factories.decide(cast, proposal)
    cursor.execute("SELECT setseed(0.5)")
    cursor.execute("SET synchronous_commit = off")
    _words(cursor)
    _models(cursor, version)
    _results(cursor, run)
    _proposals(cursor, decision)
    _deployments(cursor, deployment)
    for table in ("registry_modelversion", "evals_taskrun", "proposals_proposal"):
        cursor.execute(f"ANALYZE {table}")
    cursor.execute("VACUUM ANALYZE")
    return cast


def _suite(cast: Any, number: int) -> Any:
    """Publish a suite of five tasks, of several categories and directions."""
    from evals.services.suites import publish_suite
    from evals.suites.document import CATEGORIES
    from tests import factories

    document = factories.suite_document(f"suite-{number}")
    document["title"] = f"{_WORDS[number].capitalize()} questions"
    model = document["tasks"][0]
    document["tasks"] = [
        model
        | {
            "name": f"task-{n}",
            "title": f"{_WORDS[(number + 3 * n) % len(_WORDS)].capitalize()} facts",
            "category": CATEGORIES[(number + n) % len(CATEGORIES)],
        }
        for n in range(TASKS_EACH)
    ]
    version, _ = publish_suite(
        by=cast.evaluator, document=document, files={"facts.jsonl": factories.ROWS}
    )
    return version


def clone(cursor: Any, table: str, where: str, series: str, **changed: str) -> None:
    """Copy the rows of a table once for each row of a series `s`, some columns by expressions."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
        "AND is_identity = 'NO' AND is_generated = 'NEVER' AND table_schema = 'public' "
        "ORDER BY ordinal_position",
        [table],
    )
    names = [name for (name,) in cursor.fetchall() if name != "id" or "id" in changed]
    if "id" in changed and "id" not in names:
        names.insert(0, "id")
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(changed.get(name, f't."{name}"') for name in names)
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS t, {series} WHERE {where}"
    )


def _words(cursor: Any) -> None:
    """Make a function that gives so many words by chance."""
    listed = ", ".join(f"'{word}'" for word in _WORDS)
    cursor.execute(
        "CREATE FUNCTION bench_words(number int, seed int) RETURNS text LANGUAGE sql VOLATILE AS "
        f"$$ SELECT string_agg((ARRAY[{listed}])[1 + floor(random() * {len(_WORDS)})::int] "
        "|| CASE WHEN random() < 0.02 THEN seed::text ELSE '' END, ' ') "
        "FROM generate_series(1, number) $$"
    )


def _models(cursor: Any, version: Any) -> None:
    number = MODELS - 1
    clone(
        cursor, "registry_registeredmodel", f"t.id = {version.model_id}",
        f"generate_series(1, {number}) AS s(n)",
        slug="'model-' || n", name="initcap(bench_words(1, n)) || ' ' || n",
        summary="bench_words(20, n)", developer="initcap(bench_words(2, n % 40))",
        leaf_id="gen_random_uuid()",
    )  # fmt: skip
    licences = ", ".join(f"'{licence}'" for licence in _LICENCES)
    clone(
        cursor, "registry_modelversion", f"t.id = {version.pk} AND m.slug LIKE 'model-%'",
        f"registry_registeredmodel AS m, generate_series(1, {VERSIONS_EACH}) AS s(n)",
        model_id="m.id", label="'v' || n", leaf_id="gen_random_uuid()",
        digest="'sha256:' || encode(sha256((m.slug || n)::bytea), 'hex')",
        licence=f"(ARRAY[{licences}])[1 + m.id % {len(_LICENCES)}]",
        registered_at="now() - random() * interval '3 years'",
    )  # fmt: skip


def _results(cursor: Any, run: Any) -> None:
    """Make the runs, their tasks, aggregates and scores; indexes of scores are made afterwards."""
    runs = TASK_RESULTS // TASKS_EACH
    cursor.execute(
        "CREATE TEMP TABLE asked AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place "
        "FROM registry_modelversion"
    )
    cursor.execute(
        "CREATE TEMP TABLE suites AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place "
        "FROM evals_suiteversion"
    )
    clone(
        cursor, "evals_run",
        f"t.id = {run.pk} AND a.place = n % (SELECT count(*) FROM asked) "
        "AND q.place = n / (SELECT count(*) FROM asked) % (SELECT count(*) FROM suites)",
        f"generate_series(0, {runs - 1}) AS s(n), asked AS a, suites AS q",
        ref="'run-' || lpad(to_hex(n), 8, '0')", leaf_id="gen_random_uuid()",
        model_version_id="a.id", suite_version_id="q.id", purpose="''",
        requested_at=f"now() - ({runs} - n) * interval '5 minutes'",
        started_at=f"now() - ({runs} - n) * interval '5 minutes' + interval '1 minute'",
        finished_at=f"now() - ({runs} - n) * interval '5 minutes' + interval '4 minutes'",
    )  # fmt: skip
    cursor.execute("ANALYZE evals_run")
    place = "('x' || right(r.ref, 8))::bit(32)::int"
    clone(
        cursor, "evals_taskrun",
        f"t.run_id = {run.pk} AND t.position = 0 AND r.id <> {run.pk}",
        f"evals_run AS r, generate_series(0, {TASKS_EACH - 1}) AS s(n)",
        id="gen_random_uuid()", run_id="r.id", task_name="'task-' || n", position="n",
        requested_at="r.requested_at", started_at="r.started_at", finished_at="r.finished_at",
        leaf_id="gen_random_uuid()",
        envelope=f"CASE WHEN {place} % {STATED_EACH} = 0 OR {place} >= {runs - STATED_NEWEST} "
        "THEN t.envelope ELSE '{}'::jsonb END",
        statement_digest="'sha256:' || encode(sha256((r.id || '-' || n)::bytea), 'hex')",
    )  # fmt: skip
    cursor.execute("ANALYZE evals_taskrun")
    cursor.execute(
        'INSERT INTO evals_aggregate (task_run_id, metric, "group", n, mean, stderr, low, high, '
        "method) SELECT id, metric, '', 80, mean, 0.05, greatest(0, mean - 0.1), "
        "least(1, mean + 0.1), 'wilson' FROM (SELECT id, 0.3 + 0.6 * random() AS mean "
        f"FROM evals_taskrun WHERE run_id <> {run.pk}) AS part, "
        "unnest(ARRAY['acc', 'acc_norm']) AS metric"
    )
    cursor.execute("ALTER TABLE evals_samplescore DROP CONSTRAINT score_once_per_sample")
    cursor.execute(
        'INSERT INTO evals_samplescore (task_run_id, doc_id, metric, "group", score) '
        f"SELECT id, n, 'acc', '', (random() < 0.6)::int FROM evals_taskrun, "
        f"generate_series(0, {SCORES_EACH - 1}) AS s(n) WHERE run_id <> {run.pk}"
    )
    cursor.execute(
        "ALTER TABLE evals_samplescore ADD CONSTRAINT score_once_per_sample "
        "UNIQUE (task_run_id, metric, doc_id)"
    )
    from evals.services.newest import rebuild_newest
    from evals.services.usage import rebuild_usage

    rebuild_newest()
    rebuild_usage()


def _proposals(cursor: Any, decision: Any) -> None:
    """Make the proposals: most decided, some in deliberation, a few drafts; with what was said."""
    proposal = decision.proposal
    own = f"t.proposal_id = {proposal.pk}"
    copies = "proposals_proposal AS p"
    clone(
        cursor, "proposals_proposal", f"t.id = {proposal.pk}",
        f"generate_series(1, {PROPOSALS - 1}) AS s(n)",
        ref="'20' || (10 + n / 250) || '-' || lpad((n % 250 + 1)::text, 3, '0')",
        status="CASE WHEN n % 20 = 0 THEN 'deliberation' WHEN n % 50 = 1 THEN 'draft' "
        "ELSE 'decided' END",
        version_id="(SELECT id FROM asked WHERE place = n % (SELECT count(*) FROM asked))",
        leaf_id="gen_random_uuid()", drafted_at="now() - n * interval '1 day'",
        status_changed_at="now() - n * interval '1 day'",
    )  # fmt: skip
    new = f"p.id <> {proposal.pk}"
    decided = f"{new} AND p.status = 'decided'"
    clone(
        cursor, "proposals_revision", f"{own} AND {new}", copies,
        proposal_id="p.id", leaf_id="gen_random_uuid()",
        title="'Authorise the ' || bench_words(4, p.id::int)", summary="bench_words(15, p.id::int)",
        body_markdown="bench_words(400, p.id::int)",
    )  # fmt: skip
    clone(
        cursor, "proposals_contract", f"{own} AND {decided}", copies,
        proposal_id="p.id", leaf_id="gen_random_uuid()",
    )  # fmt: skip
    clone(
        cursor, "proposals_rollentry", f"t.contract_id = {proposal.contract.pk} AND {decided}",
        f"{copies} JOIN proposals_contract AS c ON c.proposal_id = p.id", contract_id="c.id",
    )  # fmt: skip
    clone(
        cursor, "proposals_decision", f"{own} AND {decided}", copies,
        proposal_id="p.id", leaf_id="gen_random_uuid()",
        decided_at="p.status_changed_at",
    )  # fmt: skip
    clone(
        cursor, "proposals_comment", f"{own} AND {new}",
        f"{copies}, generate_series(1, {COMMENTS_EACH}) AS s(n)",
        proposal_id="p.id", leaf_id="gen_random_uuid()", text="bench_words(60, p.id::int)",
    )  # fmt: skip


def _deployments(cursor: Any, deployment: Any) -> None:
    """Make a use for every fifth model, a third of them authorised."""
    clone(
        cursor, "registry_deployment", f"t.id = {deployment.pk}",
        f"generate_series(1, {MODELS // 5}) AS s(n)",
        slug="'use-' || n", name="initcap(bench_words(2, n))", purpose="bench_words(12, n)",
        leaf_id="gen_random_uuid()",
    )  # fmt: skip
    clone(
        cursor, "registry_authorisation",
        f"t.deployment_id = {deployment.pk} AND t.state = 'granted' "
        f"AND d.id <> {deployment.pk} AND d.id % 3 = 0",
        "registry_deployment AS d",
        deployment_id="d.id", leaf_id="gen_random_uuid()",
        version_id="(SELECT id FROM asked WHERE place = d.id)",
        decision_ref="'2010-' || lpad((d.id % 200 + 3)::text, 3, '0')",
    )  # fmt: skip
