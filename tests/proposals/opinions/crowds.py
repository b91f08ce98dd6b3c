"""Crowds whose opinions are known, for tests and the benchmark of the opinion map."""

import random
from collections.abc import Sequence

from proposals.opinions.answers import Answers, Parameters


def crowd(
    camps: Sequence[int],
    statements: int = 20,
    *,
    seed: int = 1,
    sure: float = 0.9,
    asked: float = 0.8,
    parameters: Parameters | None = None,
) -> Answers:
    """Return the answers of camps of so many people.

    Statement 0 has everybody's consent. Of the others each camp has a view of its own, which its
    people give with the probability `sure`; each is asked a statement with the probability `asked`.
    """
    draw = random.Random(seed)
    rows = []
    for camp, size in enumerate(camps):
        view = ["+" if number == 0 or (number >> camp) % 2 else "-" for number in range(statements)]
        rows += ["".join(_answer(draw, each, sure, asked) for each in view) for _ in range(size)]
    names = [f"statement-{number}" for number in range(statements)]
    return Answers.of(names, rows, parameters)


def noise(people: int, statements: int = 20, *, seed: int = 1, asked: float = 0.8) -> Answers:
    """Return the answers of people who throw a coin."""
    draw = random.Random(seed)
    rows = [
        "".join(draw.choice("+-") if draw.random() < asked else "." for _ in range(statements))
        for _ in range(people)
    ]
    return Answers.of([f"statement-{number}" for number in range(statements)], rows)


def _answer(draw: random.Random, view: str, sure: float, asked: float) -> str:
    if draw.random() > asked:
        return "."
    if draw.random() < sure:
        return view
    return draw.choice("+-0")
