"""`python -m proposals.opinions INPUT.json`: draw a published opinion map again."""

import argparse
import json
import sys
from pathlib import Path

from proposals.opinions.answers import digest_of, read
from proposals.opinions.drawing import draw
from proposals.opinions.errors import OpinionsError

LONGEST_BYTES = 200_000_000


def main(arguments: list[str] | None = None) -> int:
    """Print the map as JSON, with the digests of input and map; 0, or 1 when it is another.

    Exit codes: 2 when the file is no input.
    """
    parser = argparse.ArgumentParser(
        prog="python -m proposals.opinions",
        description="Draw an opinion map again from its published input.",
    )
    parser.add_argument("file", type=Path, help="the input, as opinions/input.json gives it")
    parser.add_argument(
        "--expect", metavar="DIGEST", default="", help="exit 1 unless the map has this digest"
    )
    asked = parser.parse_args(arguments)
    try:
        drawn = draw(read(_json(asked.file)))
    except OpinionsError as error:
        print(f"{asked.file}: {error}", file=sys.stderr)
        return 2
    digest = digest_of(drawn)
    print(json.dumps({"digest": digest, "map": drawn}, ensure_ascii=False))
    if asked.expect and asked.expect != digest:
        print(f"The map has the digest {digest}, not {asked.expect}.", file=sys.stderr)
        return 1
    return 0


def _json(file: Path) -> object:
    """Return what a file holds.

    Raises:
        OpinionsError: it cannot be read as JSON.
    """
    try:
        if file.stat().st_size > LONGEST_BYTES:
            raise OpinionsError(f"The file has more than {LONGEST_BYTES:,} bytes.")
        return json.loads(file.read_bytes())
    except OSError as error:
        raise OpinionsError(f"The file cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise OpinionsError("The file holds no JSON.") from None
