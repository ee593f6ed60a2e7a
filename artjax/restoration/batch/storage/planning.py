"""What a run has to know of files in object stores before it begins."""

from collections.abc import Callable, Iterable, Mapping
import itertools
import os

from artjax.image_io import formats
from artjax.restoration.batch import finding
from artjax.restoration.batch import journal
from artjax.restoration.batch.storage import stores
from artjax.restoration.batch.storage import urls


def tell_formats(
  items: Iterable[finding.Item], settings: str, made: Mapping[str, journal.Made]
) -> None:
  """Sets the format of each item in a store, or its problem.

  Args:
    items: from `finding.find`.
    settings: of the worker.
    made: from `journal.read`; formats that it knows are not looked up.

  Raises:
    OSError: a store cannot be reached at all.
  """
  known = {one.stamp: one.format for one in made.values() if one.format}
  some = []
  for item in items:
    if urls.is_url(item.source) and not item.problem:
      stamp = journal.stamp(settings, item.source, version=item.version)
      item.kind = known.get(stamp)
      if not item.kind:
        some.append(item)
  some.sort(key=lambda item: urls.scheme(item.source))
  for _, group in itertools.groupby(some, lambda i: urls.scheme(i.source)):
    together = [*group]
    heads = stores.heads([item.source for item in together], formats.HEAD)
    for item, head in zip(together, heads):
      if isinstance(head, OSError):
        item.problem = f'{item.source}: {head.strerror}'
      else:
        item.kind = formats.file_format(head)
        item.is_picture = item.kind is not None


def existing(folder: str) -> Callable[[str], bool]:
  """Whether a result exists; a folder of a store is listed once, here.

  Args:
    folder: of the results.

  Raises:
    OSError: it cannot be listed.
  """
  if not urls.is_url(folder):
    return os.path.exists
  return {
    found.url for found in stores.find(folder, recursive=True)
  }.__contains__
