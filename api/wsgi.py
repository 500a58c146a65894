"""The application for a WSGI server: `granian --interface wsgi api.wsgi:app`.

The server needs `threads` and `hashing_waiting` threads together: see api.gate.

SIGUSR1 makes this process say 503 on /readyz while it goes on serving: a balancer looks away before SIGTERM.
"""

from __future__ import annotations

import signal
import threading
from multiprocessing.util import Finalize
from types import FrameType

from api import create_app, garbage
from api.config import load
from api.gate import Gate
from api.hearing import hear
from api.state import EXTENSION, State
from api.wiring import open_presence, open_resources
from vault.service import Vault

settings = load()
resources = open_resources(settings)
application = create_app(settings, Vault(resources))
app = Gate(application, settings.threads, settings.hashing_waiting)
here: State = application.extensions[EXTENSION]
presence = open_presence(resources, "serve", here.log)
presence.start()
here.callers.warm()
Finalize(None, presence.stop, exitpriority=0)  # what a process of multiprocessing does last
garbage.spare()
garbage.seldom()


def drain(number: int = 0, frame: FrameType | None = None) -> None:
    """Stop being ready; a signal handler."""
    here.draining = True


if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGUSR1, drain)
    hear()
