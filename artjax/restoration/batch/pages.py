"""Files of several pages, each of which is a picture."""

import dataclasses
import os

from artjax.image_io import formats
from artjax.image_io import opening
from artjax.restoration.batch import finding


def split(items: list[finding.Item]) -> list[finding.Item]:
  """Items with one item a page, where a file has several.

  Args:
    items: from `finding.find`.
  """
  return [page for item in items for page in _pages(item)]


def _pages(item):
  count = _count(item)
  if count < 2:
    return [item]
  stem, suffix = os.path.splitext(item.below)
  return [
    dataclasses.replace(
      item,
      page=page,
      below=f'{stem}.page{page + 1}{suffix}',
      brought={},
      outputs={},
      notices=[],
    )
    for page in range(count)
  ]


def _count(item):
  if item.problem:
    return 1
  try:
    kind = formats.format_of(item.source)
    return opening.pages(item.source, kind) if kind else 1
  except OSError:  # it is said when the picture's turn comes
    return 1
