"""The harness's models, watched: answers come from the journal where it has them, and are counted.

Computes exactly what the harness's own classes compute. Where the memory does not suffice for a
batch, what is left is asked again in batches of half the size.
"""

import gc
import inspect
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from lm_eval.models.huggingface import HFLM

from evals.worker.failures import Code, WorkError
from evals.worker.runner.answers import Asking, Questions, Watch
from evals.worker.runner.journal import Journal
from evals.worker.runner.positions import Positions

Ask = Callable[..., list[Any]]
FLUSH_AFTER = 16
"""Answers between two hand-overs of the journal to the system: about one batch."""

logger = logging.getLogger(__name__)


class Answering:
    """Mixed into a model of the harness: asks it only what the journal does not know."""

    watch = Watch()
    slice_size: int | None = None
    """Requests that are given to the harness at once; None for all."""
    _journal: Journal | None = None
    _asking = Asking()
    _questions: Questions | None = None
    _unflushed = 0

    def begin(self, watch: Watch, asking: Asking, journal: Journal | None) -> None:
        """Count for this watch, and keep answers in this journal, from now on."""
        self.watch, self._asking, self._journal = watch, asking, journal
        self.set_cache_hook(self)  # type: ignore[attr-defined]

    def set_batch_size(self, size: int | str) -> None:
        """Ask in batches of another size from now on; nothing where the engine makes them."""

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """As the harness's class, for what is not in the journal."""
        return self._answered("loglikelihood", requests, super().loglikelihood, disable_tqdm)  # type: ignore[misc]

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """As the harness's class, for what is not in the journal."""
        ask = super().loglikelihood_rolling  # type: ignore[misc]
        return self._answered("loglikelihood_rolling", requests, ask, disable_tqdm)

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[Any]:
        """As the harness's class, for what is not in the journal."""
        return self._answered("generate_until", requests, super().generate_until, disable_tqdm)  # type: ignore[misc]

    def add_partial(self, _kind: str, arguments: Any, answer: Any) -> None:
        """Take in an answer: this is the hook that the harness calls for every one."""
        news = self._questions.hear(arguments, answer) if self._questions else None
        if news is None:
            return
        name, count = news
        finished = self._questions.finished if self._questions else 0
        self.watch.answer(1, finished)
        # Equal requests that this one answer serves cost nothing, like those of the journal.
        if count > 1:
            self.watch.answer(count - 1, finished, from_journal=True)
        if self._journal is not None:
            self._journal.keep(name, answer)
            self._unflushed += 1
            if self._unflushed >= FLUSH_AFTER:
                self._flush()

    def _answered(self, kind: str, requests: list[Any], ask: Ask, disable_tqdm: bool) -> list[Any]:
        about = [request.doc_id for request in requests]
        questions = Questions(kind, [request.args for request in requests], self._asking, about)
        self.watch.ask(len(set(about)))
        if self._journal is not None:
            found = questions.fill(self._journal.look_up(questions.names))
            self.watch.answer(found, questions.finished, from_journal=True)
        self._questions = questions
        try:
            while missing := questions.missing():
                now = missing[: self.slice_size]
                self._ask_for([requests[place] for place in now], ask, disable_tqdm)
        finally:
            self._questions = None
            self._flush()
        return questions.answers

    def _ask_for(self, requests: list[Any], ask: Ask, disable_tqdm: bool) -> None:
        """Ask the model; where memory ends, return after halving its batch, for what is left."""
        trouble = ""
        try:
            answers = ask(requests, disable_tqdm=disable_tqdm)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            trouble = str(error).splitlines()[0] if str(error) else type(error).__name__
        else:
            for request, answer in zip(requests, answers, strict=True):
                self.add_partial("", request.args, answer)
        # Outside of the handler: the error holds on to the tensors that did not fit.
        if trouble:
            self._halve_batch(trouble)

    def _halve_batch(self, trouble: str) -> None:
        raise WorkError(Code.OUT_OF_MEMORY, f"The memory does not suffice: {trouble}")

    def _flush(self) -> None:
        self._unflushed = 0
        if self._journal is not None:
            self._journal.flush()


class MeasuredModel(Answering, HFLM):  # type: ignore[misc]
    """A Hugging Face model that answers from its journal and states what it was asked."""

    _positions: Positions | None = None

    def set_batch_size(self, size: int | str) -> None:
        """Ask in batches of another size from now on."""
        self.batch_size_per_gpu = size

    def _halve_batch(self, trouble: str) -> None:
        size = self.batch_size_per_gpu
        if not isinstance(size, int) or size <= 1:
            raise WorkError(
                Code.OUT_OF_MEMORY,
                f"Not even a batch of size 1 fits into this host's memory: {trouble}",
            )
        self.batch_size_per_gpu = size // 2
        logger.warning("A batch of size %s does not fit: %s. Halving it.", size, trouble)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **kwargs: Any) -> Any:
        self.watch.tokens += sum(len(context) + len(answer) for _, context, answer in requests)
        self._positions = Positions(requests, self.max_length)
        return super()._loglikelihood_tokens(requests, *args, **kwargs)

    def _model_call(self, inps: Any, attn_mask: Any = None, labels: Any = None) -> Any:
        """As the base class, at the scored positions only: it reads the last ones of each row."""
        if attn_mask is not None or self._positions is None or not self._can_keep_last():
            return super()._model_call(inps, attn_mask, labels)
        width = inps.shape[1]
        # The harness fills rows up with zeros. One that is a token makes a row look shorter than it
        # is, and more is kept than needed.
        from_end = (inps != 0).flip(1).to(torch.int8).argmax(1)
        shortest = width - int(from_end.max())
        last = self._positions.needed(shortest, width)
        mixed = self.mixed_precision_dtype
        autocast = torch.autocast(self.device.type, dtype=mixed, enabled=mixed is not None)
        with torch.no_grad(), autocast:
            return self.model(inps, logits_to_keep=last).logits

    def _can_keep_last(self) -> bool:
        return self.backend == "causal" and "logits_to_keep" in self._forward_parameters

    @cached_property
    def _forward_parameters(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.model.forward).parameters)

    def _model_generate(self, context: Any, *args: Any, **kwargs: Any) -> Any:
        made = super()._model_generate(context, *args, **kwargs)
        mask = kwargs.get("attention_mask")
        given = int(mask.sum()) if mask is not None else context.numel()
        # Answers that ended before the longest one of their batch are filled up: not tokens.
        padding = self.tokenizer.pad_token_id
        self.watch.tokens += given + int((made[:, context.shape[1] :] != padding).sum())
        return made


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory has ended, on the device or on the host."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # What the processor's allocator raises has no class of its own.
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
