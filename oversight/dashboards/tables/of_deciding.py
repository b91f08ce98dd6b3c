"""Tables of what is decided, of incidents, and of the record itself."""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from oversight.accounts.models import Body
from oversight.dashboards.tables.columns import CHUNK_ROWS, Row, Table, from_query
from oversight.dashboards.tables.shorthand import (
    LEAF,
    acts,
    boolean,
    day,
    decimal,
    integer,
    moment,
    text,
    texts,
)
from oversight.incidents import shown
from oversight.incidents.filters import IncidentFilter, filtered
from oversight.ledger.models import LedgerEntry
from oversight.web.marks import Said
from proposals.choices import Status
from proposals.models import Decision, Proposal
from proposals.sheets import figures, with_sheet
from proposals.titles import language_at, titled

_BODIES = (
    text("body", _("Its address name."), at="slug"),
    text("name", _("As people call it.")),
    text("summary", _("What it does."), null=_("Not said.")),
    text("time_zone", _("The clock by which its votes close.")),
    text("language", _("In which it works, by BCP 47.")),
    moment("founded_at", _("When it was founded.")),
    LEAF,
)
BODIES = Table(
    "bodies",
    _("Bodies"),
    _("Councils, assemblies, juries and boards that decide."),
    acts("accounts.body.founded"),
    _BODIES,
    ("body",),
    from_query(lambda: Body.objects.order_by("slug"), _BODIES),
)

_PROPOSALS = (
    text("proposal", _("Its reference: year and number."), at="ref"),
    text("body", _("The body that decides."), at="body__slug"),
    text("type", _("What it would do when carried.")),
    text("status", _("The stage it is in.")),
    text("title", _("Of its newest revision."), at="shown_title"),
    text("language", _("Of the text, by BCP 47."), at="shown_language"),
    text(
        "deployment", _("The use it is about."), at="deployment__slug", null=_("It is about none.")
    ),
    text(
        "version",
        _("The weights it is about, by digest."),
        at="version__digest",
        null=_("It is about none."),
    ),
    moment("deliberation_opened_at", _("When it became public.")),
    moment("status_changed_at", _("Since when it is in this stage.")),
    text("ending_reason", _("Why it was withdrawn or annulled."), null=_("It was not.")),
    LEAF,
)
PROPOSALS = Table(
    "proposals",
    _("Proposals"),
    _("What was put to a body, from its deliberation on. Drafts are not public."),
    acts("proposals.proposal.*, proposals.stage.moved, proposals.text.revised"),
    _PROPOSALS,
    ("proposal",),
    from_query(
        lambda: (
            titled(
                Proposal.objects.exclude(status=Status.DRAFT).filter(
                    deliberation_opened_at__isnull=False
                )
            )
            .annotate(shown_language=language_at())
            .order_by("deliberation_opened_at", "pk")
        ),
        _PROPOSALS,
    ),
)

_NO_MOTION = _("It was no vote for or against something.")
_NO_THRESHOLD = _("Its method has none.")
_NO_QUORUM = _("None was asked for.")
_RESULT = (
    text("result", _("How the vote ended, in words.")),
    text("method", _("How it was counted: yes-no, consent, approval, irv and so on.")),
    decimal("votes_for", _("Weight of the votes for it; of those who consent."), null=_NO_MOTION),
    decimal("votes_against", _("Weight of the votes against; of objections."), null=_NO_MOTION),
    decimal("abstentions", _("Weight of those who abstained."), null=_NO_MOTION),
    decimal("votes_cast", _("Weight of all ballots, those carried by delegation included.")),
    decimal("on_roll", _("Weight of everybody who could vote."), null=_NO_MOTION),
    text("threshold", _("The share that carries, as a fraction."), null=_NO_THRESHOLD),
    text("threshold_comparison", _("at_least or more_than that share."), null=_NO_THRESHOLD),
    text("threshold_base", _("Of what: votes_cast, yes_and_no or roll."), null=_NO_THRESHOLD),
    text(
        "share_for",
        _("The votes for as a fraction of that."),
        null=_("There was nothing to take a share of."),
    ),
    text("quorum", _("The share that had to take part, as a fraction."), null=_NO_QUORUM),
    text("quorum_base", _("Of what: roll, roll_and_recused or members."), null=_NO_QUORUM),
    boolean("quorum_met", _("Whether so many took part."), null=_NO_QUORUM),
    text("tie_broken_by", _("casting_vote, of the chair, or lot."), null=_("Nothing broke a tie.")),
)
"""What the tally sheet of a decision comes to."""

_DECISIONS = (
    text("decision", _("Its reference, which is the proposal's."), at="proposal__ref"),
    text("body", _("The body that decided."), at="proposal__body__slug"),
    text("type", _("What was proposed."), at="proposal__type"),
    text("outcome", _("carried, not_carried, tied, no_quorum, elected or no_votes.")),
    text("title", _("Of the text that was voted on."), at="shown_title"),
    text("language", _("Of the text, by BCP 47."), at="shown_language"),
    *_RESULT,
    moment("decided_at", _("When the votes were counted.")),
    moment("in_force_until", _("Its sunset."), null=_("It has none.")),
    moment("review_at", _("When the body looks at it again."), null=_("No such date was set.")),
    boolean("is_override", _("Whether it was carried against a failed criterion.")),
    moment("annulled_at", _("When it was annulled."), null=_("It stands.")),
    text("annulment_reason", _("Why."), null=_("It stands.")),
    text("digest", _("Of the whole record: /decisions/<decision>/record.json.")),
    LEAF,
)
_FROM_SHEET = {column.name for column in _RESULT}


def _decisions() -> Iterator[Row]:
    fields = {c.name: c.at or c.name for c in _DECISIONS if c.name not in _FROM_SHEET}
    decided = titled(Decision.objects.order_by("decided_at", "pk"), "proposal_id")
    rows = with_sheet(decided.annotate(shown_language=language_at("proposal__")))
    for *values, sheet in rows.values_list(*fields.values(), "found_sheet").iterator(CHUNK_ROWS):
        row = dict(zip(fields, values, strict=True)) | figures(sheet)
        # An empty text is no value, as in other tables.
        yield {c.name: None if c.null and row[c.name] == "" else row[c.name] for c in _DECISIONS}


DECISIONS = Table(
    "decisions",
    _("Decisions"),
    _("What was decided. Ballots, contract and tally stand in the record of each."),
    acts("proposals.decision.*"),
    _DECISIONS,
    ("decision",),
    _decisions,
)

INCIDENT_COLUMNS = (
    text("ref", _("Its reference.")),
    text("status", _("triaged, investigating, mitigated or closed.")),
    text("severity", _("How grave it is, as a clerk judges."), null=_("Not judged yet.")),
    text("category", _("What went wrong."), null=_("Nothing is published yet.")),
    text("harm", _("What harm was done."), null=_("Not judged yet.")),
    text("body", _("The body that handles it."), null=_("None does yet.")),
    text("title", _("The public title, or what stands in its place.")),
    day("occurred_on", _("First known day."), null=_("Not known, or nothing is published yet.")),
    text("hidden", _("Why a clerk hid the public text."), null=_("It is not hidden.")),
    moment("reported_at", _("When it was reported.")),
    moment("responded_at", _("When a clerk first acted."), null=_("None has acted.")),
    moment("published_at", _("When its public text was written."), null=_("There is none yet.")),
    text("ending_reason", _("Why it was closed."), null=_("It is not closed.")),
    texts("deployments", _("The uses it is about.")),
    texts("versions", _("The weights it is about, by digest.")),
    texts("runs", _("The runs it is about.")),
    text("text", _("The public text, written by a clerk; empty where it is hidden.")),
    text("language", _("Of the text, by BCP 47.")),
    text("leaf", _("Id of the act that reported it; /receipts/<leaf>/ proves it.")),
)


def _incidents() -> Iterator[Row]:
    for incident in filtered(IncidentFilter({})).order_by("reported_at", "pk").iterator(CHUNK_ROWS):
        yield shown.as_row(incident)


INCIDENTS = Table(
    "incidents",
    _("Incidents"),
    _("What went wrong with models in service, once a clerk has looked at it."),
    acts("incidents.incident.*", and_also=_("the public texts of clerks")),
    INCIDENT_COLUMNS,
    ("ref",),
    _incidents,
)

_ACTS = (
    integer("index", _("Its place in the log, from 0.")),
    text("type", _("What was done.")),
    text("subject", _("What it was done to, as the record names it.")),
    text("actor", _("Who did it, by public id.")),
    text("leaf_hash", _("SHA-256 of 0x00 and the bytes of the leaf.")),
    text("leaf", _("Its id; /receipts/<leaf>/ proves it."), at="leaf_id"),
    moment("sequenced_at", _("When it was given its place.")),
)
ACTS = Table(
    "acts",
    _("Acts"),
    _("Every entry of the log. Its exact bytes stand at /record/<index>/leaf.json."),
    Said(_("the log")),
    _ACTS,
    ("index",),
    from_query(lambda: LedgerEntry.objects.order_by("index"), _ACTS),
)
