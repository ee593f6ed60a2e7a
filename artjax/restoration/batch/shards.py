"""Shards: each of several processes restores its part of the pictures.

Every process plans all pictures, so the names of results do not depend on the
number of shards. A hash of a picture's path, below the folder that was named,
says which shard restores it: the same on every machine, and also after pictures
were added.
"""

from collections.abc import Iterable, Mapping
import dataclasses
import hashlib
import os
import pathlib
import re

from artjax.restoration.batch import finding
from artjax.restoration.batch import real_paths
from artjax.restoration.batch import streams

AUTO = 'auto'
_SLURM, _KUBERNETES = 'SLURM_ARRAY_TASK_', 'JOB_COMPLETION'


@dataclasses.dataclass(frozen=True)
class Shard:
  """One of `count` shards; `index` counts from 0."""

  index: int
  count: int

  def __str__(self) -> str:
    return f'{self.index}/{self.count}'

  @property
  def in_name(self) -> str:
    """What stands for it in the name of its journal."""
    return f'{self.index}-of-{self.count}'

  def part(self, items: Iterable[finding.Item]) -> list[finding.Item]:
    """The items that this shard restores, in their order."""
    return [item for item in items if of(item.below, self.count) == self.index]


def of(path: str, count: int) -> int:
  """Index, from 0, of the shard of a picture with this relative path."""
  name = os.fsencode(pathlib.PurePath(path).as_posix())
  return int.from_bytes(hashlib.sha256(name).digest()[:8]) % count


def parse(text: str, environment: Mapping[str, str]) -> Shard:
  """The shard that `--shard` names.

  Args:
    text: 'I/N', or 'auto' for the variables of SLURM or Kubernetes.
    environment: variables of the process.

  Raises:
    ValueError: there is no such shard; one line.
  """
  if text == AUTO:
    return _auto(environment)
  match = re.fullmatch(r'([0-9]+)/([0-9]+)', text)
  if not match:
    raise ValueError(f'neither I/N, such as 0/4, nor {AUTO}')
  return _checked(*map(int, match.groups()))


def check_inputs(names: Iterable[str], output: str) -> None:
  """Raises ValueError, one line, if shards could not share these inputs.

  Shards start at different times, so a folder with results has other content
  for each; and a stream is read only once.

  Args:
    names: files and folders, '-' = stdin.
    output: folder of the results.
  """
  real = real_paths.RealPaths()
  results = pathlib.PurePath(real(output))
  for name in names:
    if streams.is_stream(name):
      raise ValueError(f'{name} can be read by one process only')
    if pathlib.PurePath(real(name)).is_relative_to(results):
      raise ValueError(
        f'{name} is in --output={output}, where other shards write; '
        'choose another --output'
      )


def _auto(environment):
  if f'{_SLURM}ID' in environment:
    return _of_slurm(environment)
  if f'{_KUBERNETES}_INDEX' in environment:
    index = _number(environment, f'{_KUBERNETES}_INDEX')
    if f'{_KUBERNETES}S' not in environment:  # Kubernetes sets the index alone
      raise ValueError(
        f'{_KUBERNETES}S is not set; the job must set it to its completions'
      )
    return _checked(index, _number(environment, f'{_KUBERNETES}S'))
  raise ValueError(
    f'neither {_SLURM}ID nor {_KUBERNETES}_INDEX is set; use --shard=I/N'
  )


def _of_slurm(environment):
  """The place of a task among those of its array: 1-7:2 -> 0 to 3."""
  index, first, last, count = (
    _number(environment, _SLURM + end) for end in ('ID', 'MIN', 'MAX', 'COUNT')
  )
  step = 1
  if count > 1 and f'{_SLURM}STEP' in environment:
    step = max(1, _number(environment, f'{_SLURM}STEP'))
  place, rest = divmod(index - first, step)
  if rest or last - first != step * (count - 1):
    raise ValueError(
      f'the {count} tasks of the array, {first} to {last}, are not '
      'consecutive; use --shard=I/N'
    )
  return _checked(place, count)


def _checked(index, count):
  if count < 1:
    raise ValueError('there must be at least 1 shard')
  if not 0 <= index < count:
    raise ValueError(
      f'no shard {index} of {count}: they count from 0 to {count - 1}'
    )
  return Shard(index, count)


def _number(environment, name):
  text = environment.get(name, '')
  if not text:
    raise ValueError(f'{name} is not set')
  if not re.fullmatch('[0-9]+', text):
    raise ValueError(f'{name} is {text!r}, not a whole number')
  return int(text)
