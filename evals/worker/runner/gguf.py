"""Turn a GGUF checkpoint into a folder of safetensors that the harness loads in seconds.

The weights are dequantised, so the folder computes what the quantised file computes. The folder is
the same, byte for byte, each time it is made from the same file by the same version of this recipe:
nothing of time, place or library versions is kept in it.

It imports torch, so it is a process of its own: `python -m evals.worker.runner.gguf FILE DIR`.
"""

import argparse
import json
from pathlib import Path

NOT_OF_THE_MODEL = frozenset(
    {"transformers_version", "_name_or_path", "_model_name_or_path", "is_local", "local_files_only"}
)
"""What the library notes about itself or this machine beside the model's own settings."""


def convert(gguf: Path, directory: Path, *, dtype: str) -> None:
    """Write config, tokenizer, chat template and weights of a GGUF file into an empty folder.

    Raises:
        ValueError, OSError: the file is not GGUF or its architecture is not known.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    quantised = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, dtype=getattr(torch, dtype)
    )
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    # A model loaded from GGUF refuses to be saved although its weights are plain by now; one of
    # the same configuration takes them over without a copy.
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(quantised.state_dict(), assign=True)
    plain.tie_weights()
    plain.generation_config = quantised.generation_config
    plain.save_pretrained(str(directory), max_shard_size="4GB")
    tokenizer.save_pretrained(str(directory))
    for path in directory.glob("*config.json"):
        _keep_only_the_models(path)


def _keep_only_the_models(path: Path) -> None:
    settings = json.loads(path.read_text())
    kept = {name: value for name, value in settings.items() if name not in NOT_OF_THE_MODEL}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def main() -> None:
    """Convert the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.worker.runner.gguf")
    parser.add_argument("gguf", type=Path, metavar="FILE")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    options = parser.parse_args()
    convert(options.gguf, options.directory, dtype=options.dtype)


if __name__ == "__main__":
    main()
