"""The runner's process: `python -m evals.worker.runner --commands FD --events FD`.

It ends when the worker ends, however that happens: a thread reads the pipe of commands, and its
end means that nobody is left to work for. What libraries print goes to stdout and stderr, which the
worker has pointed at a log file.
"""

import argparse
import logging
import os
import signal
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

from evals.worker.runner import protocol
from evals.worker.runner.memory import bound_memory
from evals.worker.runner.protocol import Command, Event, Failed, Load, Ready, Run, Shutdown

if TYPE_CHECKING:
    from evals.worker.runner.session import Session


class Channel:
    """Sends events; several threads may do so."""

    def __init__(self, descriptor: int) -> None:
        self._stream: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Send one event; ends the process if the worker is gone."""
        try:
            with self._lock:
                self._stream.write(protocol.encode(event))
        except BrokenPipeError:
            _end()


def main() -> None:
    """Import the harness, then carry out commands until there are none."""
    parser = argparse.ArgumentParser(prog="python -m evals.worker.runner")
    parser.add_argument("--commands", type=int, required=True, help="descriptor to read from")
    parser.add_argument("--events", type=int, required=True, help="descriptor to write to")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves it to torch")
    parser.add_argument("--memory", type=int, default=0, help="megabytes it may take; 0: no bound")
    options = parser.parse_args()
    bound_memory(options.memory)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    channel = Channel(options.events)
    commands: SimpleQueue[Command] = SimpleQueue()
    # Before the imports: they take seconds, and the worker may be gone before they are done.
    threading.Thread(target=_listen, args=(options.commands, commands), daemon=True).start()
    _serve(commands, channel, options.threads)


def _listen(descriptor: int, commands: SimpleQueue[Command]) -> None:
    with os.fdopen(descriptor, "rb") as stream:
        for line in stream:
            message = protocol.decode(line)
            if isinstance(message, Load | Run | Shutdown):
                commands.put(message)
    _end()


def _end() -> None:
    """End this process and what it started, now: its memory may be needed elsewhere."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _serve(commands: SimpleQueue[Command], channel: Channel, threads: int) -> None:
    from evals.worker.runner.session import Session

    session = Session(threads=threads)
    channel.send(Ready())
    while not isinstance(command := commands.get(), Shutdown):
        channel.send(_carried_out(session, command, channel))


def _carried_out(session: "Session", command: Load | Run, channel: Channel) -> Event:
    """Carry out a command and return its last event; nothing that goes wrong ends the runner."""
    from evals.worker.failures import Code, WorkError

    try:
        if isinstance(command, Load):
            return session.load(command)
        return session.run(command, channel.send)
    except WorkError as error:
        logging.getLogger(__name__).warning("%s: %s", error.code, error.message, exc_info=True)
        return Failed(error.code, error.message)
    except Exception as error:
        logging.getLogger(__name__).exception("unexpected")
        return Failed(Code.INTERNAL, f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
