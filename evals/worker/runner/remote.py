"""Endpoints as models of the harness: its own classes ask and read, our caller carries it there.

What is sent and how an answer is read is the harness's (`local-completions` and
`local-chat-completions`). Its way of sending is not used: it follows redirects, goes wherever a
name leads, asks again what was refused, and does not hear `Retry-After`.
"""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lm_eval.models.openai_completions import LocalChatCompletion, LocalCompletionsAPI

from evals.worker.endpoint.budget import Budget, Prices
from evals.worker.endpoint.caller import Caller
from evals.worker.failures import Code, WorkError
from evals.worker.runner.measured import Answering
from evals.worker.runner.protocol import Load

_UNLIMITED = Budget({}, None)


class _Remote(Answering):
    """What both kinds of endpoint have in common."""

    path = ""
    device = "endpoint"
    batch_size = 1
    budget = _UNLIMITED
    caller: Caller
    threads = 4

    async def get_batched_requests(
        self,
        requests: Sequence[Any],
        cache_keys: Sequence[Any],
        *,
        generate: bool = True,
        ctxlens: Sequence[int] | None = None,
        gen_kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> list[list[Any]]:
        """Ask several at a time, and tell of every answer as soon as it is there.

        The first trouble ends it: what is under way is still waited for, as it is paid for.
        """
        lengths: Sequence[int | None] = ctxlens or [None] * len(requests)
        answers: list[list[Any]] = []
        trouble: Exception | None = None
        with ThreadPoolExecutor(self.threads) as pool:
            waiting = [
                pool.submit(self._ask, request, generate, length, gen_kwargs)
                for request, length in zip(requests, lengths, strict=True)
            ]
            for future, name in zip(waiting, cache_keys, strict=True):
                if trouble is not None and future.cancel():
                    continue
                try:
                    answers.append([future.result()])
                except Exception as error:  # noqa: BLE001 - raised below, when all are in
                    trouble = trouble or error
                else:
                    self.add_partial("", name, answers[-1][0])
        self.watch.tokens = self.budget.task.given + self.budget.task.made
        if trouble is not None:
            raise trouble
        return answers

    def _ask(
        self, request: Any, generate: bool, length: int | None, settings: dict[str, Any] | None
    ) -> Any:
        payload = self._create_payload(  # type: ignore[attr-defined]
            self.create_message([request], generate=generate),  # type: ignore[attr-defined]
            generate=generate,
            gen_kwargs=copy.deepcopy(settings),
            seed=self._asking.seeds[0] if self._asking.seeds else 1234,
        )
        answer = self.caller.ask(self.path, payload, self.budget)
        try:
            if generate:
                found = self.parse_generations(outputs=answer.body)  # type: ignore[attr-defined]
            else:
                found = self.parse_logprobs(  # type: ignore[attr-defined]
                    outputs=answer.body, tokens=[request], ctxlens=[length]
                )
        except (KeyError, IndexError, TypeError, ValueError, AssertionError) as error:
            raise WorkError(
                Code.ENDPOINT_REFUSED,
                f"{self.caller.base_url} answers without what was asked for "
                f"({type(error).__name__}: {error}). Scoring given texts takes an endpoint that "
                "returns `logprobs` with `echo`.",
            ) from error
        return "" if found[0] is None else found[0]


class Completions(_Remote, LocalCompletionsAPI):  # type: ignore[misc]
    """An endpoint that continues texts."""

    path = "completions"


class Chat(_Remote, LocalChatCompletion):  # type: ignore[misc]
    """An endpoint that answers in a conversation; it can score no given text."""

    path = "chat/completions"

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:  # noqa: ARG002
        """Refuse, before anything is sent."""
        _refuse_scoring(requests)
        return []

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:  # noqa: ARG002
        """Refuse, before anything is sent."""
        _refuse_scoring(requests)
        return []


def make_remote(load: Load) -> Any:
    """Return the model of an endpoint.

    Raises:
        WorkError: its address may not be called from here.
    """
    endpoint = load.endpoint or {}
    caller = Caller(endpoint)
    # With a tokenizer, texts are sent as its tokens: whoever scores must know where they end.
    has_tokenizer = bool(load.model) and load.backend == "completions"
    options: dict[str, Any] = {
        "model": endpoint["model"],
        "base_url": caller.base_url,
        "tokenizer": load.model if has_tokenizer else None,
        "tokenizer_backend": "huggingface" if has_tokenizer else None,
        "tokenized_requests": has_tokenizer,
        # At least two, or the harness sends by itself.
        "num_concurrent": 2,
        "batch_size": 1,
    }
    model = (Chat if load.backend == "chat" else Completions)(**options)
    model.caller = caller
    model.threads = int(endpoint.get("concurrency") or 4)
    return model


def make_budget(load: Load, limits: dict[str, Any] | None, spent: Any) -> Budget:
    """Return the budget of a run at an endpoint."""
    prices = Prices.read((load.endpoint or {}).get("prices"))
    return Budget(limits or {}, prices, spent)


def _refuse_scoring(requests: list[Any]) -> None:
    names = sorted({request.task_name or "?" for request in requests})
    raise WorkError(
        Code.TASK_REFUSED,
        f"{', '.join(names)}: this task compares how likely given answers are, which a chat "
        "endpoint does not say. Run it on the weights or on a completions endpoint.",
    )
