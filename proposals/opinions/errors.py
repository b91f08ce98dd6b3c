"""What can be wrong with an input."""


class OpinionsError(ValueError):
    """An input that cannot be drawn; the message says which part and why."""
