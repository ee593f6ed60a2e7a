"""The progress bar of all passes, shown only on a terminal."""

from collections.abc import Iterable

import tqdm


def progress(
  iterable: Iterable | None, what: str, total: int, initial: int = 0
) -> tqdm.tqdm:
  """A bar that counts what `iterable` gives, or calls of `update`.

  Args:
    iterable: None = the caller counts.
    what: 'Reading', 'Cutting' or 'Writing'.
    total: how many there are.
    initial: how many were done before.
  """
  return tqdm.tqdm(
    iterable,
    what,
    total,
    initial=initial,
    disable=None,
    unit='picture' if what != 'Writing' else 'sub-image',
  )
