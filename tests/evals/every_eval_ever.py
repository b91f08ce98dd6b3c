"""What a record of Every Eval Ever 0.2.1 has to look like, restated as a JSON Schema.

Only what its `eval.schema.json` (2026) demands of the parts that our records have: names, kinds,
what is required, and the fixed words. Not its texts, and not the parts that we leave out.
"""

from typing import Any

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
DETAILS = {"type": "object", "additionalProperties": TEXT}


def _object(required: str, optional: str = "", **kinds: Any) -> dict[str, Any]:
    """Return the schema of an object; fields without a kind of their own are texts."""
    names = [*required.split(), *optional.split()]
    fields = dict.fromkeys(names, TEXT) | {"additional_details": DETAILS} | kinds
    return {"type": "object", "required": required.split(), "properties": fields}


def _one_of(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


SOURCE = {
    "oneOf": [
        _object(
            "dataset_name source_type url",
            source_type={"const": "url"},
            url={"type": "array", "items": TEXT, "minItems": 1},
        ),
        _object("dataset_name source_type", source_type={"const": "hf_dataset"}),
        _object("dataset_name source_type", source_type={"const": "other"}),
    ]
}
METRIC = _object(
    "lower_is_better",
    "evaluation_description",
    lower_is_better={"type": "boolean"},
    score_type=_one_of("binary", "continuous", "levels"),
    min_score=NUMBER,
    max_score=NUMBER,
) | {
    "if": {"required": ["score_type"], "properties": {"score_type": {"const": "continuous"}}},
    "then": {"required": ["min_score", "max_score"]},
}
UNCERTAINTY = _object(
    "",
    standard_error=_object("value", "method", value=NUMBER),
    confidence_interval=_object(
        "lower upper",
        "method",
        lower=NUMBER,
        upper=NUMBER,
        confidence_level={"type": "number", "minimum": 0, "maximum": 1},
    ),
    num_samples={"type": "integer"},
)
GENERATION = _object(
    "",
    generation_args={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{key: {"type": ["null", "number"]} for key in ("temperature", "top_p", "top_k")},
            "max_tokens": {"type": "integer", "minimum": 1},
        },
    },
)
RESULT = _object(
    "evaluation_name source_data metric_config score_details",
    "evaluation_timestamp",
    source_data=SOURCE,
    metric_config=METRIC,
    score_details=_object("score", score=NUMBER, details=DETAILS, uncertainty=UNCERTAINTY),
    generation_config=GENERATION,
)
SCHEMA: dict[str, Any] = _object(
    "schema_version evaluation_id retrieved_timestamp source_metadata model_info eval_library"
    " evaluation_results",
    "evaluation_timestamp",
    source_metadata=_object(
        "source_type source_organization_name evaluator_relationship",
        "source_name source_organization_url",
        source_type=_one_of("documentation", "evaluation_run"),
        evaluator_relationship=_one_of("first_party", "third_party", "collaborative", "other"),
    ),
    eval_library=_object("name version"),
    model_info=_object("name id", "developer", inference_engine=_object("", "name version")),
    evaluation_results={"type": "array", "items": RESULT},
    detailed_evaluation_results=_object(
        "", "file_path", format=_one_of("jsonl", "json"), total_rows={"type": "integer"}
    ),
) | {"additionalProperties": False}
del SCHEMA["properties"]["additional_details"]
