"""Charts about decisions and what came before them: criteria, opinions, compute."""

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from oversight.dashboards import compute
from oversight.dashboards.drawings.chart import Asked, Chart, Datum
from oversight.dashboards.evidence import SHORT, Evidence, of_contract, outcomes_in_words
from oversight.dashboards.words import sentence
from oversight.web.figures import grouped, localised
from oversight.web.written import Told
from proposals.models import Decision, Proposal
from proposals.shown_map import Line, opinions_of

STATEMENTS = 30
GIVERS = 20


def decision(subject: str) -> Chart:
    """The scores that a decision's criteria ask for, each held against its line."""
    found, drawn, others = _criteria(subject, beside=False)
    return Chart(
        "intervals",
        gettext("Decision %(ref)s: its criteria") % {"ref": found.ref},
        sentence(outcomes_in_words(found.proposal.contract)),
        _frozen(others),
        found.get_absolute_url(),
        _decision_name(found),
        gettext("score"),
        drawn,
    )


def differences(subject: str) -> Chart:
    """The differences to other versions that a decision's criteria ask for, on their own scale."""
    found, drawn, others = _criteria(subject, beside=True)
    return Chart(
        "intervals",
        gettext("Decision %(ref)s: its criteria beside other versions") % {"ref": found.ref},
        sentence(outcomes_in_words(found.proposal.contract)),
        _frozen(others),
        found.get_absolute_url(),
        _decision_name(found),
        gettext("difference to the other version"),
        drawn,
    )


def _decision_name(found: Decision) -> str:
    return sentence(gettext("decision %(ref)s") % {"ref": found.ref}).rstrip(".")


def charts_of(evidence: Sequence[Evidence]) -> list[str]:
    """Return which of the two charts have something to show."""
    drawn = {each.beside is not None for each in evidence if _has_result(each)}
    return [
        name for name, beside in (("decision", False), ("differences", True)) if beside in drawn
    ]


def _criteria(subject: str, *, beside: bool) -> tuple[Decision, tuple[Datum, ...], int]:
    """Return a decision, its criteria of one sort that have a result, and how many are left."""
    rows = Decision.objects.select_related("proposal__contract", "proposal__body")
    found = get_object_or_404(rows, proposal__ref=subject)
    asked = of_contract(found.proposal.contract)
    drawn = [each for each in asked if _has_result(each) and (each.beside is not None) == beside]
    if not drawn:
        raise Http404
    return found, tuple(_criterion(each) for each in drawn), len(asked) - len(drawn)


def _has_result(each: Evidence) -> bool:
    return each.measured is not None and each.measured.value is not None


def _frozen(others: int) -> str:
    """Say where the figures are from, and what of the criteria is not among them."""
    source = (
        gettext(
            "The contract of the vote, frozen at its opening; the mark across is the criterion, "
            "95 %% intervals."
        )
        % {}
    )
    if not others:
        return source
    left = ngettext(
        "%(number)s criterion is not drawn here: it has no result, or another scale.",
        "%(number)s criteria are not drawn here: they have no result, or another scale.",
        others,
    )
    return f"{source} {left % {'number': grouped(others)}}"


def _criterion(each: Evidence) -> Datum:
    measured = each.measured
    assert measured is not None  # noqa: S101 - so chosen above
    assert measured.value is not None  # noqa: S101 - the same
    ending = f" ({each.asked})"
    named = gettext("%(label)s: %(words)s") % {"label": SHORT[each.outcome], "words": each.title}
    return Datum(
        f"{named}{ending}",
        measured.value,
        measured.low,
        measured.high,
        measured.n,
        line=float(measured.line),
        ending=ending,
        asked=Asked(
            str(each.outcome.value), each.task_name, str(each.comparison), float(each.threshold)
        ),
    )


def opinions(subject: str) -> Chart:
    """How many agree with each statement of a proposal's opinion map; the subject names it."""
    proposal = get_object_or_404(Proposal.objects.visible_to(AnonymousUser()), ref=subject)
    drawn = opinions_of(proposal).map
    if drawn is None or not drawn.shows_answers:
        raise Http404
    answered = [line for line in drawn.lines.values() if line.everybody.n]
    answered.sort(key=lambda line: (-_share(line), line.leaf))
    shown = _ends(answered)
    return Chart(
        "bars",
        gettext("%(ref)s: what people agree with") % {"ref": proposal.ref},
        Told(
            gettext("Most agree with this: “%(text)s” (%(share)s %%)."),
            text=answered[0].text,
            share=localised(f"{100 * _share(answered[0]):.0f}"),
        ),
        ngettext(
            "The opinion map of %(people)s person; who passes counts as not agreeing.",
            "The opinion map of %(people)s people; who passes counts as not agreeing.",
            drawn.people,
        )
        % {"people": grouped(drawn.people)},
        reverse("proposal-opinions", args=[proposal.ref]),
        gettext("%(ref)s: opinion map") % {"ref": proposal.ref},
        gettext("part of those who answered"),
        tuple(Datum(line.text, _share(line), n=line.everybody.n) for line in shown),
        0.5,
        gettext("half"),
        is_share=True,
    )


def _share(line: Line) -> float:
    return line.everybody.agree / line.everybody.n


def _ends(lines: Sequence[Line]) -> Sequence[Line]:
    """Return what most and what fewest agree with, where there are too many for a chart."""
    half = STATEMENTS // 2
    return lines if len(lines) <= STATEMENTS else [*lines[:half], *lines[-half:]]


def computed(subject: str) -> Chart:
    """Hours of work; the subject says by what: `organisations`, `bodies` or `models`."""
    titles = {
        "organisations": gettext("Compute by organisation"),
        "bodies": gettext("Compute by the body whose evidence it is"),
        "models": gettext("Compute by model"),
    }
    if subject not in titles:
        raise Http404
    rows = _hours(subject)
    if not rows:
        raise Http404
    hours = sum(each.value for each in rows)
    first = {"name": rows[0].label, "hours": localised(f"{rows[0].value:,.2f}")}
    return Chart(
        "bars",
        titles[subject],
        gettext("%(hours)s hours of work; most by or for %(name)s: %(first)s.")
        % {"hours": localised(f"{hours:,.2f}"), "name": first["name"], "first": first["hours"]},
        _stated(len(rows)),
        reverse("compute"),
        gettext("Who computed it"),
        gettext("hours of work"),
        tuple(rows[:GIVERS]),
    )


def _stated(number: int) -> str:
    """Say where the figures are from, and how many of them there is no room for."""
    source = gettext("What hosts stated and signed of every finished task.")
    if number <= GIVERS:
        return source
    cut = gettext("The %(shown)s with the most hours are drawn, of %(number)s.")
    return f"{source} {cut % {'shown': GIVERS, 'number': grouped(number)}}"


def _hours(by: str) -> list[Datum]:
    if by == "organisations":
        totals = compute.by_organisation(compute.shares())
        rows = [Datum(each.name, float(each.hours), n=each.task_runs) for each in totals]
    else:
        # One row for each currency that was stated: the hours of one belong together.
        sums: dict[str, tuple[str, float, int]] = {}
        for group in compute.groups("body" if by == "bodies" else "model"):
            name, hours, number = sums.get(group.key, (group.name, 0.0, 0))
            sums[group.key] = name, hours + float(group.hours), number + group.task_runs
        unnamed = gettext("for no body's proposal")
        rows = [Datum(name or unnamed, hours, n=number) for name, hours, number in sums.values()]
    return sorted(rows, key=lambda each: (-each.value, each.label))
