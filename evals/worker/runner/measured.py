"""The harness's Hugging Face model, watched: how many requests are answered, how many tokens.

Computes exactly what its base class computes.
"""

from collections.abc import Callable
from typing import Any

from lm_eval.models.huggingface import HFLM

Report = Callable[[int, int], None]
"""Called with requests answered and requests asked so far."""


class Watch:
    """Counts; stands in the place of the harness's cache of answers, which hears of every one.

    The harness calls `add_partial` as soon as a request is answered. Its own cache stays off: its
    keys do not name the model.
    """

    def __init__(self, report: Report | None = None) -> None:
        self.answered = 0
        self.asked = 0
        self.tokens = 0
        self._report = report

    def ask(self, requests: int) -> None:
        """Count requests that are about to be sent to the model."""
        self.asked += requests
        self._tell()

    def add_partial(self, _kind: str, _request: Any, _answer: Any) -> None:
        """Count an answer."""
        self.answered += 1
        self._tell()

    def _tell(self) -> None:
        if self._report:
            self._report(self.answered, self.asked)


class MeasuredModel(HFLM):  # type: ignore[misc]
    """A Hugging Face model that tells its watch what it is asked."""

    watch = Watch()

    def set_watch(self, watch: Watch) -> None:
        """Count for this watch from now on."""
        self.watch = watch
        self.set_cache_hook(watch)

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> Any:
        """As the base class, counted."""
        self.watch.ask(len(requests))
        return super().loglikelihood(requests, disable_tqdm=disable_tqdm)

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> Any:
        """As the base class, counted."""
        self.watch.ask(len(requests))
        return super().loglikelihood_rolling(requests, disable_tqdm=disable_tqdm)

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> Any:
        """As the base class, counted."""
        self.watch.ask(len(requests))
        return super().generate_until(requests, disable_tqdm=disable_tqdm)

    def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **kwargs: Any) -> Any:
        self.watch.tokens += sum(len(context) + len(answer) for _, context, answer in requests)
        return super()._loglikelihood_tokens(requests, *args, **kwargs)

    def _model_generate(self, context: Any, *args: Any, **kwargs: Any) -> Any:
        made = super()._model_generate(context, *args, **kwargs)
        mask = kwargs.get("attention_mask")
        given = int(mask.sum()) if mask is not None else context.numel()
        # Answers that ended before the longest one of their batch are filled up: not tokens.
        padding = self.tokenizer.pad_token_id
        self.watch.tokens += given + int((made[:, context.shape[1] :] != padding).sum())
        return made
