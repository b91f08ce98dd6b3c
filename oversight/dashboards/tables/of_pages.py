"""Tables that stand beside a page: figures of compute, participation, history, comparison."""

from django.utils.translation import gettext_noop as _

from oversight.dashboards.tables.columns import Column, Table
from oversight.dashboards.tables.shorthand import (
    RECALLED,
    SCORE,
    acts,
    boolean,
    decimal,
    integer,
    moment,
    number,
    text,
)
from oversight.web.marks import Said

_STATED = Said(_("the statements that workers signed"))
_TAKEN = (
    integer("runs", _("How many runs.")),
    integer("task_runs", _("How many tasks of runs have ended well.")),
    decimal("hours", _("Work of hosts."), unit="hours"),
    integer("tokens", _("Tokens read and written."), unit="tokens"),
    decimal("measured_wh", _("Energy that devices reported."), unit="watt-hours"),
    decimal("estimated_wh", _("Energy estimated from the kind of device."), unit="watt-hours"),
    decimal("money", _("What it cost."), unit="currency", null=_("Nobody stated a cost.")),
    text("currency", _("Of the cost."), null=_("Nobody stated a cost.")),
)

COMPUTE = Table(
    "compute",
    _("Compute by host"),
    _("What each host gave, by class and by how its energy is known."),
    _STATED,
    (
        text("organisation", _("The host's organisation.")),
        text("worker", _("The host, as its organisation calls it.")),
        text("worker_id", _("Its public id.")),
        text("resource_class", _("cpu or gpu.")),
        integer("task_runs", _("How many tasks of runs have ended well.")),
        decimal("hours", _("Work."), unit="hours"),
        integer("tokens", _("Tokens read and written."), unit="tokens"),
        decimal("watt_hours", _("Energy."), unit="watt-hours"),
        text("energy_is", _("measured by the device, or estimated from its kind.")),
        decimal("money", _("What it cost."), unit="currency", null=_("Nobody stated a cost.")),
        text("currency", _("Of the cost."), null=_("Nobody stated a cost.")),
    ),
    address="/compute",
)


def _by(key: Column, title: str, about: str) -> Table:
    return Table(
        f"compute-by-{key.name}",
        title,
        about,
        _STATED,
        (key, *_TAKEN),
        address=f"/compute/by-{key.name}",
    )


COMPUTE_BY_MODEL = _by(
    text("model", _("The model that was evaluated.")),
    _("Compute by model"),
    _("What each model took."),
)
COMPUTE_BY_RUN = _by(
    text("run", _("The run.")),
    _("Compute by run"),
    _("What each run took, of the newest 10,000."),
)
COMPUTE_BY_BODY = _by(
    text("body", _("The body for whose proposals it was."), null=_("For no body's proposal.")),
    _("Compute by body"),
    _("What each body took."),
)
BUDGETS = Table(
    "budgets",
    _("Budgets of compute"),
    _("Hours that bodies have voted for evaluations, and what is left of them."),
    acts("evals.budget.*", and_also=_("the time that workers held tasks")),
    (
        text("body", _("The body that voted for it.")),
        text("decision", _("The decision.")),
        text("state", _("Whether it stands, is spent, or has ended.")),
        integer("hours", _("What was voted for."), unit="hours"),
        decimal("used_hours", _("What runs have taken."), unit="hours"),
        decimal("left_hours", _("What is left; below 0 where a run took more."), unit="hours"),
        integer("runs", _("How many runs it paid for.")),
        moment("starts_at", _("From when it may be used.")),
        moment("until", _("Until when.")),
        moment("ended_at", _("When it was ended before that."), null=_("It was not.")),
        text("ended_by", _("The decision that ended it."), null=_("It was not ended by one.")),
    ),
    ("decision",),
    address="/compute/budgets",
)
STATISTICS = Table(
    "incident-statistics",
    _("Incidents in numbers"),
    _("How many incidents stand where, and how grave."),
    Said(_("the list of incidents")),
    (
        text("by", _("What is counted by: status, severity, category or deployment.")),
        text("key", _("The value, as data names it."), null=_("It has no such value.")),
        text("label", _("The same in words.")),
        integer("number", _("How many there are.")),
        integer("open", _("How many of them are not over.")),
    ),
    address="/incidents/statistics",
)
_IN_VOTES = (
    integer("on_roll", _("Who could vote, or how often one could.")),
    integer("cast", _("Ballots cast.")),
    integer("delegated", _("Votes that a delegate cast.")),
    integer("recused", _("Conflicts of interest declared.")),
)
VOTES = Table(
    "votes",
    _("Votes of a body"),
    _("Turnout of each vote that has ended."),
    Said(_("contracts, rolls and ballots on the record")),
    (
        text("decision", _("The decision.")),
        text("title", _("What was voted on.")),
        moment("decided_at", _("When the votes were counted.")),
        text("outcome", _("How it ended.")),
        boolean("secret", _("Whether the ballots are secret from the public.")),
        *_IN_VOTES,
    ),
    ("decision",),
    address="/bodies/<body>/participation",
)
MEMBERS = Table(
    "members",
    _("Members of a body"),
    _("How often each member could vote, and did."),
    Said(_("contracts, rolls and ballots on the record")),
    (
        text("member", _("The seat's public id, as the record names it.")),
        text("name", _("The name that the member shows.")),
        boolean("in_term", _("Whether the term holds today.")),
        *_IN_VOTES,
    ),
    ("member",),
    address="/bodies/<body>/members",
)
_WEIGHTS = (
    text("model", _("The model.")),
    text("version", _("Its version, as its developer names it.")),
    text("model_digest", _("The digest of its weights.")),
)
HISTORY = Table(
    "suite-history",
    _("History of a suite"),
    _("The headline score of every task in the newest 1,000 full runs of all versions of a suite."),
    Said(_("signed statements of workers, recomputed from the samples")),
    (
        text("run", _("The run.")),
        RECALLED,
        moment("finished_at", _("When it ended."), null=_("It has not ended.")),
        integer("suite_version", _("The version of the suite.")),
        text("suite_digest", _("Its digest.")),
        *_WEIGHTS,
        text("task", _("The task.")),
        *SCORE,
    ),
    ("run", "task"),
    address="/suites/<suite>/history",
)
_NEWEST = (
    *_WEIGHTS,
    text("suite", _("The suite.")),
    integer("suite_version", _("The version of the suite that was run.")),
    text("suite_digest", _("Its digest.")),
    text("task", _("The task.")),
    integer("shots", _("Worked examples before each item."), null=_("As the harness has it.")),
    *SCORE,
    text("run", _("The run.")),
    RECALLED,
    moment("finished_at", _("When it ended."), null=_("It has not ended.")),
)
OVERVIEW = Table(
    "overview",
    _("Models by tasks"),
    _("The newest full result of each model on each task. JSON has a page of it, the files all."),
    Said(_("signed statements of workers, recomputed from the samples")),
    (
        *_NEWEST,
        number(
            "behind_baseline",
            _("How much worse than the baseline, by the task's own idea of good."),
            unit="of the score",
            null=_("The baseline was not measured on it, or no other version was."),
        ),
    ),
    ("model_digest", "suite", "task"),
    address="/findings/overview",
)
TASK_RESULTS = Table(
    "task-results",
    _("One task across models"),
    _("The newest full result of each model version on a task, best first."),
    Said(_("signed statements of workers, recomputed from the samples")),
    _NEWEST,
    ("model_digest",),
    address="/suites/<suite>/tasks/<task>",
)
CHART = Table(
    "chart",
    _("Figures of a chart"),
    _("What a chart shows, figure by figure."),
    Said(_("where the chart's page says")),
    (
        text("series", _("What the figure belongs with; empty where all belong together.")),
        text("label", _("What it is a figure of.")),
        moment("at", _("When it was measured."), null=_("The chart is not about time.")),
        number("value", _("The figure.")),
        number("low", _("Lower end of the 95 per cent interval."), null=_("There is no interval.")),
        number(
            "high", _("Upper end of the 95 per cent interval."), null=_("There is no interval.")
        ),
        integer("n", _("Of how many."), null=_("It is not of a number of things.")),
        number("line", _("What it is held against."), null=_("Nothing, or one line for all.")),
        text("verdict", _("Of a criterion: met, not_met or undecided; empty for anything else.")),
        text("task", _("Of a criterion: the task that it is about; empty for anything else.")),
        text(
            "comparison",
            _("Of a criterion: at_least, below or not_worse; empty for anything else."),
        ),
        number("threshold", _("What a criterion asks for."), null=_("It is no criterion.")),
    ),
    address="/charts/<kind>/<subject>",
)
RUN_RESULTS = Table(
    "run-results",
    _("Results of a run"),
    _("Every metric of every task, over all samples and by group."),
    Said(_("signed statements of workers, recomputed from the samples")),
    (
        text("run", _("The run.")),
        text("task", _("The task.")),
        SCORE[0],
        text("group", _("The group of samples; empty for all samples of the task.")),
        *SCORE[1:],
    ),
    ("run", "task", "metric", "group"),
    address="/runs/<run>/results",
)
SAMPLES = Table(
    "samples",
    _("Samples of a run"),
    _("Every prompt, answer and score of the tasks that the reader may see."),
    Said(_("the files of samples that workers signed")),
    (
        text("task", _("The task.")),
        integer("doc_id", _("The item's place in the data of the task, from 0.")),
        text("id", _("The item's own id."), null=_("It has none.")),
        text("group", _("Its group."), null=_("It is in none.")),
        text("target", _("The right answer.")),
        text("prompts", _("What was asked: JSON in text.")),
        text("responses", _("What was answered: JSON in text.")),
        text("scores", _("The score by metric: JSON in text.")),
    ),
    ("task", "doc_id"),
    address="/api/v1/runs/<run>/samples",
)
COMPARISON = Table(
    "comparison",
    _("Comparison of runs"),
    _("Differences between runs of one suite, paired by sample."),
    Said(_("the scores of single samples")),
    (
        text("task", _("The task.")),
        text("metric", _("The metric.")),
        boolean("higher_is_better", _("Which way is better.")),
        text("first_run", _("The run that the others are compared with.")),
        text("first_model", _("Its model.")),
        text("run", _("The other run.")),
        text("model", _("Its model.")),
        integer("n", _("Pairs of samples: those that both runs scored."), unit="samples"),
        integer("first_n", _("Samples of the first run, shared or not."), unit="samples"),
        integer("run_n", _("Samples of the other, shared or not."), unit="samples"),
        number("first_mean", _("The score of the first run on the pairs.")),
        number("mean", _("The score of the other on the pairs.")),
        number("difference", _("Mean of the differences by sample.")),
        number("low", _("Lower end of the 95 per cent interval."), null=_("There is no interval.")),
        number(
            "high", _("Upper end of the 95 per cent interval."), null=_("There is no interval.")
        ),
        integer(
            "gained",
            _("Samples that only the other answers well."),
            null=_("The scores are not 0 and 1."),
        ),
        integer(
            "lost",
            _("Samples that only the first answers well."),
            null=_("The scores are not 0 and 1."),
        ),
        text("method", _("How the difference was tested.")),
        number("p_value", _("Of this one test."), null=_("There was none.")),
        number("p_value_holm", _("Adjusted for all tasks (Holm)."), null=_("There was none.")),
        text("verdict", _("better, worse, different, or that no difference shows.")),
    ),
    ("task", "run"),
    address="/compare",
)
