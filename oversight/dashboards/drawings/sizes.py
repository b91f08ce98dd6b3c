"""The two sizes in which a chart is drawn, and how text is fitted into them. Pure.

Letters cannot be measured where the chart is specified: they are counted, with room for the widest
font that readers are likely to have.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, east_asian_width


@dataclass(frozen=True, slots=True)
class Size:
    """How large a drawing is, and how much text stands in one of its lines; lengths in pixels."""

    name: str
    """In the address of the drawing."""
    width: int
    padding: int
    text: float
    """Size of the letters of names and figures."""
    title_text: float
    finding_text: float
    title_characters: int
    """Of one line of the title: a longer line would leave the figures no room beside it."""
    finding_characters: int
    name_characters: int
    """Of one line of a name; the table has it whole. The drawing program takes long to cut one."""
    name_lines: int
    are_names_above: bool
    """The names stand above their marks, and else beside them."""
    ticks: int
    """How many figures the scale says, about."""
    plot: int
    """Height of a plot over time."""
    legend_columns: int
    series_characters: int
    """Of the name of a series in the legend."""
    days: int
    """How many days a plot over time names, at most."""

    @property
    def inner(self) -> int:
        """Width without the margin."""
        return self.width - 2 * self.padding

    @property
    def character(self) -> float:
        """Width of a letter of names in the widest font that readers are likely to have."""
        return self.text * 0.58

    @property
    def line(self) -> int:
        """Height of one line of names."""
        return round(self.text * 1.3)


WIDE = Size(
    name="wide",
    width=820,
    padding=12,
    # Large enough for the narrowest page that shows this drawing, where it stands scaled down.
    text=14.25,
    title_text=18,
    finding_text=15,
    title_characters=70,
    finding_characters=86,
    name_characters=50,
    name_lines=1,
    are_names_above=False,
    ticks=6,
    plot=340,
    legend_columns=3,
    series_characters=24,
    days=5,
)
NARROW = Size(
    name="narrow",
    width=320,
    padding=10,
    text=13.5,
    title_text=15.5,
    finding_text=13.5,
    title_characters=28,
    finding_characters=36,
    name_characters=36,
    name_lines=2,
    are_names_above=True,
    ticks=4,
    plot=250,
    legend_columns=1,
    series_characters=28,
    days=2,
)
BROAD = "MWmw@%"
SIZES: Mapping[str, Size] = {each.name: each for each in (WIDE, NARROW)}


def room(text: str) -> int:
    """Return how many letters' width a text takes."""
    return sum(map(_room, text))


@lru_cache(10_000)
def _room(letter: str) -> int:
    """Return 2 for a letter that is as wide as two, as those of East Asia are."""
    if letter.isascii():
        return 2 if letter in BROAD else 1
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def beginning(text: str, most: int) -> str:
    """Return as much of a text as has the width of so many letters."""
    left = most
    for at, letter in enumerate(text):
        left -= _room(letter)
        if left < 0:
            return text[:at]
    return text


def wrapped(text: str, most: int) -> list[str]:
    """Return a text in lines of so many letters; only a word that is longer is cut."""
    lines: list[str] = []
    left = 0
    for word in _words(text, most):
        width = room(word)
        if lines and width < left:
            lines[-1] += f" {word}"
            left -= width + 1
        else:
            lines.append(word)
            left = most - width
    return lines or [""]


def _words(text: str, most: int) -> Iterator[str]:
    """Give the words of a text, in pieces where one does not fit into a line."""
    # Not at a space that breaks no line: French has one before its colons.
    for word in re.split(r"[ \t\n]+", text.strip(" \t\n")):
        rest = word
        while room(rest) > most:
            piece = beginning(rest, most)
            yield piece
            rest = rest[len(piece) :]
        yield rest


def fitted(name: str, most: int, count: int = 1, ending: str = "") -> str:
    """Return a name in so many lines of so many letters, with an ending after it.

    Where it has more, the last line is cut.
    """
    enough = beginning(name, most * (count + 1))
    lines = wrapped(enough + ending, most)
    if len(lines) > count:
        whole = wrapped(enough, most)
        rest = " ".join(whole[count - 1 :])
        cut = beginning(rest, most - 1 - len(ending)).rstrip()
        lines = [*whole[: count - 1], f"{cut}…{ending}"]
    return "\n".join(lines)


def told_apart(names: Iterable[tuple[str, str]], most: int, count: int = 1) -> list[str]:
    """Return names as they are fitted, with a number where one has become what another is.

    Args:
        names: each with the ending that is not cut, if that leaves the name half of its room.
        most: letters in a line.
        count: lines.
    """
    taken: Counter[str] = Counter()
    fit = []
    for each, ending in names:
        whole, end = (each, ending) if room(ending) <= most // 2 else (each + ending, "")
        name = fitted(whole, most, count, end)
        taken[name] += 1
        again = f"{end} ({taken[name]})" if taken[name] > 1 else ""
        fit.append(fitted(whole, most, count, again) if again else name)
    return fit
