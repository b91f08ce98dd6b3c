"""The only writers of the accounts floor, but for what decisions do (`effects.py`).

`people` registers, `institutions` founds, admits and appoints, `keys` makes API keys, `outbox`
tells. What happens to notices after they were written is in `oversight/accounts/notices.py`.
"""

from oversight.accounts.services.institutions import (
    admit_organisation,
    affiliate,
    appoint,
    end_affiliation,
    end_membership,
    found_body,
    set_language,
)
from oversight.accounts.services.keys import (
    KEY_PREFIX,
    create_api_key,
    digest_of_secret,
    revoke_api_key,
)
from oversight.accounts.services.outbox import call_off, notify
from oversight.accounts.services.people import (
    issue_first_administrator_link,
    register_person,
    shell_person,
    use_first_administrator_link,
)

__all__ = [
    "KEY_PREFIX",
    "admit_organisation",
    "affiliate",
    "appoint",
    "call_off",
    "create_api_key",
    "digest_of_secret",
    "end_affiliation",
    "end_membership",
    "found_body",
    "issue_first_administrator_link",
    "notify",
    "register_person",
    "revoke_api_key",
    "set_language",
    "shell_person",
    "use_first_administrator_link",
]
