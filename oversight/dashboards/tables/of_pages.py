"""Tables that stand beside a page: figures of compute, participation, history, comparison."""

from django.utils.translation import gettext_noop as _

from oversight.dashboards.tables.columns import Column, Table
from oversight.dashboards.tables.shorthand import (
    SCORE,
    boolean,
    decimal,
    integer,
    moment,
    number,
    text,
)

_STATED = "the statements that workers signed"
_TAKEN = (
    integer("runs", "How many runs."),
    integer("task_runs", "How many tasks of runs have ended well."),
    decimal("hours", "Work of hosts.", unit="hours"),
    integer("tokens", "Tokens read and written.", unit="tokens"),
    decimal("measured_wh", "Energy that devices reported.", unit="watt-hours"),
    decimal("estimated_wh", "Energy estimated from the kind of device.", unit="watt-hours"),
    decimal("money", "What it cost.", unit="currency", null="Nobody stated a cost."),
    text("currency", "Of the cost.", null="Nobody stated a cost."),
)

COMPUTE = Table(
    "compute",
    _("Compute by host"),
    _("What each host gave, by class and by how its energy is known."),
    _STATED,
    (
        text("organisation", "The host's organisation."),
        text("worker", "The host, as its organisation calls it."),
        text("worker_id", "Its public id."),
        text("resource_class", "cpu or gpu."),
        integer("task_runs", "How many tasks of runs have ended well."),
        decimal("hours", "Work.", unit="hours"),
        integer("tokens", "Tokens read and written.", unit="tokens"),
        decimal("watt_hours", "Energy.", unit="watt-hours"),
        text("energy_is", "measured by the device, or estimated from its kind."),
        decimal("money", "What it cost.", unit="currency", null="Nobody stated a cost."),
        text("currency", "Of the cost.", null="Nobody stated a cost."),
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
    text("model", "The model that was evaluated."),
    _("Compute by model"),
    _("What each model took."),
)
COMPUTE_BY_RUN = _by(
    text("run", "The run."),
    _("Compute by run"),
    _("What each run took, of the newest 10,000."),
)
COMPUTE_BY_BODY = _by(
    text("body", "The body for whose proposals it was.", null="For no body's proposal."),
    _("Compute by body"),
    _("What each body took."),
)
BUDGETS = Table(
    "budgets",
    _("Budgets of compute"),
    _("Hours that bodies have voted for evaluations, and what is left of them."),
    "the acts evals.budget.*, and the time that workers held tasks",
    (
        text("body", "The body that voted for it."),
        text("decision", "The decision."),
        text("state", "Whether it stands, is spent, or has ended."),
        integer("hours", "What was voted for.", unit="hours"),
        decimal("used_hours", "What runs have taken.", unit="hours"),
        decimal("left_hours", "What is left; below 0 where a run took more.", unit="hours"),
        integer("runs", "How many runs it paid for."),
        moment("starts_at", "From when it may be used."),
        moment("until", "Until when."),
        moment("ended_at", "When it was ended before that.", null="It was not."),
        text("ended_by", "The decision that ended it.", null="It was not ended by one."),
    ),
    ("decision",),
    address="/compute/budgets",
)
STATISTICS = Table(
    "incident-statistics",
    _("Incidents in numbers"),
    _("How many incidents stand where, and how grave."),
    "the list of incidents",
    (
        text("by", "What is counted by: status, severity, category or deployment."),
        text("key", "The value, as data names it.", null="It has no such value."),
        text("label", "The same in words."),
        integer("number", "How many there are."),
        integer("open", "How many of them are not over."),
    ),
    address="/incidents/statistics",
)
_IN_VOTES = (
    integer("on_roll", "Who could vote, or how often one could."),
    integer("cast", "Ballots cast."),
    integer("delegated", "Votes that were delegated."),
    integer("recused", "Conflicts of interest declared."),
)
VOTES = Table(
    "votes",
    _("Votes of a body"),
    _("Turnout of each vote that has ended."),
    "contracts, rolls and ballots on the record",
    (
        text("decision", "The decision."),
        text("title", "What was voted on."),
        moment("decided_at", "When the votes were counted."),
        text("outcome", "How it ended."),
        boolean("secret", "Whether the ballots are secret from the public."),
        *_IN_VOTES,
    ),
    ("decision",),
    address="/bodies/<body>/participation",
)
MEMBERS = Table(
    "members",
    _("Members of a body"),
    _("How often each member could vote, and did."),
    "contracts, rolls and ballots on the record",
    (
        text("member", "The seat's public id, as the record names it."),
        text("name", "The name that the member shows."),
        boolean("in_term", "Whether the term holds today."),
        *_IN_VOTES,
    ),
    ("member",),
    address="/bodies/<body>/members",
)
_WEIGHTS = (
    text("model", "The model."),
    text("version", "Its version, as its developer names it."),
    text("model_digest", "The digest of its weights."),
)
HISTORY = Table(
    "suite-history",
    _("History of a suite"),
    _("The headline score of every task in the newest 1,000 full runs of all versions of a suite."),
    "signed statements of workers, recomputed from the samples",
    (
        text("run", "The run."),
        moment("finished_at", "When it ended.", null="It has not ended."),
        integer("suite_version", "The version of the suite."),
        text("suite_digest", "Its digest."),
        *_WEIGHTS,
        text("task", "The task."),
        *SCORE,
    ),
    ("run", "task"),
    address="/suites/<suite>/history",
)
_NEWEST = (
    *_WEIGHTS,
    text("suite", "The suite."),
    integer("suite_version", "The version of the suite that was run."),
    text("suite_digest", "Its digest."),
    text("task", "The task."),
    integer("shots", "Worked examples before each item.", null="As the harness has it."),
    *SCORE,
    text("run", "The run."),
    moment("finished_at", "When it ended.", null="It has not ended."),
)
OVERVIEW = Table(
    "overview",
    _("Models by tasks"),
    _("The newest full result of each model on each task. JSON has a page of it, the files all."),
    "signed statements of workers, recomputed from the samples",
    (
        *_NEWEST,
        number(
            "behind_baseline",
            "How much worse than the baseline, by the task's own idea of good.",
            unit="of the score",
            null="The baseline was not measured on it.",
        ),
    ),
    ("model_digest", "suite", "task"),
    address="/findings/overview",
)
TASK_RESULTS = Table(
    "task-results",
    _("One task across models"),
    _("The newest full result of each model version on a task, best first."),
    "signed statements of workers, recomputed from the samples",
    _NEWEST,
    ("model_digest",),
    address="/suites/<suite>/tasks/<task>",
)
CHART = Table(
    "chart",
    _("Figures of a chart"),
    _("What a chart shows, figure by figure."),
    "where the chart's page says",
    (
        text("series", "What the figure belongs with; empty where all belong together."),
        text("label", "What it is a figure of."),
        moment("at", "When it was measured.", null="The chart is not about time."),
        number("value", "The figure."),
        number("low", "Lower end of the 95 % interval.", null="There is no interval."),
        number("high", "Upper end of the 95 % interval.", null="There is no interval."),
        integer("n", "Of how many.", null="It is not of a number of things."),
        number("line", "What it is held against.", null="Nothing, or one line for all."),
        text("verdict", "Of a criterion: met, not_met or undecided; empty for anything else."),
        text("task", "Of a criterion: the task that it is about; empty for anything else."),
        text(
            "comparison", "Of a criterion: at_least, below or not_worse; empty for anything else."
        ),
        number("threshold", "What a criterion asks for.", null="It is no criterion."),
    ),
    address="/charts/<kind>/<subject>",
)
RUN_RESULTS = Table(
    "run-results",
    _("Results of a run"),
    _("Every metric of every task, over all samples and by group."),
    "signed statements of workers, recomputed from the samples",
    (
        text("run", "The run."),
        text("task", "The task."),
        SCORE[0],
        text("group", "The group of samples; empty for all samples of the task."),
        *SCORE[1:],
    ),
    ("run", "task", "metric", "group"),
    address="/runs/<run>/results",
)
SAMPLES = Table(
    "samples",
    _("Samples of a run"),
    _("Every prompt, answer and score of the tasks that the reader may see."),
    "the files of samples that workers signed",
    (
        text("task", "The task."),
        integer("doc_id", "The item's place in the data of the task, from 0."),
        text("id", "The item's own id.", null="It has none."),
        text("group", "Its group.", null="It is in none."),
        text("target", "The right answer."),
        text("prompts", "What was asked: JSON in text."),
        text("responses", "What was answered: JSON in text."),
        text("scores", "The score by metric: JSON in text."),
    ),
    ("task", "doc_id"),
    address="/api/v1/runs/<run>/samples",
)
COMPARISON = Table(
    "comparison",
    _("Comparison of runs"),
    _("Differences between runs of one suite, paired by sample."),
    "the scores of single samples",
    (
        text("task", "The task."),
        text("metric", "The metric."),
        boolean("higher_is_better", "Which way is better."),
        text("first_run", "The run that the others are compared with."),
        text("first_model", "Its model."),
        text("run", "The other run."),
        text("model", "Its model."),
        integer("n", "Pairs of samples.", unit="samples"),
        number("first_mean", "The score of the first run."),
        number("mean", "The score of the other."),
        number("difference", "Mean of the differences by sample."),
        number("low", "Lower end of the 95 % interval.", null="There is no interval."),
        number("high", "Upper end of the 95 % interval.", null="There is no interval."),
        integer(
            "gained",
            "Samples that only the other answers well.",
            null="The scores are not 0 and 1.",
        ),
        integer(
            "lost", "Samples that only the first answers well.", null="The scores are not 0 and 1."
        ),
        text("method", "How the difference was tested."),
        number("p_value", "Of this one test.", null="There was none."),
        number("p_value_holm", "Adjusted for all tasks (Holm).", null="There was none."),
        text("verdict", "better, worse, different, or that no difference shows."),
    ),
    ("task", "run"),
    address="/compare",
)
