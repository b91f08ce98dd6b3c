"""The runner as the worker sees it: a process of its own that is started, told, watched, killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from evals.worker.failures import Code, WorkError
from evals.worker.runner import protocol
from evals.worker.runner.protocol import Command, Event, Failed, Finished, Loaded, Ready

PROJECT = Path(__file__).resolve().parents[2]
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
LOG_TAIL_BYTES = 8_000
LOG_LIMIT_BYTES = 4_000_000
"""Past this length the log begins anew."""


class RunnerProcess:
    """One runner. Its imports begin at once, so that they are done when the first command comes."""

    def __init__(
        self,
        directory: Path,
        *,
        threads: int | None,
        online: bool,
        memory_megabytes: int = 0,
        python: str = sys.executable,
    ) -> None:
        self.online = online
        self.log = directory / "runner.log"
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        cache = directory / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        commands_in, commands_out = os.pipe()
        events_in, events_out = os.pipe()
        command = [python, "-m", "evals.worker.runner"]
        command += ["--commands", str(commands_in), "--events", str(events_out)]
        command += ["--threads", str(threads or 0), "--memory", str(memory_megabytes)]
        environment = os.environ | {
            "HF_HOME": str(cache / "huggingface"),
            "HF_DATASETS_CACHE": str(cache / "datasets"),
            "PYTHONPATH": str(PROJECT),
            "TOKENIZERS_PARALLELISM": "false",
            "TQDM_DISABLE": "1",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                env=environment | ({} if online else OFFLINE),
                pass_fds=(commands_in, events_out),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own: killing it takes everything along that it has started.
                start_new_session=True,
            )
        os.close(commands_in)
        os.close(events_out)
        self._commands = os.fdopen(commands_out, "wb", buffering=0)
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        Thread(target=self._listen, args=(events_in,), daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether it can still be told something."""
        return self.process.poll() is None

    def tell(self, command: Command) -> None:
        """Send a command.

        Raises:
            WorkError: the runner is dead.
        """
        try:
            self._commands.write(protocol.encode(command))
        except (BrokenPipeError, ValueError):
            raise self._died() from None

    def events(self, seconds: float) -> Iterator[Event]:
        """Yield what the runner says until its last word; `Ready` every `seconds` of silence.

        The caller looks at leases and cancels in between, so silence must not hold it up.

        Raises:
            WorkError: the runner failed or died.
        """
        while True:
            try:
                event = self._events.get(timeout=seconds)
            except Empty:
                yield Ready()
                continue
            if event is None:
                raise self._died()
            if isinstance(event, Failed):
                raise WorkError(Code(event.code), event.message)
            yield event
            if isinstance(event, Loaded | Finished):
                return

    def kill(self) -> None:
        """End it at once, with everything it has started."""
        # Once it is reaped its number may belong to somebody else.
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._commands.close()

    def begin_log(self) -> None:
        """Let the tail begin here, after a piece of work: what comes is about the next one."""
        try:
            if self.log.stat().st_size > LOG_LIMIT_BYTES:
                # It is open for appending, so the next line is written at its new beginning.
                os.truncate(self.log, 0)
            self._log_from = self.log.stat().st_size
        except OSError:
            self._log_from = 0

    def log_tail(self) -> str:
        """Return the end of what it printed since the last piece of work."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_from, self.log.stat().st_size - LOG_TAIL_BYTES))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _listen(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            for line in stream:
                try:
                    self._events.put(protocol.decode(line))  # type: ignore[arg-type]
                except ValueError:
                    break
        self._events.put(None)

    def _died(self) -> WorkError:
        code = self.process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkError(Code.RUNNER_DIED, f"The runner died ({how}).")
