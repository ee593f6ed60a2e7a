"""A lock on a folder, so that one run at a time works in it."""

from collections.abc import Iterator
import contextlib
import fcntl
import os


@contextlib.contextmanager
def held(folder: str, refusal: str) -> Iterator[None]:
  """Context: holds the lock. It goes with the process, however that ends.

  Args:
    folder: made if missing; the file `lock` in it stays.
    refusal: the message to whoever finds it held.

  Raises:
    ValueError: `refusal`.
  """
  os.makedirs(folder, exist_ok=True)
  with open(os.path.join(folder, 'lock'), 'w') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise ValueError(refusal) from error
    yield
