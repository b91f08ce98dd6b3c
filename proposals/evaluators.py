"""Whose suites and workers count as evidence, where a charter asks for admitted evaluators."""

from collections.abc import Collection

from evals.models import SuiteVersion
from oversight.accounts.choices import OrganisationRole
from oversight.accounts.models import Body
from proposals.models import Charter, Proposal, SuiteAdoption


def asks_for_admission(proposal: Proposal, charter: Charter | None = None) -> bool:
    """Say whether only evaluators that the body has admitted count for this proposal."""
    found = charter or Charter.objects.filter(body=proposal.body).order_by("-number").first()
    return found is not None and found.rules_for(proposal.type).evaluators == "admitted"


def counted_organisations(proposal: Proposal) -> Collection[int] | None:
    """Return the organisations whose workers count for a proposal now; None where all do."""
    return admitted(proposal.body) if asks_for_admission(proposal) else None


def admitted(body: Body) -> list[int]:
    """Return the organisations that are the body's evaluators now."""
    return list(body.evaluators.filter(ended_at=None).values_list("organisation", flat=True))


def admitted_slugs(body: Body) -> list[str]:
    """Return the same by the names that the record has for them."""
    rows = body.evaluators.filter(ended_at=None).values_list("organisation__slug", flat=True)
    return sorted(rows)


def may_be_asked(suite_version: SuiteVersion, body: Body) -> bool:
    """Say whether a body that admits its evaluators can ask a suite's criteria.

    It can where an evaluator of an admitted organisation published it, or the body has adopted it.
    """
    if SuiteAdoption.objects.filter(body=body, version=suite_version, ended_at=None).exists():
        return True
    acts = suite_version.published_by.affiliations.in_term().filter(role=OrganisationRole.EVALUATOR)
    return acts.filter(organisation__in=admitted(body)).exists()
