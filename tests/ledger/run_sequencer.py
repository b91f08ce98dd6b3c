"""Runs `manage.py sequencer` on the database and the files that a test names in the environment."""

import json
import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line

wanted = json.loads(os.environ["SEQUENCER_TEST"])
settings.DATABASES["default"].update(wanted["database"])
settings.LEDGER_ORIGIN = wanted["origin"]
settings.LEDGER_KEY_PATH = Path(wanted["key"])
settings.LEDGER_SIGNER_STATE_PATH = Path(wanted["state"])
settings.LEDGER_PUBLIC_DIR = Path(wanted["public"])
settings.LEDGER_POLICY_PATH = Path(wanted["policy"]) if wanted["policy"] else None
execute_from_command_line(["manage.py", "sequencer", *sys.argv[1:]])
