"""The bucket that several web hosts share: an S3 store behind each host's own folder of artefacts.

Files stay where they are read, in each host's folder; the bucket is where other hosts find them. A
file is in the bucket before anything on the record names it, and is checked against its digest when
it comes from there. django-storages is imported only where a bucket is configured.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from oversight.web.refusals import Refusal

if TYPE_CHECKING:
    from django.core.files.storage import Storage


class StoreAway(Refusal):
    """The bucket does not answer (503); nothing was changed, and a later attempt may succeed."""

    status = 503
    title = "The shared store does not answer"


def is_configured() -> bool:
    """Say whether hosts share a bucket."""
    return bool(settings.ARTEFACTS_BUCKET)


def put(sha256: str, path: Path) -> None:
    """Have the bucket hold the file of this digest.

    Raises:
        StoreAway: the bucket does not answer, or refuses.
    """
    name = _name(sha256)
    with _answering() as storage:
        if not storage.exists(name):
            with path.open("rb") as file:
                storage.save(name, _as_django_file(file))


def get(sha256: str) -> Iterator[bytes] | None:
    """Return the bytes of this digest as the bucket holds them, unchecked; None if it has none.

    Raises:
        StoreAway: the bucket does not answer, or refuses.
    """
    name = _name(sha256)
    with _answering() as storage:
        if not storage.exists(name):
            return None
        return iter(storage.open(name).chunks())


def _name(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256}"


def _as_django_file(file: Any) -> Any:
    from django.core.files import File

    return File(file)


@contextmanager
def _answering() -> Iterator["Storage"]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield _storage(**settings.ARTEFACTS_BUCKET)
    except (BotoCoreError, ClientError) as error:
        raise StoreAway(
            "The store that the site's hosts share does not answer. Nothing was changed; send it "
            f"again. It said: {str(error)[:200]}"
        ) from error


@lru_cache(maxsize=4)
def _storage(
    *, bucket: str, prefix: str, endpoint: str | None = None, region: str | None = None
) -> "Storage":
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    patience = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3})
    storage: Storage = S3Storage(
        bucket_name=bucket,
        location=prefix,
        endpoint_url=endpoint,
        region_name=region,
        client_config=patience,
        # What lies under a digest never changes: the same bytes may be written again.
        file_overwrite=True,
        default_acl=None,
        querystring_auth=False,
    )
    return storage
