"""Masks and hints, found for each picture of a run."""

from collections.abc import Mapping
import os

from artjax.restoration.batch import finding
from artjax.restoration.batch import real_paths
from artjax.restoration.batch import streams
from artjax.restoration.masks import user_inputs


def places(mask: str, hints: str, spool: streams.Spool) -> dict[str, str]:
  """{'mask' or 'hints': file or folder}; streams are saved as files.

  Raises:
    OSError: a stream cannot be read.
  """
  named = {'mask': mask, 'hints': hints}
  return {
    kind: spool.file(name) if streams.is_stream(name) else name
    for kind, name in named.items()
    if name
  }


def bring(
  items: list[finding.Item], where: Mapping[str, str]
) -> tuple[list[finding.Item], list[finding.LeftAlone]]:
  """Sets the mask and hints of each item, or its problem if there are none.

  Args:
    items: from `finding.find`.
    where: from `places`.

  Returns:
    The items that are pictures; and items found in folders that are masks or
    hints of others.
  """
  if not where:
    return items, []
  problems: dict[int, str] = {}
  real, folders = real_paths.RealPaths(), user_inputs.Folders()
  sources = {real(item.source) for item in items}
  for kind, place in where.items():
    for i, item in enumerate(items):
      if not item.problem:
        try:
          path = user_inputs.find(place, item.path, kind, item.below, folders)
          if not user_inputs.is_marked(path, kind) and (
            os.path.isdir(place) and real(path) in sources
          ):
            raise user_inputs.BadInput(
              f'{item.called}: {place} holds no {kind} of it, but {path}, '
              'which is to be restored too'
            )
          item.brought[kind] = path
        except user_inputs.BadInput as error:
          problems.setdefault(i, str(error))
  kinds = {
    real(path): kind for item in items for kind, path in item.brought.items()
  }
  pictures, left_alone = [], []
  for i, item in enumerate(items):
    kind = kinds.get(real(item.source), '')
    if kind and not item.meant and user_inputs.is_marked(item.source, kind):
      why = f'the {kind} of another picture'
      left_alone.append(finding.LeftAlone(item.source, why))
    else:
      item.problem = item.problem or problems.get(i, '')
      pictures.append(item)
  return pictures, left_alone
