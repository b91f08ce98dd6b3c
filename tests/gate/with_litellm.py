"""Run by the interpreter that has `litellm`: says as JSON what LiteLLM itself makes of a file.

Reads and merges the configuration by LiteLLM's own functions, and builds its router from it.
"""

import asyncio
import json
import os
import sys

import litellm
import yaml
from litellm.proxy.common_utils.config_includes import resolve_include_file_path, resolve_includes


def load(path):
    with open(path) as file:  # noqa: PTH123 - as LiteLLM does it
        return yaml.safe_load(file)


async def main(path):
    path = os.path.abspath(path)  # noqa: PTH100 - as LiteLLM does it

    async def read(location):
        return load(location)

    config = await resolve_includes(
        config=load(path),
        location=path,
        resolve=lambda entry, where: resolve_include_file_path(entry, where, path),
        read=read,
    )
    router = litellm.Router(model_list=config["model_list"], **config.get("router_settings", {}))
    told = {
        "entries": [
            [
                each["model_name"],
                each["litellm_params"]["model"],
                each["model_info"].get("oversight") or {},
            ]
            for each in router.get_model_list()
        ],
        "names": sorted(set(router.get_model_names())),
        "fallbacks": router.fallbacks,
        "aliases": dict(router.model_group_alias or {}),
        "sections": sorted(config),
    }
    print(json.dumps(told))


asyncio.run(main(sys.argv[1]))
