"""What a run has to know of files in object stores before it begins."""

from collections.abc import Callable, Iterable
import itertools
import os

from artjax.image_io import formats
from artjax.restoration.batch import finding
from artjax.restoration.batch.storage import stores
from artjax.restoration.batch.storage import urls


def tell_formats(items: Iterable[finding.Item]) -> None:
  """Sets the format of each item in a store, or its problem.

  Raises:
    OSError: a store cannot be reached at all.
  """
  some = [i for i in items if urls.is_url(i.source) and not i.problem]
  some.sort(key=lambda item: urls.scheme(item.source))
  for _, group in itertools.groupby(some, lambda i: urls.scheme(i.source)):
    known = [*group]
    heads = stores.heads([item.source for item in known], formats.HEAD)
    for item, head in zip(known, heads):
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
