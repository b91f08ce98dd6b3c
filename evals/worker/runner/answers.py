"""One call of the harness's: which of its questions are answered, and which are to be asked.

The harness tells its cache hook of every answer as soon as it is there; that is how answers come in
here one by one, so that what broke off in the middle keeps what it had.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.worker.runner.journal import name_of

Report = Callable[[int, int], None]
"""Called with samples answered and samples asked so far."""
_NOTHING = object()


@dataclass
class Watch:
    """Counts what one task asks of a model: a sample may take several requests."""

    report: Report | None = None
    answered: int = 0
    """Requests."""
    from_journal: int = 0
    """Of the answered ones: not computed now."""
    tokens: int = 0
    samples: int = 0
    """As many as the task asks about."""
    finished: int = 0
    """Samples of which every request is answered."""

    def ask(self, samples: int) -> None:
        """Begin with so many samples; a second kind of request is about the same ones."""
        self.samples = max(self.samples, samples)
        self.finished = 0
        self._tell()

    def answer(self, requests: int, finished: int, *, from_journal: bool = False) -> None:
        """Count answers; with them so many samples are finished."""
        self.answered += requests
        self.from_journal += requests if from_journal else 0
        self.finished = finished
        self._tell()

    def _tell(self) -> None:
        if self.report:
            self.report(self.finished, self.samples)


@dataclass(frozen=True)
class Asking:
    """What else names an answer, beside the request."""

    task: str = ""
    seeds: tuple[int, ...] = ()
    once: bool = True
    """Whether equal requests have one answer; without a journal each is asked for itself."""


@dataclass
class Questions:
    """The requests of one call, with the answers so far. Equal ones are asked once.

    A sampled answer is another one each time: it is named by its seeds, its task, and how often the
    same request came before in this call.
    """

    kind: str
    arguments: Sequence[Any]
    asking: Asking
    samples: Sequence[Any] = ()
    """Of each request, which sample it is about; by default each is one of its own."""
    names: list[str] = field(init=False)
    answers: list[Any] = field(init=False)
    finished: int = field(init=False, default=0)
    """Samples of which every request is answered."""

    def __post_init__(self) -> None:
        self.answers = [_NOTHING] * len(self.arguments)
        self.samples = self.samples or range(len(self.arguments))
        self._open = Counter(self.samples)
        self.names = []
        seen: dict[str, int] = defaultdict(int)
        self._places: dict[str, list[int]] = defaultdict(list)
        self._waiting: dict[str, deque[str]] = defaultdict(deque)
        for place, arguments in enumerate(self.arguments):
            plain = name_of(self.kind, arguments)
            name = self._name(arguments, plain, seen[plain])
            seen[plain] += 1
            self.names.append(name)
            if name not in self._places:
                self._waiting[plain].append(name)
            self._places[name].append(place)

    def _name(self, arguments: Any, plain: str, before: int) -> str:
        if is_sampled(self.kind, arguments):
            return name_of(self.kind, arguments, self.asking.task, self.asking.seeds, before)
        return plain if self.asking.once else name_of(plain, before)

    def fill(self, known: Mapping[str, Any]) -> int:
        """Take answers in by name; return how many requests they answer."""
        return sum(self._put(name, answer) for name, answer in known.items())

    def hear(self, arguments: Any, answer: Any) -> tuple[str, int] | None:
        """Take in an answer; return its name and how many requests it answers, None if no news."""
        waiting = self._waiting[name_of(self.kind, arguments)]
        while waiting:
            name = waiting.popleft()
            if count := self._put(name, answer):
                return name, count
        return None

    def missing(self) -> list[int]:
        """Return the places of requests that are to be asked, one of each name."""
        return [places[0] for places in self._places.values() if self._is_open(places[0])]

    def _put(self, name: str, answer: Any) -> int:
        places = self._places[name]
        if not self._is_open(places[0]):
            return 0
        # JSON has no tuples, and the harness's metrics are given tuples.
        value = tuple(answer) if isinstance(answer, list) else answer
        for place in places:
            self.answers[place] = value
            sample = self.samples[place]
            self._open[sample] -= 1
            self.finished += not self._open[sample]
        return len(places)

    def _is_open(self, place: int) -> bool:
        return self.answers[place] is _NOTHING


def is_sampled(kind: str, arguments: Any) -> bool:
    """Say whether the answer to a request is drawn by lot."""
    if kind != "generate_until":
        return False
    settings = arguments[1]
    return bool(settings.get("do_sample")) or float(settings.get("temperature") or 0.0) > 0.0
