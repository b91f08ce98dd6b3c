"""What a proposal would do when carried, in words for its page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from evals.choices import Comparison
from evals.models import SuiteVersion
from oversight.accounts.models import Organisation
from oversight.registry import condition_words
from oversight.registry.models import Authorisation, ModelVersion
from oversight.web.figures import grouped, localised
from proposals.charter_chapters import Difference, differences
from proposals.choices import DecisionOutcome, Origin, ProposalType
from proposals.models import Charter, Decision, Proposal, SuiteAdoption


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, with the page that it speaks of."""

    text: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A proposal with the terms of its newest text, under the charter in force."""

    proposal: Proposal
    terms: Mapping[str, Any]
    charter: Charter

    @property
    def serving(self) -> str:
        """What would serve where, as the beginning of a sentence."""
        return gettext("%(version)s may serve %(deployment)s") % {
            "version": self.proposal.version,
            "deployment": self.proposal.deployment,
        }

    def days(self, kind: ProposalType) -> int:
        """Return how long what it grants would last."""
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
        condition_words.words(terms.get("conditions", {})),
        criteria_lines(terms.get("criteria", []), suite_of(terms)),
        _amended(proposal, terms) if kind == ProposalType.AMEND_CHARTER else [],
        terms.get("override_reason", ""),
    )


def criteria_lines(criteria: list[dict[str, Any]], version: SuiteVersion | None) -> list[str]:
    """Return each criterion as a sentence, its task by its title."""
    return [_criterion(row, version) for row in criteria]


def _criterion(row: Mapping[str, Any], version: SuiteVersion | None) -> str:
    tasks = {task["name"]: task["title"] for task in version.tasks} if version else {}
    asked = f"{Comparison(row['comparison']).label} {localised(row['threshold'])}"
    if "beside" in row:
        other = ModelVersion.objects.filter(digest=row["beside"]).first()
        asked = gettext("not worse than %(version)s by over %(margin)s") % {
            "version": other or row["beside"],
            "margin": localised(row["threshold"]),
        }
    must = gettext(", must pass") if row["must_pass"] else ""
    return f"{tasks.get(row['task'], row['task'])}: {row['metric']} {asked}{must}"


def suite_of(terms: Mapping[str, Any]) -> SuiteVersion | None:
    """Return the suite version that terms, or the effect of a record, name by its digest."""
    found = SuiteVersion.objects.select_related("suite")
    return found.filter(digest=terms["suite"]).first() if "suite" in terms else None


def _amended(proposal: Proposal, terms: Mapping[str, Any]) -> list[Difference]:
    before = Charter.objects.filter(body=proposal.body, number=terms["base"]).first()
    return differences(before.document, terms["charter"]) if before else []


def _authorise(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.AUTHORISE)
    lines = [
        Line(
            gettext("%(serving)s from the decision on, for %(days)s days.")
            % {
                "serving": it.serving,
                "days": days,
            }
        ),
        *_review(it),
    ]
    standing = Authorisation.objects.standing().filter(deployment=it.proposal.deployment)
    found = standing.exclude(decision_ref=it.proposal.ref).with_parts().first()
    if found and not hasattr(it.proposal, "decision"):
        where = decision_page(found.decision_ref)
        lines.append(
            Line(
                gettext("It takes the place of %(version)s, authorised by")
                % {
                    "version": found.version,
                },
                *where,
            )
        )
    return lines


def _renew(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.RENEW)
    return [
        Line(
            gettext("%(serving)s for %(days)s more days from the decision on. It renews")
            % {
                "serving": it.serving,
                "days": days,
            },
            *decision_page(it.proposal.target_ref),
        ),
        *_review(it),
    ]


def _review(it: _Plan) -> list[Line]:
    """Return when the body would look at it again, where the text says so."""
    days = it.terms.get("review_days")
    return (
        [
            Line(
                gettext("It is reviewed after %(days)s days: a renewal is drafted then.")
                % {
                    "days": days,
                }
            )
        ]
        if days
        else []
    )


def _suspend(it: _Plan) -> list[Line]:
    until = gettext("until the body renews or ends the authorisation")
    serving = gettext("%(version)s for %(deployment)s") % {
        "version": it.proposal.version,
        "deployment": it.proposal.deployment,
    }
    if it.proposal.origin == Origin.EMERGENCY:
        return [
            Line(
                gettext("The suspension of %(serving)s stands %(until)s. It was authorised by")
                % {"serving": serving, "until": until},
                *decision_page(it.proposal.target_ref),
            ),
            Line(gettext("Not carried, the authorisation is in force again at once.")),
        ]  # fmt: skip
    words = gettext(
        "The gate refuses %(serving)s from the decision on, %(until)s. It was authorised by"
    ) % {
        "serving": serving,
        "until": until,
    }
    return [Line(words, *decision_page(it.proposal.target_ref))]


def _retire(it: _Plan) -> list[Line]:
    words = gettext(
        "The gate refuses %(version)s for %(deployment)s from the decision on, for "
        "good. It was authorised by"
    ) % {
        "version": it.proposal.version,
        "deployment": it.proposal.deployment,
    }
    return [Line(words, *decision_page(it.proposal.target_ref))]


def _adopt(it: _Plan) -> list[Line]:
    version = suite_of(it.terms)
    if version is None:
        return []
    page = (version.get_absolute_url(), f"{version}")
    if not it.terms["criteria"]:
        return [Line(gettext("No criteria come with a proposal any more from"), *page)]
    lines = [
        Line(
            gettext(
                "Every later proposal to authorise or renew a model comes with these criteria of"
            ),
            *page,
        )
    ]
    earlier = SuiteAdoption.objects.filter(
        body=it.proposal.body, suite=version.suite, ended_at=None
    ).exclude(decision_ref=it.proposal.ref)
    lines += [
        Line(gettext("They take the place of those adopted by"), *decision_page(row.decision_ref))
        for row in earlier
    ]
    return lines


def _amend(it: _Plan) -> list[Line]:
    base = it.terms["base"]
    return [
        Line(
            gettext(
                "Charter %(value)s is in force from the close of the vote. Votes that are "
                "open then go on under the charter they were opened under. It changes"
            )
            % {
                "value": base + 1,
            },
            f"/bodies/{it.proposal.body.slug}/charters/{base}/",
            gettext("charter %(base)s") % {"base": base},
        )
    ]


def _admit(it: _Plan) -> list[Line]:
    known = Organisation.objects.filter(slug=it.terms["organisation"]).first()
    name = str(known) if known else it.terms["name"]
    lines = [
        Line(
            gettext("%(name)s is an evaluator of the %(body)s from the decision on.")
            % {
                "name": name,
                "body": it.proposal.body,
            }
        )
    ]
    if known is None:
        lines.append(
            Line(gettext("The organisation becomes known to this site with the decision."))
        )
    return lines


def _allocate(it: _Plan) -> list[Line]:
    days = it.days(ProposalType.ALLOCATE)
    page = ("/compute/#budgets", gettext("budgets"))
    return [
        Line(
            gettext(
                "Evaluations of proposals of the %(body)s may take %(terms)s hours of hosts "
                "in the %(days)s days from the decision on; what would take more is refused "
                "or stopped. It stands with the"
            )
            % {
                "body": it.proposal.body,
                "terms": grouped(it.terms["hours"]),
                "days": days,
            },
            *page,
        )
    ]


def _annul(it: _Plan) -> list[Line]:
    target = Decision.objects.select_related("proposal").get(proposal__ref=it.proposal.target_ref)
    page = (
        target.get_absolute_url(),
        gettext("decision %(ref)s, %(title)s")
        % {
            "ref": target.ref,
            "title": target.proposal.title,
        },
    )
    back = _TAKEN_BACK.get(ProposalType(target.proposal.type), "")
    carried = target.outcome == DecisionOutcome.CARRIED and not target.impossible
    lines = [Line(gettext("It annuls"), *page)]
    return [*lines, Line(str(back))] if back and carried else lines


_TAKEN_BACK = {
    ProposalType.AUTHORISE: _(
        "What it authorised ends, and what it had replaced stands again for the rest of its time."
    ),
    ProposalType.RENEW: _(
        "The renewal ends, and what it had renewed stands again for the rest of its time."
    ),
    ProposalType.SUSPEND: _("The suspension ends: the authorisation is in force again."),
    ProposalType.RETIRE: _("The authorisation is in force again for the rest of its time."),
    ProposalType.ADOPT_SUITE: _("Its criteria come with later proposals no more."),
    ProposalType.AMEND_CHARTER: _("The charter before it is in force again, as the next version."),
    ProposalType.ADMIT_EVALUATOR: _("The organisation is an evaluator of the body no more."),
    ProposalType.ALLOCATE: _("The budget ends, and the one it had replaced stands again."),
}


def _motion(it: _Plan) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line(gettext("It states the body's will and changes nothing in the registry."))]


def _election(it: _Plan) -> list[Line]:  # noqa: ARG001 - all are called alike
    return [Line(gettext("It names what is chosen and changes nothing in the registry."))]


def _amend_text(it: _Plan) -> list[Line]:
    number, ref = it.terms["amendment"], it.terms["proposal"]
    page = (
        f"/proposals/{ref}/amendments/{number}/",
        gettext("amendment %(number)s to %(ref)s") % {"number": number, "ref": ref},
    )
    return [Line(gettext("The next revision of that text has"), *page)]


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


def decision_page(ref: str) -> tuple[str, str]:
    """Return the page of a decision and its name."""
    return f"/decisions/{ref}/", gettext("decision %(ref)s") % {"ref": ref}
