"""The kinds of things that a search finds: the statement that ranks each, and what loads its rows.

Where a text can be hidden or a proposal is a draft, the statement leaves it out: nobody finds here
what a stranger may not read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from evals.models import Run, SuiteVersion
from oversight.accounts.models import Body
from oversight.incidents.models import Incident
from oversight.registry.models import Deployment, ModelVersion, RegisteredModel
from oversight.web.languages import lowered
from oversight.web.written import Written, language_of
from proposals.markdown import plain_words
from proposals.models import (
    Argument,
    Comment,
    Minutes,
    OpinionStatement,
    Proposal,
    Revision,
    Statement,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST = 1_000
"""How many findings a search counts and pages through."""

NEARLY = 0.45
"""How much of a name has to be like what was typed, by its groups of three letters."""

_RANK = "ts_rank({words}, q.query)"
REVISION_WORDS = "oversight_words(r.title || ' ' || r.summary || ' ' || r.body_markdown)"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that can be found."""

    key: str
    label: "StrOrPromise"
    sql: str
    """Gives key and rank; reads `q.query` (what is sought) and `q.text` (as it was typed)."""
    load: Callable[[list[int]], Iterable["Found"]]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found."""

    key: int
    kind: str
    title: str
    href: str
    text: str
    note: str = ""
    pieces: tuple[tuple[str, bool], ...] = ()

    """The text round the words, each with whether it is one that was sought."""

    @property
    def language(self) -> str:
        """The language of the text, where somebody wrote it; empty where it is ours."""
        return language_of(self.text)


# -- Statements ------------------------------------------------------------------------------


def _exact(column: str, value: str = "q.text") -> str:
    """Give a thing that is named exactly the first place."""
    return f"CASE WHEN lower({column}) = lower({value}) THEN 10 ELSE 0 END"


def _named(table: str, words: str, names: str) -> str:
    """Return the statement for things with names: by their words, or where a name is nearly so."""
    return f"""
        SELECT t.id, greatest(
            2 * ts_rank(oversight_words({names}), q.query)
            + ts_rank(oversight_words({words}), q.query),
            word_similarity(q.text, unaccent({names})) - {NEARLY}
        ) + {_exact("t.slug")} + {_exact("t.name") if "t.name" in names else "0"}
        FROM {table} t
        WHERE oversight_words({words}) @@ q.query
           OR word_similarity(q.text, unaccent({names})) >= {NEARLY}
    """  # noqa: S608 - tables and columns are ours


_PROPOSALS = f"""
    SELECT p.id, 3 * ts_rank(oversight_words(r.title), q.query)
        + {_RANK.format(words="r.search_words")} + {_exact("p.ref")}
    FROM proposals_revision r JOIN proposals_proposal p ON p.id = r.proposal_id
    WHERE p.status <> 'draft'
      AND r.id IN (
          SELECT r.id FROM proposals_revision r WHERE {REVISION_WORDS} @@ q.query
          UNION ALL
          SELECT r.id FROM proposals_revision r
          JOIN proposals_proposal p ON p.id = r.proposal_id WHERE p.ref = q.text
      )
      AND r.number = (SELECT max(number) FROM proposals_revision WHERE proposal_id = p.id)
"""  # noqa: S608


def _talk(table: str, kept: str = "oversight_words(t.text)") -> str:
    """Return the statement for what was said about a proposal and is not hidden.

    Of a word that stands everywhere, only the newest are ranked. `kept` is where the words of a
    text are found without making them anew.
    """
    return f"""
        SELECT t.id, 0.5 * ts_rank({kept}, q.query)
        FROM {table} t
        WHERE t.id IN (
            SELECT t.id FROM {table} t JOIN proposals_proposal p ON p.id = t.proposal_id
            WHERE oversight_words(t.text) @@ q.query
              AND t.hidden_at IS NULL AND p.status <> 'draft'
            ORDER BY t.id DESC LIMIT {MOST}
        )
    """  # noqa: S608


_STATEMENTS = """
    SELECT t.id, 0.5 * ts_rank(oversight_words(t.text), q.query)
    FROM proposals_statement t WHERE oversight_words(t.text) @@ q.query
"""
_MINUTES = """
    SELECT t.id, 0.5 * ts_rank(oversight_words(t.text), q.query)
    FROM proposals_minutes t
    WHERE t.adopted_at IS NOT NULL AND oversight_words(t.text) @@ q.query
"""
_VERSIONS = """
    SELECT t.id, 10
    FROM registry_modelversion t
    WHERE t.digest = lower(q.text) OR t.digest = 'sha256:' || lower(q.text)
"""
_SUITES = """
    SELECT v.id, 2 * ts_rank(oversight_words(s.title), q.query)
        + CASE WHEN s.slug = lower(q.text) THEN 10 ELSE 0 END
        + greatest(0, word_similarity(q.text, unaccent(s.title)) - 0.45)
    FROM evals_suite s
    JOIN LATERAL (SELECT * FROM evals_suiteversion v WHERE v.suite_id = s.id
                  ORDER BY v.number DESC LIMIT 1) v ON true
    WHERE oversight_words(s.title || ' ' || coalesce(v.document ->> 'description', '')) @@ q.query
       OR word_similarity(q.text, unaccent(s.title)) >= 0.45
       OR v.digest = lower(q.text)
"""
_RUNS = """
    SELECT t.id, 10 FROM evals_run t WHERE t.ref = lower(q.text)
"""


PARTICIPATION_WORDS = (
    "turnout participation attendance delegations votes cast "
    "taux de participation présence délégations votants "
    "Stimmbeteiligung Wahlbeteiligung Beteiligung Teilnahme Delegationen"
)
"""What people look for when they look for a body's figures, in the languages of the pages."""

# Found by these words, and by a body's name beside them; its name alone finds the body.
_PARTICIPATION = f"""
    SELECT t.id, 1 FROM accounts_body t
    WHERE oversight_words('{PARTICIPATION_WORDS} ' || t.name) @@ q.query
      AND NOT oversight_words(t.name) @@ q.query
"""  # noqa: S608

INCIDENT_WORDS = "oversight_words(t.title || ' ' || t.text)"
_INCIDENTS = f"""
    SELECT t.id, 2 * ts_rank(oversight_words(t.title), q.query)
        + {_RANK.format(words=INCIDENT_WORDS)} + {_exact("t.ref")}
    FROM incidents_incident t
    WHERE ({INCIDENT_WORDS} @@ q.query OR t.ref = upper(q.text))
      AND t.published_at IS NOT NULL AND t.hidden_at IS NULL
"""  # noqa: S608


# -- Rows ------------------------------------------------------------------------------------


def _load_proposals(keys: list[int]) -> Iterable[Found]:
    newest = {
        row.proposal_id: row
        for row in Revision.objects.filter(proposal__in=keys).order_by("proposal_id", "number")
    }
    for row in Proposal.objects.filter(pk__in=keys).select_related("body", "decision"):
        decision = getattr(row, "decision", None)
        href = decision.get_absolute_url() if decision else row.get_absolute_url()
        state = decision.get_outcome_display() if decision else row.get_status_display()
        words = f"{newest[row.pk].summary} {plain_words(newest[row.pk].body_markdown)}"
        text = Written(words, row.written_in)
        title = Written(newest[row.pk].title, row.written_in)
        names = {"label": f"{row.ref}, {row.body}", "words": lowered(state)}
        note = gettext("%(label)s: %(words)s") % names
        yield Found(row.pk, "proposal", title, href, text, note)


def _load_models(keys: list[int]) -> Iterable[Found]:
    for row in RegisteredModel.objects.filter(pk__in=keys):
        yield Found(row.pk, "model", row.name, row.get_absolute_url(), row.summary, row.developer)


def _load_versions(keys: list[int]) -> Iterable[Found]:
    for row in ModelVersion.objects.filter(pk__in=keys).select_related("model"):
        yield Found(row.pk, "version", str(row), row.get_absolute_url(), row.digest)


def _load_deployments(keys: list[int]) -> Iterable[Found]:
    for row in Deployment.objects.filter(pk__in=keys).select_related("endpoint__operator"):
        note = gettext("for %(audience)s, run by %(operator)s") % {
            "audience": row.audience,
            "operator": row.endpoint.operator,
        }
        yield Found(row.pk, "deployment", row.name, row.get_absolute_url(), row.purpose, note)


def _load_suites(keys: list[int]) -> Iterable[Found]:
    for row in SuiteVersion.objects.filter(pk__in=keys).select_related("suite"):
        text = str(row.document.get("description", ""))
        href = row.suite.get_absolute_url()
        yield Found(
            row.pk,
            "suite",
            row.suite.title,
            href,
            text,
            gettext("version %(number)s") % {"number": row.number},
        )


def _load_runs(keys: list[int]) -> Iterable[Found]:
    for row in Run.objects.filter(pk__in=keys).with_parts():
        note = str(row.get_state_display())
        names = {"model": row.model_version, "suite": row.suite_version}
        text = gettext("%(model)s on %(suite)s") % names
        yield Found(row.pk, "run", row.ref, row.get_absolute_url(), text, note)


def _load_incidents(keys: list[int]) -> Iterable[Found]:
    for row in Incident.objects.filter(pk__in=keys):
        names = {"label": row.ref, "words": lowered(row.get_status_display())}
        note = gettext("%(label)s: %(words)s") % names
        yield Found(
            row.pk, "incident", row.shown_title, row.get_absolute_url(), row.shown_text, note
        )


def _load_bodies(keys: list[int]) -> Iterable[Found]:
    for row in Body.objects.filter(pk__in=keys):
        summary = Written(row.summary, row.language)
        yield Found(row.pk, "body", row.name, reverse("body", args=[row.slug]), summary)


def _load_participation(keys: list[int]) -> Iterable[Found]:
    for row in Body.objects.filter(pk__in=keys):
        title = gettext("Who takes part in the %(body)s") % {"body": row}
        text = gettext("Turnout by vote and by member, and the delegations that stand.")
        yield Found(row.pk, "participation", title, reverse("participation", args=[row.slug]), text)


def _load_minutes(keys: list[int]) -> Iterable[Found]:
    for row in Minutes.objects.filter(pk__in=keys).select_related("body"):
        title = gettext("Minutes %(number)s of %(body)s") % {
            "number": row.number,
            "body": row.body,
        }
        text = Written(plain_words(row.text), row.language)
        yield Found(row.pk, "minutes", title, row.get_absolute_url(), text)


def _load_statements(keys: list[int]) -> Iterable[Found]:
    rows = Statement.objects.filter(pk__in=keys).select_related(
        "decision__proposal__body", "author"
    )
    for row in rows:
        href = f"{row.decision.get_absolute_url()}#statement-{row.pk}"
        kind = str(row.get_kind_display())
        words = {"kind": kind[:1].upper() + kind[1:], "ref": row.decision.ref}
        title = gettext("%(kind)s on %(ref)s") % words
        text = Written(plain_words(row.text), row.written_in)
        yield Found(row.pk, "statement", title, href, text, str(row.author))


def _said(
    model: Any, kind: str, word: "StrOrPromise", place: str
) -> Callable[[list[int]], Iterable[Found]]:
    """Return what loads things that were said about a proposal."""

    def load(keys: list[int]) -> Iterable[Found]:
        for row in model.objects.filter(pk__in=keys).select_related("proposal__body", "author"):
            href = row.proposal.get_absolute_url() + place.format(row.pk)
            title = gettext("%(kind)s on %(ref)s") % {"kind": word, "ref": row.proposal.ref}
            text = Written(plain_words(row.text), row.written_in)
            yield Found(row.pk, kind, title, href, text, str(row.author))

    return load


KINDS = (
    Kind("proposal", gettext_lazy("Proposals and decisions"), _PROPOSALS, _load_proposals),
    Kind(
        "model", gettext_lazy("Models"),
        _named("registry_registeredmodel", "t.name || ' ' || t.developer || ' ' || t.summary",
               "t.name"),
        _load_models,
    ),
    Kind("version", gettext_lazy("Versions"), _VERSIONS, _load_versions),
    Kind(
        "deployment", gettext_lazy("Deployments"),
        _named("registry_deployment", "t.name || ' ' || t.purpose || ' ' || t.audience", "t.name"),
        _load_deployments,
    ),
    Kind("incident", gettext_lazy("Incidents"), _INCIDENTS, _load_incidents),
    Kind("suite", gettext_lazy("Suites"), _SUITES, _load_suites),
    Kind("run", gettext_lazy("Runs"), _RUNS, _load_runs),
    Kind(
        "body", gettext_lazy("Bodies"),
        _named("accounts_body", "t.name || ' ' || t.summary", "t.name"), _load_bodies,
    ),
    Kind(
        "participation", gettext_lazy("Participation"), _PARTICIPATION, _load_participation
    ),
    Kind("comment", gettext_lazy("Comments"), _talk("proposals_comment", "t.search_words"),
         _said(Comment, "comment", gettext_lazy("Comment"), "#comment-{}")),
    Kind("argument", gettext_lazy("Arguments"), _talk("proposals_argument"),
         _said(Argument, "argument", gettext_lazy("Argument"), "arguments/#argument-{}")),
    Kind("opinion", gettext_lazy("Statements"), _talk("proposals_opinionstatement"),
         _said(OpinionStatement, "opinion",
               pgettext_lazy("what people agree with", "Statement"), "opinions/")),
    Kind("statement", gettext_lazy("Reasons and dissents"), _STATEMENTS, _load_statements),
    Kind("minutes", gettext_lazy("Minutes"), _MINUTES, _load_minutes),
)  # fmt: skip
"""Everything that can be found, in the order of its tabs."""
