"""A server has loaded its views, and set them aside from garbage collection, before it serves."""

import subprocess
import sys

from django.conf import settings

STARTED = """
import gc, sys
import oversight.wsgi
print("oversight.dashboards.views.evaluations" in sys.modules, gc.get_freeze_count())
"""


def test_what_a_server_loads_is_not_looked_at_by_garbage_collections():
    command = [sys.executable, "-c", STARTED]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=120
    )
    loaded, aside = done.stdout.split()
    assert loaded == "True"
    assert int(aside) > 100_000
