"""Receipts copied out of print: a PDF loses blank lines, wraps long ones and adds what nobody sees.

Pure. Nothing is guessed that a signature or a hash would not contradict: the text is only set anew.
"""

import re
import unicodedata

from oversight.ledger.proof import HEADER

_HASH = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)
_MORE_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_SIGNED_BY = "\N{EM DASH} "


def set_anew(text: str) -> str:
    """Return a receipt in the form of its specification; what stands round it is left out."""
    lines = [line for each in text.splitlines() if (line := _visible(each))]
    if HEADER in lines:
        del lines[: lines.index(HEADER)]
    end = next((n for n, line in enumerate(lines) if line.startswith(_SIGNED_BY)), len(lines))
    head = [line for line in lines[:end] if not line.startswith(("index ", "extra ", HEADER))]
    path = next((n for n, line in enumerate(head) if not _HASH.fullmatch(line)), len(head))
    begin = lines[: end - len(head)] + head[:path]
    return "\n".join([*begin, "", *head[path:], "", *_signatures(lines[end:]), ""])


def _visible(line: str) -> str:
    """Return a line without characters that take no room, and with single blanks."""
    kept = "".join(c for c in line if unicodedata.category(c) != "Cf")
    return " ".join(kept.split())


def _signatures(lines: list[str]) -> list[str]:
    """Return whole signature lines; the first line that continues none ends them."""
    found: list[str] = []
    for line in lines:
        if line.startswith(_SIGNED_BY):
            found.append(line)
        elif _MORE_BASE64.fullmatch(line):
            found[-1] += line
        else:
            break
    return found
