"""Counts an approval vote: each ballot gives its full weight to everyone on it."""

from proposals.tally.election import Election, Profile
from proposals.tally.seats import Totals
from proposals.tally.sheet import Decider, ElectionSheet

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
    counted = Totals(
        method=METHOD,
        stage="approvals",
        by_name=named,
        scale=profile.scale,
        valid=profile.total,
        void=profile.empty,
    )
    return counted.sheet(election.title, election.seats, decider)
