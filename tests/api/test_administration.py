"""A body is founded by a program, as the guide has it."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from oversight.accounts import services as accounts
from oversight.accounts.choices import Scope
from oversight.accounts.models import Body, Organisation
from proposals.models import Charter
from tests import factories

GUIDE = Path(settings.BASE_DIR) / "docs" / "guides" / "found-a-body.md"


@pytest.mark.django_db(transaction=True)
def test_the_guides_program_founds_a_body_with_members_charter_and_operator(
    live_server, tmp_path, capsys
):
    part = GUIDE.read_text().partition("## By a program")[2]
    program = re.search(r"```\n(.*?)```", part, re.DOTALL).group(1)
    for name in ("member", "clerk", "operator"):
        factories.make_person(name, email=f"{name}@council.example")
    call_command("adopt_charter", "--example")
    (tmp_path / "charter.json").write_text(capsys.readouterr().out)
    person = factories.make_administrator()
    _, key = accounts.create_api_key(person=person, name="T", scopes=[Scope.ACCOUNTS_WRITE])
    done = subprocess.run(
        ["sh", "-e", "-c", program],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "SITE": live_server.url, "KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    body = Body.objects.get(slug="city-council")
    roles = body.memberships.order_by("id").values_list("person__display_name", "role")
    assert [*roles] == [("member", "member"), ("clerk", "clerk")]
    assert Charter.objects.get(body=body).number == 1
    organisation = Organisation.objects.get(slug="statistics-office")
    assert organisation.affiliations.get().person.display_name == "operator"
