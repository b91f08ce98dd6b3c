"""The only writers of the registry floor, but for what decisions do (`effects.py`).

`registering` puts models, versions, endpoints and uses on the record, `describing` what they say of
themselves, `lineage` what was made from what.
"""

from oversight.registry.services.describing import Described, describe
from oversight.registry.services.lineage import state_descent
from oversight.registry.services.registering import (
    SignatureFile,
    note_source,
    register_deployment,
    register_endpoint,
    register_served_version,
    register_version,
)

__all__ = [
    "Described",
    "SignatureFile",
    "describe",
    "note_source",
    "register_deployment",
    "register_endpoint",
    "register_served_version",
    "register_version",
    "state_descent",
]
