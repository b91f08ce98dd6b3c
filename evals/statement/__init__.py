"""The signed statement of an evaluation result: in-toto Statement v1 in a DSSE envelope.

What a worker found out about a model, in a form that any in-toto verifier reads: the subject is
the manifest of the weights, the predicate is our own `EvaluationPredicate`. The payload is RFC 8785
JSON and holds no floating point number, only decimals as text, so that every implementation gets
the same bytes back. Signed with Ed25519; the key id is the hexadecimal SHA-256 of the raw public
key. The server verifies with the key it has on record for the worker, never with one from the
envelope.

Sources: in-toto attestation framework v1 (statement), DSSE v1 (envelope and its pre-authentication
encoding), RFC 8785 (canonical JSON), RFC 8032 (Ed25519).
"""

from evals.statement.checking import check_statement
from evals.statement.envelope import (
    PAYLOAD_LIMIT_BYTES,
    PAYLOAD_TYPE,
    SIGNATURES_LIMIT,
    build_statement,
    key_id,
    sign_statement,
    verify_envelope,
)
from evals.statement.fields import StatementError
from evals.statement.form import (
    SAMPLES_MEDIA_TYPE,
    STATEMENT_TYPE,
    SUBJECT_NAME,
    AggregateClaim,
    DataReference,
    EvaluationPredicate,
    Evaluator,
    HarnessReference,
    ModelReference,
    SamplesReference,
    Statement,
    Subject,
    SuiteReference,
    TaskReference,
    Usage,
)

__all__ = [
    "PAYLOAD_LIMIT_BYTES",
    "PAYLOAD_TYPE",
    "SAMPLES_MEDIA_TYPE",
    "SIGNATURES_LIMIT",
    "STATEMENT_TYPE",
    "SUBJECT_NAME",
    "AggregateClaim",
    "DataReference",
    "EvaluationPredicate",
    "Evaluator",
    "HarnessReference",
    "ModelReference",
    "SamplesReference",
    "Statement",
    "StatementError",
    "Subject",
    "SuiteReference",
    "TaskReference",
    "Usage",
    "build_statement",
    "check_statement",
    "key_id",
    "sign_statement",
    "verify_envelope",
]
