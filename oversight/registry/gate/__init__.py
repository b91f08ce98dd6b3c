"""The gate: may this digest serve this deployment at this moment?

`deciding` answers from decisions in force, `answers` signs that and keeps it for its short life,
`door` serves what is kept before Django is asked. Start reading at `deciding.answer`.
"""

from oversight.registry.gate.deciding import GateAnswer, answer

__all__ = ["GateAnswer", "answer"]
