"""What blind guessing scores on a task: the mean of one over the number of choices. Pure.

Known where a task offers choices and a score is the share of right ones. What a model writes freely
nobody guesses, and a stock task keeps its rows to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from evals.suites.document import DataFile, Suite, Task
from evals.suites.rows import Row, count_choices

PLACES = 6
Read = Callable[[DataFile], Iterable[Row]]


def guessing_of(document: Suite, read: Read) -> dict[str, str]:
    """Return, by task, what guessing scores as a decimal; where it is unknown there is none.

    Args:
        document: a valid suite whose files were checked.
        read: gives the rows of a data file.
    """
    found = ((task, guessing(task, read)) for task in document["tasks"])
    return {task["name"]: f"{float(each):.{PLACES}f}" for task, each in found if each is not None}


def guessing(task: Task, read: Read) -> Fraction | None:
    """Return the expected score of one who picks by lot among the choices of every row."""
    config = task.get("config")
    if config is None or config["output_type"] != "multiple_choice" or "data" not in task:
        return None
    if isinstance(config["doc_to_choice"], list):
        return Fraction(1, len(config["doc_to_choice"]))
    shares = [Fraction(1, count_choices(task, row)) for row in read(task["data"])]
    return sum(shares, Fraction()) / len(shares)
