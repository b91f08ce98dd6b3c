"""What a server does once, before its first request: load every view, and set aside what stays."""

import gc

from django.urls import get_resolver


def load_and_set_aside() -> None:
    """Import what the addresses lead to, and take all that now lives out of garbage collection.

    A full collection looks at every object: with the code of Django and of the views that is a
    million, and a request in whose middle it falls waits 0.2 s for it. What is loaded here lives
    as long as the server, so nothing is kept that could have been freed.
    """
    get_resolver().url_patterns  # noqa: B018 - reading them imports the views
    gc.collect()
    gc.freeze()
