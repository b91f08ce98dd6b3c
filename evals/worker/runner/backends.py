"""Making a model of the harness for a back-end: `hf`, `vllm`, or an endpoint's two.

The arguments are made by functions of their own, which need neither a GPU nor vLLM.
"""

import hashlib
import json
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evals.worker.failures import Code, WorkError
from evals.worker.runner.protocol import Load
from evals.worker.weights import fault_of

ENDPOINTS = ("completions", "chat")
GPU_MEMORY_FRACTION = 0.9
ENDPOINT_ANSWERS_SECONDS = 24 * 3600.0
"""How long an endpoint's answers count: nothing says that it still serves the same weights."""


def make_model(load: Load, torch: Any) -> Any:
    """Load a model, or make ready to call its endpoint.

    Raises:
        WorkError: this host cannot, or the weights cannot be read or do not fit.
    """
    if load.backend in ENDPOINTS:
        from evals.worker.runner.remote import make_remote

        return make_remote(load)
    if load.backend == "hf":
        from evals.worker.runner.measured import MeasuredModel, is_out_of_memory

        kind, arguments = MeasuredModel, hf_arguments(load, gpus=_gpus(torch))
    elif load.backend == "vllm":
        from evals.worker.runner.measured import is_out_of_memory

        arguments = vllm_arguments(load, gpus=_gpus(torch))
        kind = _vllm()
    else:
        raise WorkError(Code.SETTING_REFUSED, f"This worker has no backend {load.backend}.")
    try:
        return kind(**arguments)
    except Exception as error:
        if is_out_of_memory(error):
            raise WorkError(Code.OUT_OF_MEMORY, f"The model does not fit: {error}") from error
        fault = fault_of(Path(load.model)) or f"{type(error).__name__}: {error}"
        reason = f"The weights cannot be read: {fault}"
        raise WorkError(Code.WEIGHTS_UNREADABLE, reason) from error


def hf_arguments(load: Load, *, gpus: int) -> dict[str, Any]:
    """Return what the harness's Hugging Face model is made with.

    On several GPUs the model's layers are spread over all that the worker sees (accelerate's device
    map), as `lm_eval run --model_args parallelize=True` does.
    """
    arguments: dict[str, Any] = {
        "pretrained": load.model,
        "dtype": load.dtype,
        "batch_size": load.batch_size,
        "trust_remote_code": False,
    }
    if load.devices > 1:
        _require_gpus(load, gpus)
        return arguments | {"device": "cuda", "parallelize": True}
    if load.device == "cuda":
        _require_gpus(load, gpus)
    device = load.device if load.device != "auto" else "cuda" if gpus else "cpu"
    return arguments | {"device": device}


def vllm_arguments(load: Load, *, gpus: int) -> dict[str, Any]:
    """Return what the harness's vLLM model is made with: it batches by itself."""
    if load.device == "cpu":
        raise WorkError(Code.SETTING_REFUSED, "The backend vllm needs a GPU: use hf on a CPU.")
    if find_spec("vllm") is None:
        raise WorkError(
            Code.SETTING_REFUSED,
            "vLLM is not installed on this host: install it into the worker's environment "
            "(pip install vllm), or run with the backend hf.",
        )
    _require_gpus(load, gpus)
    return {
        "pretrained": load.model,
        "dtype": load.dtype,
        "tensor_parallel_size": load.devices,
        "batch_size": "auto",
        "gpu_memory_utilization": GPU_MEMORY_FRACTION,
        "trust_remote_code": False,
    }


def journal_key(load: Load, model: Any) -> dict[str, Any]:
    """Return all that decides a model's answers, apart from the request."""
    key: dict[str, Any] = {
        "weights": load.digest,
        "backend": load.backend,
        "harness": metadata.version("lm_eval"),
        "tokenizer": _tokenizer_digest(model),
    }
    if load.endpoint is not None:
        return key | {"endpoint": {n: load.endpoint[n] for n in ("base_url", "model")}}
    engine = {"vllm": "vllm"}.get(load.backend, "torch")
    return key | {
        "dtype": load.dtype,
        "device": str(model.device).partition(":")[0],
        "devices": load.devices,
        "software": {n: metadata.version(n) for n in (engine, "transformers", "tokenizers")},
    }


def journal_max_age(load: Load) -> float | None:
    """Return for how long answers count; None for ever, as they follow from the key."""
    return ENDPOINT_ANSWERS_SECONDS if load.endpoint is not None else None


def _tokenizer_digest(model: Any) -> str:
    """Return the digest of how a text becomes tokens, and a conversation a text."""
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        return ""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    said = backend.to_str() if backend is not None else json.dumps(tokenizer.get_vocab())
    template = json.dumps(getattr(tokenizer, "chat_template", None), sort_keys=True)
    return hashlib.sha256(f"{said}\n{template}".encode()).hexdigest()


def _vllm() -> Any:
    from lm_eval.models.vllm_causallms import VLLM

    from evals.worker.runner.measured import Answering

    class MeasuredVllm(Answering, VLLM):  # type: ignore[misc]
        """vLLM's model, answering from its journal."""

        # It answers all it is given at the end: in slices, so that little is lost with it.
        slice_size = 1024
        device = "cuda"

        def _model_generate(self, *args: Any, **kwargs: Any) -> Any:
            made = super()._model_generate(*args, **kwargs)
            for one in made:
                self.watch.tokens += len(one.prompt_token_ids or ())
                self.watch.tokens += sum(len(text.token_ids) for text in one.outputs)
            return made

    return MeasuredVllm


def _gpus(torch: Any) -> int:
    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _require_gpus(load: Load, gpus: int) -> None:
    if not gpus:
        raise WorkError(Code.SETTING_REFUSED, "This host has no CUDA device.")
    if gpus < load.devices:
        reason = f"The run asks for {load.devices} GPUs; this host shows {gpus} to the worker."
        raise WorkError(Code.SETTING_REFUSED, reason)
