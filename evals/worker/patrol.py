"""Looking for work now and then, so that neither a lost nudge nor a broker that is away matters."""

import logging
import random
import threading

from evals.worker.agent import Agent
from evals.worker.client import PlatformError

PATROL_SECONDS = 60.0
"""Between two looks without a nudge: one small request, which also says that the worker lives."""

logger = logging.getLogger(__name__)


class Patrol:
    """A thread that asks the agent to look for work; nudges let it look at once."""

    def __init__(self, agent: Agent, seconds: float = PATROL_SECONDS) -> None:
        self.agent = agent
        self._seconds = seconds
        self._stopping = threading.Event()
        self._trouble = ""

    def start(self) -> None:
        """Begin in a thread of its own."""
        threading.Thread(target=self._go_round, name="patrol", daemon=True).start()

    def stop(self) -> None:
        """Take nothing more and give back what is under way; returns at once."""
        self._stopping.set()
        self.agent.stop()

    def look(self) -> int:
        """Take task runs until there are none; a platform that refuses is said once, not for ever.

        Whatever goes wrong, the next look may go well: a token may be enrolled, a site come back.
        """
        try:
            taken = self.agent.work()
            self.agent.look_at_endpoints()
        except PlatformError as error:
            trouble = f"The platform does not let us work: {error}"
        except Exception as error:
            logger.debug("unexpected", exc_info=True)
            trouble = f"Looking for work failed: {type(error).__name__}: {error}"
        else:
            if self._trouble:
                logger.info("The platform lets us work again.")
            self._trouble = ""
            return taken
        if trouble != self._trouble and not self._stopping.is_set():
            logger.warning("%s We ask again every %d seconds.", trouble, self._seconds)
        self._trouble = trouble
        return 0

    def _go_round(self) -> None:
        while not self._stopping.is_set():
            self.look()
            # Jitter, so that many workers do not come at the same moment.
            self._stopping.wait(self._seconds * random.uniform(0.8, 1.2))  # noqa: S311
