"""Where songs are prepared: in processes of this machine, or on several by dask.distributed."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

RETRIES = 5  # of a song whose worker ended in the middle of it


@contextmanager
def executor(workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """Give an executor.

    Args:
        workers: Processes of this machine; None for one on each core.
        scheduler: The address of a scheduler of dask.distributed ("tcp://host:8786"), whose
            workers are used in place of processes here. A song whose worker ends is prepared by
            another one.

    Raises:
        SystemExit: dask.distributed is not installed, or no scheduler answers.
    """
    if scheduler is None:
        with ProcessPoolExecutor(workers) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise SystemExit(
            "--scheduler needs the package distributed: pip install 'distributed>=2026,<2027' "
            "(the extra accomp[cluster])"
        ) from error
    try:
        client = Client(scheduler, timeout=20, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"no scheduler answers at {scheduler}: {error}") from error
    with client, client.get_executor(pure=False, retries=RETRIES) as pool:
        yield pool
