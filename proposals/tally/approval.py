"""Counts an approval vote: each ballot gives its full weight to everyone on it."""

from fractions import Fraction

from proposals.tally.election import Election, Profile
from proposals.tally.seats import seat_the_highest
from proposals.tally.sheet import Decider, ElectionSheet, Stage

METHOD = "approval"


def count(election: Election, decider: Decider | None = None) -> ElectionSheet:
    """Counts an approval vote for one or more seats.

    Args:
        election: whoever is named on a ballot is approved, whatever the rank; whoever is left out
            is not. A ballot that names nobody is void.
        decider: decides a tie for the last seat; with None such a tie stays open.
    """
    profile = Profile.of(election)
    totals = dict.fromkeys(range(len(profile.names)), 0)
    for ranking, weight in zip(profile.rankings, profile.weights, strict=True):
        for rank in ranking:
            for candidate in rank:
                totals[candidate] += weight
    named = {profile.names[c]: total for c, total in totals.items()}
    seating = seat_the_highest(named, election.seats, decider)
    votes = {name: Fraction(total, profile.scale) for name, total in named.items()}
    return ElectionSheet(
        method=METHOD,
        title=election.title,
        seats=election.seats,
        valid=Fraction(profile.total, profile.scale),
        void=Fraction(profile.empty, profile.scale),
        quota=None,
        outcome=seating.outcome,
        elected=seating.elected,
        stages=(Stage("approvals", votes, elected=seating.elected),),
        ties=seating.ties,
        decider=decider,
        notes=seating.notes,
    )
