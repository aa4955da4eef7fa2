"""A line in the server's log for each call: when, what, how long and how it ended.

What visitors bring is not in it: neither names nor notes. A fault of the page's own is logged with
its traceback, and the visitor is told that something went wrong.
"""

import inspect
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import wraps
from typing import Any

import gradio as gr

from accomp.errors import Stopped
from page.messages import refuse

log = logging.getLogger("accomp.page")
FAULT = "Something went wrong here, and it has been noted. Try again."


def keep(demo: gr.Blocks) -> None:
    """Log every call of the page's handlers, once for all of them, when all are connected."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    for function in demo.fns.values():
        if function.fn is not None:
            name = function.api_name if function.api_visibility == "public" else None
            function.fn = noted(function.fn, str(name or function.name))


def noted(handle: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a handler that does the same and logs a line under a name."""
    if inspect.isgeneratorfunction(handle):

        @wraps(handle)
        def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
            is_empty = True
            with suppress(Stopped), _noting(name), closing(handle(*args, **kwargs)) as values:
                for value in values:
                    is_empty = False
                    yield value
            if is_empty:  # of it Gradio would empty the widgets
                yield gr.skip()

        return steps

    @wraps(handle)
    def once(*args: Any, **kwargs: Any) -> Any:
        try:
            with _noting(name):
                return handle(*args, **kwargs)
        except Stopped:  # nobody waits for it any more
            return gr.skip()

    return once


@contextmanager
def _noting(name: str) -> Iterator[None]:
    """Log how long what stands under it took, and how it ended."""
    begun, ending = time.monotonic(), "done"
    try:
        yield
    except (GeneratorExit, Stopped):
        ending = "given up"
        raise
    except gr.Error:
        ending = "refused"
        raise
    except Exception as error:
        ending = "failed"
        log.exception("%s failed", name)
        raise refuse(FAULT) from error
    finally:
        log.info("%s %.2f s %s", name, time.monotonic() - begun, ending)
