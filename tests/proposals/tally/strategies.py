"""Random elections for the property tests: small, with shared ranks, gaps and odd weights."""

from fractions import Fraction

from hypothesis import strategies as st

from proposals.tally.election import Election

NAMES = ("Ann", "Ben", "Cat", "Dan", "Eve", "Fay", "Gil")

weights = st.one_of(
    st.integers(1, 9).map(Fraction),
    st.sampled_from(
        [Fraction(1, 2), Fraction(5, 2), Fraction(1, 8), Fraction(11, 10), Fraction(1, 3)]
    ),
)


@st.composite
def rankings(draw, number, *, shared=True):
    """A ranking of some of `number` candidates, with shared ranks unless told otherwise."""
    order = draw(st.permutations(range(number)))[: draw(st.integers(0, number))]
    ranks = []
    for candidate in order:
        if shared and ranks and draw(st.integers(0, 4)) == 0:
            ranks[-1] = tuple(sorted((*ranks[-1], candidate)))
        else:
            ranks.append((candidate,))
    return tuple(ranks)


@st.composite
def elections(
    draw, *, shared=True, withdrawals=True, weight=weights, max_candidates=5, min_ballots=0
):
    """An election of up to `max_candidates` candidates and a dozen distinct ballots."""
    number = draw(st.integers(1, max_candidates))
    ballots = draw(
        st.dictionaries(rankings(number, shared=shared), weight, min_size=min_ballots, max_size=12)
    )
    gone = draw(st.sets(st.integers(0, number - 1), max_size=number - 1)) if withdrawals else ()
    return Election(NAMES[:number], draw(st.integers(1, 4)), ballots, "A vote", frozenset(gone))


whole_weights = st.integers(1, 9).map(Fraction)
