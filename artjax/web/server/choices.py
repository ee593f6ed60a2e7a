"""Weights among which a person may choose, for each step of the page.

All files in the folder of the page's weights and in that of the user, see
`artjax weights`. They are named as on the command line: 'esrgan', or as a blend
'esrgan_psnr:0.3+esrgan:0.7'. A name is looked up among those that are there and
never becomes part of a path.
"""

from collections.abc import Iterable, Mapping
import json
import os
import pathlib
import re
import types
from typing import Any, NamedTuple

import safetensors

from artjax.inference import weights

# The task of weights -> the step that they do.
_STEPS = {
  'detect': 'detect',
  'inpaint': 'fill',
  'tone': 'tone',
  'stains': 'stains',
  'colorize': 'colorize',
  'sketch2image': 'sketch',
  'restore': 'restore',
}
_ENLARGING = 'upscale'  # 'restore' that makes larger pictures
# Modules of models that enlarge, and the scale where none is given.
_SCALES = dict.fromkeys(
  (
    'srvgg',
    'rrdb',
    'srresnet',
    'span',
    'spanf',
    'plksr',
    'swinir',
    'hat',
    'dat',
  ),
  4,
)
_LICENCE = 'Apache-2.0'  # of all that ships, see docs/model_zoo.md
_PART = re.compile(r'([\w.-]+)(?::(\d*\.?\d+))?')


class Choice(NamedTuple):
  """Weights of one file."""

  name: str
  path: str
  step: str  # name of an ability
  scale: int  # of the result to the picture
  licence: str  # '' where nobody says
  network: str  # what two weights of a blend have in common

  def describe(self) -> dict[str, Any]:
    """For the page, as JSON."""
    return {
      key: value for key, value in self._asdict().items() if key != 'path'
    }


def find(
  folders: Iterable[str | os.PathLike],
  published: Mapping[str, Any] = types.MappingProxyType({}),
) -> list[Choice]:
  """All weights in folders that do a step; of one name the first.

  Args:
    folders: where they are.
    published: {path: {'config', 'source'}} of files of other programs, which
      say themselves nothing of their use; see `known_weights`.
  """
  found: dict[str, Choice] = {}
  for path in paths(folders):
    choice = _choice(path, _header(path) or published.get(str(path)))
    if choice:
      found.setdefault(choice.name, choice)
  return list(found.values())


def foreign(folders: Iterable[str | os.PathLike]) -> list[pathlib.Path]:
  """The files in folders that may be weights of other programs."""
  return [path for path in paths(folders) if _header(path) is None]


def paths(folders: Iterable[str | os.PathLike]) -> list[pathlib.Path]:
  """The files of weights in folders, absolute."""
  return [
    path
    for folder in folders
    for path in weights.files(pathlib.Path(folder).absolute()).values()
  ]


def chosen(text: str, known: Iterable[Choice]) -> dict[str, str]:
  """{name of a step: its weights, with their paths} of 'a,b:0.3+c:0.7'.

  Raises:
    ValueError: no such weights, two for one step, or a blend that cannot be;
      one line.
  """
  names = {choice.name: choice for choice in known}
  found: dict[str, str] = {}
  for blend in text.split(',') if text else ():
    parts = [_PART.fullmatch(part) for part in blend.split('+')]
    if not all(parts):
      raise ValueError(f"{blend!r} is neither a name nor 'a:0.3+b:0.7'")
    members, shares = [], []
    for name, share in (part.groups() for part in parts if part):
      if name not in names:
        raise ValueError(f'{name!r} is not one of {", ".join(names)}')
      members.append(names[name])
      shares.append(share)
    first = members[0]
    if len(members) > 1 and (
      None in shares or abs(sum(map(float, shares)) - 1) > 1e-3
    ):
      raise ValueError(f'{blend}: the shares of a blend must sum to 1')
    if len({(m.step, m.network) for m in members}) > 1:
      raise ValueError(f'{blend}: these are not weights of one network')
    if first.step in found:
      raise ValueError(f'{blend}: there are two for {first.step}')
    found[first.step] = (
      '+'.join(f'{m.path}:{share}' for m, share in zip(members, shares))
      if len(members) > 1
      else first.path
    )
  return found


def _header(path):
  """What a file of artjax says of itself; None if it is none."""
  if path.suffix != '.safetensors':
    return None
  try:
    with safetensors.safe_open(str(path), framework='numpy') as file:
      return json.loads((file.metadata() or {})['artjax'])
  except (OSError, KeyError, ValueError, safetensors.SafetensorError):
    return None


def _choice(path, header):
  """The choice of a file; None if nobody knows it, or it draws nothing."""
  try:
    config, source = header['config'], header.get('source', {})
    task, model = config['task'], config['model']
    module = model['name'].partition('.')[0]
    scale = int(model['args'].get('scale', _SCALES.get(module, 1)))
  except (KeyError, TypeError, ValueError):
    return None
  step = _ENLARGING if scale > 1 else _STEPS.get(task)
  if step is None or not _PART.fullmatch(path.stem):
    return None
  shipped = path.parent == weights.pretrained_folder()
  licence = source.get('licence', _LICENCE if shipped else '')
  network = json.dumps([task, model], sort_keys=True)
  return Choice(path.stem, str(path), step, scale, licence, network)
