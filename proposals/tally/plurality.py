"""Counts first preferences only: the most votes win."""

from proposals.tally.election import Election, Profile
from proposals.tally.seats import Totals
from proposals.tally.sheet import Decider, ElectionSheet

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
    counted = Totals(
        method=METHOD,
        stage="first preferences",
        by_name=named,
        scale=profile.scale,
        valid=sum(totals.values()),
        void=void,
    )
    return counted.sheet(election.title, election.seats, decider)
