"""Counts first preferences only: the most votes win."""

from fractions import Fraction

from proposals.tally.election import Election, Profile
from proposals.tally.seats import seat_the_highest
from proposals.tally.sheet import Decider, ElectionSheet, Stage

METHOD = "plurality"


def count(election: Election, decider: Decider | None = None) -> ElectionSheet:
    """Counts a plurality vote; with several seats, each ballot is still one vote.

    Args:
        election: the first rank of a ballot is its vote and the rest is not read. A ballot whose
            first rank is shared, or that ranks nobody, is void.
        decider: decides a tie for the last seat; with None such a tie stays open.
    """
    profile = Profile.of(election)
    totals = dict.fromkeys(range(len(profile.names)), 0)
    void = profile.empty
    for ranking, weight in zip(profile.rankings, profile.weights, strict=True):
        if len(ranking[0]) == 1:
            totals[ranking[0][0]] += weight
        else:
            void += weight
    named = {profile.names[c]: total for c, total in totals.items()}
    seating = seat_the_highest(named, election.seats, decider)
    votes = {name: Fraction(total, profile.scale) for name, total in named.items()}
    return ElectionSheet(
        method=METHOD,
        title=election.title,
        seats=election.seats,
        valid=Fraction(sum(totals.values()), profile.scale),
        void=Fraction(void, profile.scale),
        quota=None,
        outcome=seating.outcome,
        elected=seating.elected,
        stages=(Stage("first preferences", votes, elected=seating.elected),),
        ties=seating.ties,
        decider=decider,
        notes=seating.notes,
    )
