"""What takes files, as a form of several parts."""

from oversight.accounts.choices import Scope
from tests.api.doors.door import Door, whole
from tests.api.doors.scenes import a_file, a_suites_zip

FORMS = tuple(
    Door(
        name,
        "POST",
        opens_for=whole("evaluator", "administrator"),
        body=a_suites_zip,
        owner="evaluator",
        scope=Scope.SUITES_WRITE,
        is_form=True,
    )
    for name in ("api-suite-publish", "api-suite-preview")
)
FORMS = (
    *FORMS,
    Door(
        "api-attachments",
        "POST",
        lambda w: (w.talked.ref,),
        whole("member"),
        status=201,
        body=a_file,
        scope=Scope.PROPOSALS_WRITE,
        is_form=True,
    ),
)
