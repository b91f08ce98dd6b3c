"""The WSGI application that Granian serves: the gate's quick way, kept pages, then Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")

_django = get_wsgi_application()

# What it needs can only be imported once Django is set up.
from oversight.registry.gate.door import with_gate  # noqa: E402
from oversight.web.kept_pages import with_kept_pages  # noqa: E402
from oversight.web.loaded import load_and_set_aside  # noqa: E402

load_and_set_aside()

application = with_gate(with_kept_pages(_django))
