"""What a decision did, in words for its pages and its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oversight.accounts.models import Organisation
from oversight.web.figures import grouped
from proposals.choices import DecisionOutcome, Origin, ProposalType
from proposals.effect_words import Line, decision_page, suite_of
from proposals.models import Decision, Proposal

IMPOSSIBLE = {
    "expired": _("The authorisation had expired by then."),
    "revoked": _("Another decision had ended the authorisation by then."),
    "superseded": _("Another decision had put something else in its place by then."),
    "suspended": _("The authorisation had been suspended by then."),
    "never-authorised": _("Nothing had been authorised."),
    "charter-changed": _("Another charter had come into force since it was written."),
    "admitted-already": _("The organisation had been admitted by then."),
    "text-changed": _("The text had changed since."),
    "annulled-already": _("The decision had been annulled by then."),
}
"""Why what was carried could not take effect, by the code on the record."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A proposal that was carried, with the effect of its record, decoded once."""

    proposal: Proposal
    effect: Mapping[str, Any]


def did(decision: Decision) -> list[Line]:
    """Return what a decision did, as its record says."""
    effect, proposal = decision.effect, decision.proposal
    if "impossible" in effect:
        why = IMPOSSIBLE.get(effect["impossible"], effect["impossible"])
        return [
            Line(
                gettext("It was carried and could not take effect. %(why)s Nothing was changed.")
                % {
                    "why": why,
                }
            )
        ]
    if decision.outcome == DecisionOutcome.ELECTED:
        return [
            Line(
                gettext("It names %(result_words)s and changes nothing in the registry.")
                % {
                    "result_words": decision.result_words,
                }
            )
        ]
    if "restored" in effect:
        words = gettext("The suspension was not ratified: in force again by")
        return [Line(words, *decision_page(effect["restored"]))]
    if decision.outcome != DecisionOutcome.CARRIED:
        return [
            Line(
                gettext("Nothing: only a carried decision has an effect. What stood before stands.")
            )
        ]
    return _DID.get(ProposalType(proposal.type), _did_nothing)(_Done(proposal, effect))


def _did_nothing(it: _Done) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line(gettext("It states the body's will and changes nothing in the registry."))]


def _did_grant(it: _Done) -> list[Line]:
    lines = [
        Line(
            gettext("It allows %(version)s to serve %(deployment)s.")
            % {
                "version": it.proposal.version,
                "deployment": it.proposal.deployment,
            }
        )
    ]
    if "authorisation" in it.effect:
        lines.append(Line(gettext("It renewed"), *decision_page(it.effect["authorisation"])))
    return lines


def _did_suspend(it: _Done) -> list[Line]:
    words = (
        gettext("It ratified the suspension of what was authorised by")
        if it.proposal.origin == Origin.EMERGENCY
        else gettext("It suspended what was authorised by")
    )
    return [Line(words, *decision_page(it.effect["authorisation"]))]


def _did_retire(it: _Done) -> list[Line]:
    return [
        Line(
            gettext("It ended what was authorised by"),
            *decision_page(it.effect["authorisation"]),
        )
    ]


def _did_adopt(it: _Done) -> list[Line]:
    version = suite_of(it.effect)
    page = (version.get_absolute_url(), str(version)) if version else ("", "")
    if not it.effect["criteria"]:
        return [Line(gettext("No criteria come with later proposals any more from"), *page)]
    words = gettext("Later proposals to authorise or renew a model come with its criteria of")
    return [Line(words, *page)]


def _did_amend(it: _Done) -> list[Line]:
    number = it.effect["charter"]
    page = f"/bodies/{it.proposal.body.slug}/charters/{number}/"
    return [
        Line(
            gettext("It put in force"),
            page,
            gettext("charter %(number)s of the %(body)s")
            % {
                "number": number,
                "body": it.proposal.body,
            },
        )
    ]


def _did_admit(it: _Done) -> list[Line]:
    organisation = Organisation.objects.filter(slug=it.effect["organisation"]).first()
    return [
        Line(
            gettext("It admitted %(organisation)s as an evaluator of the %(body)s.")
            % {
                "organisation": organisation,
                "body": it.proposal.body,
            }
        )
    ]


def _did_annul(it: _Done) -> list[Line]:
    lines = [Line(gettext("It annulled"), *decision_page(it.effect["annulled"]))]
    changed = len(it.effect["changed"])
    nothing, something = (
        gettext("Nothing of it stood any more."),
        gettext("It took back what that decision had done."),
    )
    return [*lines, Line(something if changed else nothing)]


def _did_allocate(it: _Done) -> list[Line]:
    page = ("/compute/#budgets", gettext("what is left of them"))
    return [
        Line(
            gettext("It allocated %(terms)s hours of hosts. See")
            % {
                "terms": grouped(it.effect["hours"]),
            },
            *page,
        )
    ]


def _did_amend_text(it: _Done) -> list[Line]:
    number, ref = it.effect["revision"], it.effect["proposal"]
    page = (
        f"/proposals/{ref}/revisions/{number}/",
        gettext("revision %(number)s of %(ref)s") % {"number": number, "ref": ref},
    )
    return [Line(gettext("It made"), *page)]


_DID = {
    ProposalType.AUTHORISE: _did_grant,
    ProposalType.RENEW: _did_grant,
    ProposalType.SUSPEND: _did_suspend,
    ProposalType.RETIRE: _did_retire,
    ProposalType.ADOPT_SUITE: _did_adopt,
    ProposalType.AMEND_CHARTER: _did_amend,
    ProposalType.ADMIT_EVALUATOR: _did_admit,
    ProposalType.ALLOCATE: _did_allocate,
    ProposalType.ANNUL: _did_annul,
    ProposalType.AMENDMENT: _did_amend_text,
}
