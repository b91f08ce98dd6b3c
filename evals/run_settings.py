"""What a run may be asked with: every setting checked before anything is queued.

A setting that only some back-ends have is refused with the others, by name, rather than ignored.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, ngettext

from evals.choices import ResourceClass
from oversight.web.refusals import Invalid

BACKENDS = ("hf", "vllm", "completions", "chat")
REMOTE = frozenset({"completions", "chat"})
"""Back-ends that ask an endpoint instead of loading weights."""
DTYPES = ("float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")
DEFAULTS: dict[str, Any] = {
    "backend": "hf",
    "dtype": "float32",
    "batch_size": 16,
    "limit": None,
    "device": "auto",
    "devices": 1,
    "fresh": False,
    "budget": None,
    "endpoint": None,
}
_ONLY_WHEN_ASKED = ("devices", "fresh", "budget", "endpoint")
"""Left out of a run's settings while they say nothing: what is recorded stays short."""
NEEDS_LOGLIKELIHOODS = frozenset({"multiple_choice", "loglikelihood", "loglikelihood_rolling"})

_MONEY = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
_BUDGET = ("requests", "tokens", "money")
_ENDPOINT_DEFAULTS: dict[str, Any] = {
    "model": "",
    "requests_per_minute": None,
    "concurrency": 4,
    "timeout_seconds": 120,
    "prices": None,
}


def checked_settings(
    given: Mapping[str, Any], *, resource_class: str, tasks: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a run's whole settings from what was asked.

    Raises:
        Invalid: a setting is unknown, has no usable value, or does not go with the back-end.
    """
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise Invalid(
            gettext("Unknown setting “%(name)s”: use %(defaults)s.")
            % {"name": unknown[0], "defaults": ", ".join(DEFAULTS)}
        )
    settings = DEFAULTS | dict(given)
    _one_of("backend", settings["backend"], BACKENDS)
    _one_of("dtype", settings["dtype"], DTYPES)
    _one_of("device", settings["device"], DEVICES)
    _whole("batch_size", settings["batch_size"], 1024)
    _whole("devices", settings["devices"], 64)
    if settings["limit"] is not None:
        _whole("limit", settings["limit"], 1_000_000)
    if not isinstance(settings["fresh"], bool):
        raise _invalid("fresh", gettext("fresh is true or false."))
    if settings["backend"] in REMOTE:
        _check_remote(settings, tasks)
    else:
        _check_local(settings, resource_class)
    silent = [name for name in _ONLY_WHEN_ASKED if settings[name] == DEFAULTS[name]]
    return {name: value for name, value in settings.items() if name not in silent}


def _check_local(settings: Mapping[str, Any], resource_class: str) -> None:
    backend = settings["backend"]
    for name in ("budget", "endpoint"):
        if settings[name] is not None:
            raise _invalid(
                name,
                gettext("%(name)s goes with the back-ends completions and chat only.")
                % {"name": name},
            )
    if backend == "vllm" and (settings["device"] == "cpu" or resource_class != ResourceClass.GPU):
        raise _invalid("backend", gettext("vllm needs GPUs: ask for the resource class gpu."))
    if settings["devices"] > 1 and resource_class != ResourceClass.GPU:
        raise _invalid("devices", gettext("Several devices need the resource class gpu."))


def _check_remote(settings: dict[str, Any], tasks: Iterable[Mapping[str, Any]]) -> None:
    backend = settings["backend"]
    if settings["devices"] != 1:
        raise _invalid(
            "devices",
            gettext("devices does not go with the back-end %(backend)s.") % {"backend": backend},
        )
    if settings["endpoint"] is None:
        raise _invalid(
            "endpoint",
            gettext("The back-end %(backend)s needs an endpoint.") % {"backend": backend},
        )
    settings["endpoint"] = endpoint = _checked_endpoint(settings["endpoint"])
    if settings["budget"] is not None:
        settings["budget"] = _checked_budget(settings["budget"], endpoint)
    if backend == "chat":
        _refuse_loglikelihoods(tasks)


def _refuse_loglikelihoods(tasks: Iterable[Mapping[str, Any]]) -> None:
    """Refuse tasks that a chat endpoint cannot answer. Of a stock task only the worker knows."""
    refused = [
        task["name"]
        for task in tasks
        if (task.get("config") or {}).get("output_type") in NEEDS_LOGLIKELIHOODS
    ]
    if refused:
        raise _invalid(
            "backend",
            ngettext(
                "A chat endpoint gives no log-likelihoods, which %(refused)s needs: use the "
                "back-end completions, or a suite whose tasks generate text.",
                "A chat endpoint gives no log-likelihoods, which %(refused)s need: use the "
                "back-end completions, or a suite whose tasks generate text.",
                len(refused),
            )
            % {"refused": ", ".join(refused)},
        )


def _checked_endpoint(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not {"slug", "base_url"} <= set(given):
        raise _invalid("endpoint", gettext("endpoint is an object with slug and model."))
    unknown = sorted(set(given) - {"slug", "base_url", *_ENDPOINT_DEFAULTS})
    if unknown:
        raise _invalid("endpoint", gettext("endpoint has no “%(name)s”.") % {"name": unknown[0]})
    endpoint = _ENDPOINT_DEFAULTS | dict(given)
    model = endpoint["model"]
    if not isinstance(model, str) or not 1 <= len(model) <= 200 or not model.isprintable():
        raise _invalid(
            "endpoint", gettext("endpoint.model is the name that the endpoint calls it by.")
        )
    if endpoint["requests_per_minute"] is not None:
        _whole("endpoint.requests_per_minute", endpoint["requests_per_minute"], 1_000_000)
    _whole("endpoint.concurrency", endpoint["concurrency"], 64)
    _whole("endpoint.timeout_seconds", endpoint["timeout_seconds"], 600, low=5)
    if endpoint["prices"] is not None:
        endpoint["prices"] = _checked_prices(endpoint["prices"])
    return endpoint


def _checked_prices(given: Any) -> dict[str, str]:
    names = ("currency", "input_per_million", "output_per_million")
    if not isinstance(given, Mapping) or set(given) != set(names):
        raise _invalid(
            "endpoint",
            gettext("endpoint.prices is an object with %(names)s.") % {"names": ", ".join(names)},
        )
    currency = given["currency"]
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise _invalid("endpoint", gettext("endpoint.prices.currency is a code such as EUR."))
    return {"currency": currency} | {
        name: _money(f"endpoint.prices.{name}", given[name]) for name in names[1:]
    }


def _checked_budget(given: Any, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not set(given) <= set(_BUDGET):
        raise _invalid(
            "budget",
            gettext("budget is an object with any of %(budget)s.") % {"budget": ", ".join(_BUDGET)},
        )
    budget: dict[str, Any] = dict.fromkeys(_BUDGET) | dict(given)
    if set(budget.values()) == {None}:
        raise _invalid("budget", gettext("A budget without any limit is none: leave it out."))
    for name in ("requests", "tokens"):
        if budget[name] is not None:
            _whole(f"budget.{name}", budget[name], 10**12)
    if budget["money"] is not None:
        budget["money"] = _money("budget.money", budget["money"])
        if Decimal(budget["money"]) == 0:
            raise _invalid("budget", gettext("A budget of no money starts nothing."))
        if endpoint["prices"] is None:
            raise _invalid("budget", gettext("A budget in money needs the endpoint's prices."))
    return budget


def _money(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise _invalid(
            name, gettext('%(name)s is a decimal as text, such as "12.50".') % {"name": name}
        )
    return value


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise _invalid(name, f"Unknown {name} {value!r}: use {', '.join(known)}.")


def _whole(name: str, value: Any, high: int, *, low: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _invalid(
            name,
            gettext("%(name)s is a whole number from %(low)s to %(high)s.")
            % {"name": name, "low": low, "high": high},
        )


def _invalid(name: str, words: str) -> Invalid:
    return Invalid(words, fields={name.split(".", maxsplit=1)[0]: words})
