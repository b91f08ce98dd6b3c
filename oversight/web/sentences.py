"""Sentences of code that knows no languages, found again among marked patterns and translated.

For code that may not even carry a mark, and for code with a sentence for every mistake. What
changes in a sentence is found by the pattern; one that fits none is shown as it is.
"""

import re
from collections.abc import Iterable

from django.utils.translation import gettext

_GAP = re.compile(r"%\\\((\w+)\\\)s")


class Sentences:
    """Marked patterns such as `use 1 to %(most)s`, and what finds their values in a sentence."""

    def __init__(self, patterns: Iterable[str]) -> None:
        # The longest first: a short one may fit what another one says more of.
        ordered = sorted(patterns, key=len, reverse=True)
        self._shapes = [(each, re.compile(_shape(each), re.DOTALL)) for each in ordered]

    def in_words(self, sentence: str) -> str:
        """Return a sentence in the language that is spoken."""
        for pattern, shape in self._shapes:
            if found := shape.fullmatch(sentence):
                values = found.groupdict()
                # A pattern without gaps may hold a per cent sign.
                return gettext(pattern) % values if values else gettext(pattern)
        return sentence


def _shape(pattern: str) -> str:
    """Return a regular expression that fits what a pattern can become."""
    known: set[str] = set()

    def group(gap: re.Match[str]) -> str:
        name = gap[1]
        if name in known:
            return f"(?P={name})"
        known.add(name)
        return f"(?P<{name}>.+?)"

    return _GAP.sub(group, re.escape(pattern))
