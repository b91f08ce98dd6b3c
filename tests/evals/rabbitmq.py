"""A RabbitMQ server of the tests' own: free ports, its own folder, no service of the machine."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from kombu import Connection

from oversight.embedded.addresses import free_port

# Debian's wrapper in /usr/sbin becomes another user, who may not write into our folder.
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
START_SECONDS = 90.0


def missing() -> str:
    """Say why no RabbitMQ can be started here; empty where one can."""
    if not (PROGRAMS / "rabbitmq-server").exists() or shutil.which("epmd") is None:
        return (
            "no RabbitMQ here: run .ci/install-broker as root on Debian or Ubuntu,"
            " or apt-get install rabbitmq-server"
        )
    return ""


class RabbitMQ:
    """One node that can be killed, and come back with or without what it knew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": os.environ["PATH"],
            # Its cookie lies in the home folder.
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"oversight-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # A name server of its own, which ends with it.
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        output = (self._folder / "output").open("ab")
        self._process = subprocess.Popen(
            [PROGRAMS / "rabbitmq-server"],
            env=self._environment,
            cwd=self._folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.3)
        self.kill()
        raise RuntimeError((self._folder / "output").read_text()[-3000:])

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, check=False)

    def forget(self) -> None:
        """Throw away all that it knew; it must be down."""
        shutil.rmtree(self._folder / "mnesia", ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        try:
            with Connection(self.url, connect_timeout=5) as connection:
                connection.connect()
        except OSError:
            return False
        return True
