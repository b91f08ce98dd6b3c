"""What a proposal would do, and what a decision did, in words for their pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.choices import Comparison
from evals.models import SuiteVersion
from oversight.accounts.models import Organisation
from oversight.registry import conditions
from oversight.registry.models import Authorisation, ModelVersion
from proposals.charter_chapters import Difference, differences
from proposals.choices import DecisionOutcome, Origin, ProposalType
from proposals.models import Charter, Decision, Proposal, SuiteAdoption

IMPOSSIBLE = {
    "expired": "The authorisation had expired by then.",
    "revoked": "Another decision had ended the authorisation by then.",
    "superseded": "Another decision had put something else in its place by then.",
    "suspended": "The authorisation had been suspended by then.",
    "never-authorised": "Nothing had been authorised.",
    "charter-changed": "Another charter had come into force since it was written.",
    "admitted-already": "The organisation had been admitted by then.",
    "text-changed": "The text had changed since.",
    "annulled-already": "The decision had been annulled by then.",
}
"""Why what was carried could not take effect, by the code on the record."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, with the page that it speaks of."""

    text: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A proposal with its terms, or a decision with the effect of its record."""

    proposal: Proposal
    terms: Mapping[str, Any]
    charter: Charter | None = None

    @property
    def serving(self) -> str:
        """What would serve where, as the beginning of a sentence."""
        return f"{self.proposal.version} may serve {self.proposal.deployment}"

    def days(self, kind: ProposalType) -> int:
        """Return how long what it grants would last."""
        assert self.charter is not None  # noqa: S101 - only what is still proposed asks
        longest = self.charter.rules_for(kind).sunset_days
        return min(int(self.terms.get("days", longest)), longest)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a proposal would do when carried."""

    lines: list[Line]
    conditions: list[tuple[str, str]] = field(default_factory=list)
    criteria: list[str] = field(default_factory=list)
    charter: list[Difference] = field(default_factory=list)
    override_reason: str = ""


def would_do(proposal: Proposal, terms: Mapping[str, Any], charter: Charter) -> Effect:
    """Return what a proposal would do when carried, by the terms of its newest text."""
    kind = ProposalType(proposal.type)
    lines = _LINES[kind](_Plan(proposal, terms, charter))
    return Effect(
        lines,
        conditions.words(terms.get("conditions", {})),
        criteria_lines(terms.get("criteria", []), _suite(terms)),
        _amended(proposal, terms) if kind == ProposalType.AMEND_CHARTER else [],
        terms.get("override_reason", ""),
    )


def criteria_lines(criteria: list[dict[str, Any]], version: SuiteVersion | None) -> list[str]:
    """Return each criterion as a sentence, its task by its title."""
    return [_criterion(row, version) for row in criteria]


def _criterion(row: Mapping[str, Any], version: SuiteVersion | None) -> str:
    tasks = {task["name"]: task["title"] for task in version.tasks} if version else {}
    asked = f"{Comparison(row['comparison']).label} {row['threshold']}"
    if "beside" in row:
        other = ModelVersion.objects.filter(digest=row["beside"]).first()
        asked = f"not worse than {other or row['beside']} by more than {row['threshold']}"
    must = ", must pass" if row["must_pass"] else ""
    return f"{tasks.get(row['task'], row['task'])}: {row['metric']} {asked}{must}"


def _suite(terms: Mapping[str, Any]) -> SuiteVersion | None:
    found = SuiteVersion.objects.select_related("suite")
    return found.filter(digest=terms["suite"]).first() if "suite" in terms else None


def _amended(proposal: Proposal, terms: Mapping[str, Any]) -> list[Difference]:
    before = Charter.objects.filter(body=proposal.body, number=terms["base"]).first()
    return differences(before.document, terms["charter"]) if before else []


def _authorise(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.AUTHORISE)
    lines = [Line(f"{it.serving} from the decision on, for {days} days."), *_review(it)]
    standing = Authorisation.objects.standing().filter(deployment=it.proposal.deployment)
    found = standing.exclude(decision_ref=it.proposal.ref).with_parts().first()
    if found and not hasattr(it.proposal, "decision"):
        where = _address(found.decision_ref)
        lines.append(Line(f"It takes the place of {found.version}, authorised by", *where))
    return lines


def _renew(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.RENEW)
    return [
        Line(
            f"{it.serving} for {days} more days from the decision on. It renews",
            *_address(it.proposal.target_ref),
        ),
        *_review(it),
    ]


def _review(it: _Plan) -> list[Line]:
    """Return when the body would look at it again, where the text says so."""
    days = it.terms.get("review_days")
    return [Line(f"It is reviewed after {days} days: a renewal is drafted then.")] if days else []


def _suspend(it: _Plan) -> list[Line]:
    until = "until the body renews or ends the authorisation"
    serving = f"{it.proposal.version} for {it.proposal.deployment}"
    if it.proposal.origin == Origin.EMERGENCY:
        return [
            Line(f"The suspension of {serving} stands {until}. It was authorised by",
                 *_address(it.proposal.target_ref)),
            Line("Not carried, the authorisation is in force again at once."),
        ]  # fmt: skip
    words = f"The gate refuses {serving} from the decision on, {until}. It was authorised by"
    return [Line(words, *_address(it.proposal.target_ref))]


def _retire(it: _Plan) -> list[Line]:
    words = (
        f"The gate refuses {it.proposal.version} for {it.proposal.deployment} from the decision "
        "on, for good. It was authorised by"
    )
    return [Line(words, *_address(it.proposal.target_ref))]


def _adopt(it: _Plan) -> list[Line]:
    version = _suite(it.terms)
    if version is None:
        return []
    page = (version.get_absolute_url(), f"{version}")
    if not it.terms["criteria"]:
        return [Line("No criteria come with a proposal any more from", *page)]
    lines = [
        Line(
            "Every later proposal to authorise or renew a model comes with these criteria of", *page
        )
    ]
    earlier = SuiteAdoption.objects.filter(
        body=it.proposal.body, suite=version.suite, ended_at=None
    ).exclude(decision_ref=it.proposal.ref)
    lines += [
        Line("They take the place of those adopted by", *_address(row.decision_ref))
        for row in earlier
    ]
    return lines


def _amend(it: _Plan) -> list[Line]:
    base = it.terms["base"]
    return [
        Line(
            f"Charter {base + 1} is in force from the close of the vote. Votes that are open then "
            "go on under the charter they were opened under. It changes",
            f"/bodies/{it.proposal.body.slug}/charters/{base}/",
            f"charter {base}",
        )
    ]


def _admit(it: _Plan) -> list[Line]:
    known = Organisation.objects.filter(slug=it.terms["organisation"]).first()
    name = str(known) if known else it.terms["name"]
    lines = [Line(f"{name} is an evaluator of the {it.proposal.body} from the decision on.")]
    if known is None:
        lines.append(Line("The organisation becomes known to this site with the decision."))
    return lines


def _allocate(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.ALLOCATE)
    page = ("/compute/#budgets", "budgets")
    return [
        Line(
            f"Evaluations of proposals of the {it.proposal.body} may take {it.terms['hours']:,} "
            f"hours of hosts in the {days} days from the decision on; what would take more is "
            "refused or stopped. It stands with the",
            *page,
        )
    ]


def _did_allocate(it: _Plan) -> list[Line]:
    page = ("/compute/#budgets", "what is left of them")
    return [Line(f"It allocated {it.terms['hours']:,} hours of hosts. See", *page)]


def _annul(it: _Plan) -> list[Line]:
    target = Decision.objects.select_related("proposal").get(proposal__ref=it.proposal.target_ref)
    page = (target.get_absolute_url(), f"decision {target.ref}, {target.proposal.title}")
    back = _TAKEN_BACK.get(ProposalType(target.proposal.type), "")
    carried = target.outcome == DecisionOutcome.CARRIED and not target.impossible
    lines = [Line("It annuls", *page)]
    return [*lines, Line(back)] if back and carried else lines


_TAKEN_BACK = {
    ProposalType.AUTHORISE: "What it authorised ends, and what it had replaced stands again for "
    "the rest of its time.",
    ProposalType.RENEW: "The renewal ends, and what it had renewed stands again for the rest of "
    "its time.",
    ProposalType.SUSPEND: "The suspension ends: the authorisation is in force again.",
    ProposalType.RETIRE: "The authorisation is in force again for the rest of its time.",
    ProposalType.ADOPT_SUITE: "Its criteria come with later proposals no more.",
    ProposalType.AMEND_CHARTER: "The charter before it is in force again, as the next version.",
    ProposalType.ADMIT_EVALUATOR: "The organisation is an evaluator of the body no more.",
    ProposalType.ALLOCATE: "The budget ends, and the one it had replaced stands again.",
}


def _motion(it: _Plan) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line("It states the body's will and changes nothing in the registry.")]


def _election(it: _Plan) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line("It names what is chosen and changes nothing in the registry.")]


def _amend_text(it: _Plan) -> list[Line]:
    number, ref = it.terms["amendment"], it.terms["proposal"]
    page = (f"/proposals/{ref}/amendments/{number}/", f"amendment {number} to {ref}")
    return [Line("The next revision of that text has", *page)]


def _did_amend_text(it: _Plan) -> list[Line]:
    number, ref = it.terms["revision"], it.terms["proposal"]
    page = (f"/proposals/{ref}/revisions/{number}/", f"revision {number} of {ref}")
    return [Line("It made", *page)]


_LINES = {
    ProposalType.AUTHORISE: _authorise,
    ProposalType.RENEW: _renew,
    ProposalType.SUSPEND: _suspend,
    ProposalType.RETIRE: _retire,
    ProposalType.ADOPT_SUITE: _adopt,
    ProposalType.AMEND_CHARTER: _amend,
    ProposalType.ADMIT_EVALUATOR: _admit,
    ProposalType.ALLOCATE: _allocate,
    ProposalType.ANNUL: _annul,
    ProposalType.MOTION: _motion,
    ProposalType.ELECTION: _election,
    ProposalType.AMENDMENT: _amend_text,
}


def did(decision: Decision) -> list[Line]:
    """Return what a decision did, as its record says."""
    effect, proposal = decision.effect, decision.proposal
    if "impossible" in effect:
        why = IMPOSSIBLE.get(effect["impossible"], effect["impossible"])
        return [Line(f"It was carried and could not take effect. {why} Nothing was changed.")]
    if decision.outcome == DecisionOutcome.ELECTED:
        return [Line(f"It names {decision.result_words} and changes nothing in the registry.")]
    if "restored" in effect:
        words = "The suspension was not ratified: in force again by"
        return [Line(words, *_address(effect["restored"]))]
    if decision.outcome != DecisionOutcome.CARRIED:
        return [Line("Nothing: only a carried decision has an effect. What stood before stands.")]
    return _DID.get(ProposalType(proposal.type), _did_nothing)(_Plan(proposal, effect))


def _did_nothing(it: _Plan) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line("It states the body's will and changes nothing in the registry.")]


def _did_grant(it: _Plan) -> list[Line]:
    lines = [Line(f"It allows {it.proposal.version} to serve {it.proposal.deployment}.")]
    if "authorisation" in it.terms:
        lines.append(Line("It renewed", *_address(it.terms["authorisation"])))
    return lines


def _did_suspend(it: _Plan) -> list[Line]:
    verb = "ratified the suspension of" if it.proposal.origin == Origin.EMERGENCY else "suspended"
    return [Line(f"It {verb} what was authorised by", *_address(it.terms["authorisation"]))]


def _did_retire(it: _Plan) -> list[Line]:
    return [Line("It ended what was authorised by", *_address(it.terms["authorisation"]))]


def _did_adopt(it: _Plan) -> list[Line]:
    version = _suite(it.terms)
    page = (version.get_absolute_url(), str(version)) if version else ("", "")
    if not it.terms["criteria"]:
        return [Line("No criteria come with later proposals any more from", *page)]
    words = "Later proposals to authorise or renew a model come with its criteria of"
    return [Line(words, *page)]


def _did_amend(it: _Plan) -> list[Line]:
    number = it.terms["charter"]
    page = f"/bodies/{it.proposal.body.slug}/charters/{number}/"
    return [Line("It put in force", page, f"charter {number} of the {it.proposal.body}")]


def _did_admit(it: _Plan) -> list[Line]:
    organisation = Organisation.objects.filter(slug=it.terms["organisation"]).first()
    return [Line(f"It admitted {organisation} as an evaluator of the {it.proposal.body}.")]


def _did_annul(it: _Plan) -> list[Line]:
    lines = [Line("It annulled", *_address(it.terms["annulled"]))]
    changed = len(it.terms["changed"])
    return [*lines, Line("Nothing of it stood any more." if not changed else "It took back what "
                         "that decision had done.")]  # fmt: skip


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


def _address(ref: str) -> tuple[str, str]:
    """Return the page of a decision and its name."""
    return f"/decisions/{ref}/", f"decision {ref}"
