"""What can go wrong with work that is done by a reckoner."""

from collections.abc import Sequence

from oversight.web.refusals import Refusal


class Refused(ValueError):  # noqa: N818 - it is an answer, not a fault
    """What was handed in cannot be used; the message says why, as it is shown."""

    def __init__(self, message: str, problems: Sequence[Sequence[str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        """Of a file with several things wrong: place, what is wrong there, how to mend it."""


class ReckonerAway(Refusal):
    """The work was not done, through no fault of what was handed in (503); try it again."""

    status = 503
    title = "Please try again"
