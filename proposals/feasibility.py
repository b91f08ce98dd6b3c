"""Whether a proposal could take effect as things stand: asked at drafting and at the opening.

Terms are checked in shape by `proposals.terms`; here they are held against the registry, the suites
and the charter of this moment. The effect itself checks again, under its locks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from evals.models import SuiteVersion
from oversight.accounts.models import Body
from oversight.registry.choices import AuthorisationState
from oversight.registry.models import Authorisation, ModelVersion
from oversight.web.languages import lowered
from proposals.charter import check_successor
from proposals.charter_chapters import differences
from proposals.charter_rules import CharterError
from proposals.choices import ABOUT_AUTHORISATIONS, ProposalType
from proposals.models import Charter, Decision, SuiteAdoption

Problem = tuple[str, str]
"""The field at fault, and what is wrong in words."""


def problems(
    kind: ProposalType,
    body: Body,
    terms: Mapping[str, Any],
    *,
    target_ref: str = "",
    charter: Charter,
) -> list[Problem]:
    """Return why such a proposal could not take effect if it were carried now; empty if it could.

    Args:
        kind: what it would do.
        body: that decides.
        terms: as `proposals.terms` has read them.
        target_ref: the earlier decision that it acts on.
        charter: in force.
    """
    found: list[Problem] = []
    if kind in ABOUT_AUTHORISATIONS:
        found += _about_authorisation(kind, target_ref)
    if kind == ProposalType.ANNUL:
        found += _about_decision(target_ref)
    found += _about_times(terms, charter.rules_for(kind).sunset_days)
    if kind == ProposalType.ADOPT_SUITE:
        found += _about_suite(body, terms)
    if kind == ProposalType.AMEND_CHARTER:
        found += _about_charter(terms, charter)
    if kind == ProposalType.ADMIT_EVALUATOR:
        slug = terms["organisation"]
        if body.evaluators.filter(organisation__slug=slug, ended_at=None).exists():
            found.append(
                (
                    "organisation",
                    _("“%(slug)s” is an evaluator of %(body)s already.")
                    % {
                        "slug": slug,
                        "body": body,
                    },
                )
            )
    return found


def _about_times(terms: Mapping[str, Any], longest: int) -> list[Problem]:
    found = []
    if terms.get("days", 0) > longest:
        found.append(
            (
                "days",
                _("The charter lets an authorisation last up to %(longest)s days.")
                % {
                    "longest": longest,
                },
            )
        )
    if terms.get("review_days", 0) >= min(terms.get("days", longest), longest):
        found.append(("review_days", _("The review comes before the authorisation ends.")))
    return found


def _about_authorisation(kind: ProposalType, target_ref: str) -> list[Problem]:
    row = Authorisation.objects.filter(decision_ref=target_ref).first()
    if row is None:
        return [
            (
                "target",
                _("Decision %(target_ref)s has authorised nothing.")
                % {
                    "target_ref": target_ref,
                },
            )
        ]
    state = row.state_now
    if state in {AuthorisationState.REVOKED, AuthorisationState.SUPERSEDED}:
        return [
            (
                "target",
                _("The authorisation %(target_ref)s was %(state)s.")
                % {
                    "target_ref": target_ref,
                    "state": lowered(AuthorisationState(state).label),
                },
            )
        ]
    if row.is_ended and kind != ProposalType.RENEW:
        return [
            (
                "target",
                _("The authorisation %(target_ref)s has expired.")
                % {
                    "target_ref": target_ref,
                },
            )
        ]
    decided = state == AuthorisationState.SUSPENDED and row.suspended_until is None
    if kind == ProposalType.SUSPEND and decided:
        return [
            (
                "target",
                _("The authorisation %(target_ref)s is suspended already.")
                % {
                    "target_ref": target_ref,
                },
            )
        ]
    return []


def _about_decision(target_ref: str) -> list[Problem]:
    target = Decision.objects.select_related("proposal").get(proposal__ref=target_ref)
    if target.is_annulled:
        return [
            (
                "target",
                _("Decision %(target_ref)s is annulled already.") % {"target_ref": target_ref},
            )
        ]
    if target.proposal.type == ProposalType.ANNUL:
        return [("target", _("An annulment cannot be annulled; decide the matter anew."))]
    return []


def _about_suite(body: Body, terms: Mapping[str, Any]) -> list[Problem]:
    version = SuiteVersion.objects.select_related("suite").filter(digest=terms["suite"]).first()
    if version is None:
        return [("suite", _("No published suite version has this digest."))]
    if not terms["criteria"]:
        standing = SuiteAdoption.objects.filter(body=body, suite=version.suite, ended_at=None)
        if not standing.exists():
            return [("criteria", _("Name at least one criterion; none of this suite stands."))]
    tasks = {task["name"]: task["metrics"] for task in version.tasks}
    for row in terms["criteria"]:
        if row["task"] not in tasks:
            return [
                (
                    "criteria",
                    _("The suite has no task “%(row)s”: %(tasks)s.")
                    % {
                        "row": row["task"],
                        "tasks": ", ".join(tasks),
                    },
                )
            ]
        if row["metric"] not in tasks[row["task"]]:
            known = ", ".join(tasks[row["task"]])
            return [
                (
                    "criteria",
                    _("Task %(row)s has no metric “%(row_2)s”: %(known)s.")
                    % {
                        "row": row["task"],
                        "row_2": row["metric"],
                        "known": known,
                    },
                )
            ]
    return _about_comparisons(version, terms["criteria"])


def _about_comparisons(
    version: SuiteVersion, criteria: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    """Return why what is asked beside another version could not be judged."""
    asked = [row for row in criteria if "beside" in row]
    for row in asked:
        if "neutral" in version.task(row["task"]):
            words = _("On %(row)s neither more nor less is better: nothing is worse.") % {
                "row": row["task"],
            }
            return [("criteria", words)]
    digests = {row["beside"] for row in asked}
    if ModelVersion.objects.filter(digest__in=digests).count() < len(digests):
        return [("beside", _("No registered version has the digest to compare with."))]
    return []


def _about_charter(terms: Mapping[str, Any], charter: Charter) -> list[Problem]:
    if terms["base"] != charter.number:
        words = _(
            "It amends charter %(terms)s, and charter %(number)s is in force: write the "
            "amendment anew."
        ) % {
            "terms": terms["base"],
            "number": charter.number,
        }
        return [("base", words)]
    if not differences(charter.document, terms["charter"]):
        return [("charter", _("It says the same as the charter in force; change a rule."))]
    try:
        check_successor(charter.document, terms["charter"])
    except CharterError as error:
        return [("charter", str(error))]
    return []
