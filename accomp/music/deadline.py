"""Give up what a thread does in Python when it takes too much processor time."""

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEP = 0.2  # seconds between two looks at the clock
TRIES = 20  # in case the code at work catches whatever is raised in it


class TooLong(BaseException):
    """What is done takes too long. No Exception, so that libraries do not catch it as one."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TooLong in a block, once its thread has worked on it for so long.

    It counts processor time where the system tells it of threads, else all time. What is done
    outside of Python, such as a search by a regular expression, is not given up.
    """
    thread, clock = threading.get_ident(), _clock()
    end, ended, lock = clock() + seconds, threading.Event(), threading.Lock()

    def watch() -> None:
        tries = 0
        while tries < TRIES and not ended.wait(STEP):
            if clock() < end:
                continue
            with lock:
                if not ended.is_set():
                    tries += 1
                    raised = ctypes.py_object(TooLong)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            ended.set()


def _clock() -> Callable[[], float]:
    """Return a clock of the processor time of this thread, which other threads can read."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(number)
