"""What the counting code raises when its input cannot be counted."""


class InputError(ValueError):
    """An input that cannot be counted; says which field is wrong and how to mend it.

    Attributes:
        field: name of the field as the caller wrote it, such as `threshold`.
        problem: what is wrong and what would be right.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
