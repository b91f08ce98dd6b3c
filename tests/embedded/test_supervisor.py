import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from oversight.embedded.console import Console
from oversight.embedded.leash import leashed
from oversight.embedded.parts import Part
from oversight.embedded.supervisor import Interrupted, PartFailedError, Supervisor
from tests.embedded.conftest import PROJECT

OBEDIENT = """
import signal, sys, time
def stop(number, frame):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print(sys.argv[2], "works", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("works", flush=True)
time.sleep(60)
"""
MOTHER = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
print("child", child.pid, "works", flush=True)
time.sleep(60)
"""


def part(name: str, code: str, *arguments: str, **fields: object) -> Part:
    command = [sys.executable, "-c", code, *arguments]
    return Part(name, command, **{"ready_when": "works", "ready_seconds": 10.0, **fields})  # type: ignore[arg-type]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(output: io.StringIO) -> Iterator[Supervisor]:
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    supervisor = Supervisor(Console(output))
    yield supervisor
    supervisor.stop()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until(condition: object, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.02)
    return bool(condition())  # type: ignore[operator]


def test_the_first_part_stops_last(supervisor: Supervisor, tmp_path: Path) -> None:
    record = tmp_path / "record"
    for name in ("first", "second", "third"):
        supervisor.start(part(name, OBEDIENT, str(record), name))
    supervisor.stop()
    stopped = record.read_text().split()
    assert set(stopped) == {"first", "second", "third"}
    assert stopped[-1] == "first"


def test_a_part_that_dies_is_named_with_its_code_and_last_words(supervisor: Supervisor) -> None:
    code = "import time; print('works', flush=True); time.sleep(0.3); print('alas'); exit(3)"
    supervisor.start(part("patient", "import time; print('works', flush=True); time.sleep(60)"))
    supervisor.start(part("fragile", code))
    with pytest.raises(PartFailedError, match=r"(?s)fragile stopped \(exit code 3\).*works.*alas"):
        supervisor.run()


def test_a_part_that_is_killed_is_named_with_the_signal(supervisor: Supervisor) -> None:
    code = "import os, signal, time; print('works', flush=True); time.sleep(0.3); "
    supervisor.start(part("victim", code + "os.kill(os.getpid(), signal.SIGKILL)"))
    with pytest.raises(PartFailedError, match=r"victim stopped \(killed by SIGKILL\)"):
        supervisor.run()


def test_a_part_that_never_becomes_ready_is_named(supervisor: Supervisor) -> None:
    silent = part("silent", "import time; time.sleep(60)", ready_seconds=0.3)
    with pytest.raises(PartFailedError, match="silent was not ready"):
        supervisor.start(silent)


def test_a_part_that_does_not_stop_is_killed_after_its_grace(
    supervisor: Supervisor, output: io.StringIO
) -> None:
    supervisor.start(part("stubborn", STUBBORN, grace_seconds=0.5))
    begun = time.monotonic()
    supervisor.stop()
    assert 0.5 <= time.monotonic() - begun < 5
    assert "stubborn is killed" in output.getvalue()


def test_a_second_signal_does_not_wait_for_the_grace(supervisor: Supervisor) -> None:
    supervisor.start(part("stubborn", STUBBORN, grace_seconds=30.0))
    os.kill(os.getpid(), signal.SIGINT)
    supervisor.run()
    threading.Timer(1.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 10


def test_what_a_part_left_in_a_session_of_its_own_is_ended_too(
    supervisor: Supervisor, output: io.StringIO
) -> None:
    supervisor.start(part("mother", MOTHER))
    child = int(output.getvalue().split("child ")[1].split()[0])
    assert is_alive(child)
    supervisor.stop()
    assert wait_until(lambda: not is_alive(child))


def test_a_signal_while_starting_interrupts(supervisor: Supervisor) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Interrupted):
        supervisor.start(part("slow", "import time; time.sleep(60)"))


def test_the_end_of_something_else_stops_everything(supervisor: Supervisor) -> None:
    gone = threading.Event()
    supervisor.watch("database", lambda: gone.wait() and None, lambda: ["disk full"])
    supervisor.check()
    gone.set()
    with pytest.raises(PartFailedError, match=r"(?s)database stopped\..*disk full"):
        supervisor.run()


def test_a_part_that_fell_with_what_it_stood_on_is_not_called_the_cause(
    supervisor: Supervisor,
) -> None:
    gone = threading.Event()
    supervisor.watch("database", lambda: gone.wait() and None, lambda: ["disk full"])
    # The part hears of the loss before anybody else, and ends.
    fallen = part("sequencer", "import sys; sys.exit('connection lost')")
    threading.Timer(0.3, gone.set).start()
    with pytest.raises(PartFailedError, match=r"(?s)database stopped\..*disk full"):
        supervisor.start(fallen)


def test_a_killed_supervisor_leaves_no_process_behind() -> None:
    code = f"""
import sys, time
from oversight.embedded.console import Console
from oversight.embedded.parts import Part
from oversight.embedded.supervisor import Supervisor
supervisor = Supervisor(Console())
for name in ("one", "two"):
    code = "import os, time; print('works as', os.getpid(), flush=True); time.sleep(60)"
    supervisor.start(Part(name, [{sys.executable!r}, "-c", code], "works"))
print("all started", flush=True)
supervisor.run()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = []
        while "all started" not in (line := process.stdout.readline()):
            assert line, "the supervisor ended"
            pids.append(int(line.rsplit(maxsplit=1)[1]))
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        process.kill()
    assert wait_until(lambda: not any(map(is_alive, pids)))


def test_a_program_whose_parent_is_gone_already_is_not_started(tmp_path: Path) -> None:
    command = leashed(["touch", str(tmp_path / "started")])
    command[command.index("--parent") + 1] = "1"
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "its parent is gone" in ran.stderr
    assert not (tmp_path / "started").exists()


def test_lines_are_prefixed_and_coloured_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, terminal = io.StringIO(), Terminal()
    Console(plain).line("web", "hello")
    Console(terminal).line("web", "hello")
    assert plain.getvalue() == "web       | hello\n"
    assert terminal.getvalue() == "\x1b[36mweb       | \x1b[0mhello\n"
