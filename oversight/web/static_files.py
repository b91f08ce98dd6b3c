"""How static files are kept for readers: hashed, compressed, and without what is for authors."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


def without_comments(css: str) -> str:
    """Return a style sheet of ours without its comments: they are a tenth of what is sent."""
    return _COMMENT.sub("", css)


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, which is given our style sheets without their comments."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        """Shorten the copies that were collected, then hash and compress everything."""
        if not dry_run:
            for name in [each for each in paths if re.fullmatch(r"css/[^/]+\.css", each)]:
                copy = Path(self.path(name))
                copy.write_text(without_comments(copy.read_text()))
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)
