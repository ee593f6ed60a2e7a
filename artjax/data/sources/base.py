"""Opens a source, and splits it into parts."""

from collections.abc import Callable, Mapping, Sequence
import hashlib
import os
from typing import Any

from absl import logging

from artjax.data.sources import decode
from artjax.data.sources import folder
from artjax.data.sources import mnist
from artjax.data.sources import pairs
from artjax.data.sources import provenance
from artjax.data.sources import sample
from artjax.data.sources import scan
from artjax.data.sources import tfds

_FINDERS = {
  'sample': sample.find,
  'folder': folder.find,
  'pairs': pairs.find,
  'tfds': tfds.find,
  'idx': mnist.find,
}
_FORMS = (
  'folder:PATH',
  'pairs:TARGETS,INPUTS',
  tfds.FORM,
  'idx:DIR[:test]',
  'sample',
)
# Of the salts, one under which the few pictures of `sample` divide sensibly: a
# cat and a cup are held out, with a margin on both sides of the threshold.
_SALT = b'artjax 7730'
_LISTED = 20  # rejected files named one by one in the log


class Source:
  """Pictures by index: `source[i] -> {'image': u8[H, W, 3] RGB, 'name'}`.

  Pairs also give 'target', u8[s H, s W, 3] of one factor s; digits, and what
  TFDS has a class for, 'label', an int. The arrays are read-only, because a
  cache may hand them out again. Safe to use from many threads.

  Attributes:
    spec: what it was loaded from, for messages.
    entries: list of `scan.Entry`, one a picture.
    rejected: list of (name, reason) of what was left out.
    provenance: {name: what `artjax collect` noted of a picture}; for tfds, by
      the names of the pictures that sub-images were cut from.
  """

  def __init__(
    self,
    spec: str,
    entries: Sequence[scan.Entry],
    read: Callable[[Any], dict[str, Any]],
    rejected: Sequence[tuple[str, str]] = (),
    provenance: Mapping[str, dict[str, Any]] | None = None,
  ):
    self.spec = spec
    self.entries = list(entries)
    self.rejected = list(rejected)
    self.provenance = dict(provenance or {})
    self._read = read  # key -> dict of pictures

  def __len__(self) -> int:
    return len(self.entries)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Raises `decode.Unreadable` if the file has gone bad since the start."""
    entry = self.entries[index]
    return {**self._read(entry.key), 'name': entry.name}

  def subset(self, indices: Sequence[int]) -> 'Source':
    """The source of these pictures alone; decoded ones stay shared."""
    entries = [self.entries[i] for i in indices]
    return Source(
      self.spec, entries, self._read, self.rejected, self.provenance
    )


def load(
  spec: str, *, min_size: int = 32, cache_mb: int = 0, workers: int = 0
) -> Source:
  """Opens a collection and checks every picture in it.

  Args:
    spec: one of the forms in the docstring of artjax/data/sources.
    min_size: pictures with a shorter side below this, px, are left out.
    cache_mb: MiB of decoded pictures kept in memory, the latest used ones.
    workers: threads that check pictures; 0 = one per core.

  Returns:
    A `Source`, in order of names (of index for tfds).

  Raises:
    ValueError: unknown form, dataset not prepared, or no usable picture.
    FileNotFoundError: no such folder.
  """
  kind, rest = parse(spec)
  cache = scan.Cache(cache_mb * 2**20)
  check = scan.Scan(min_size, workers, cache)
  source = Source(spec, *_FINDERS[kind](rest, check))
  report(source.spec, len(source), source.rejected)
  if not source.entries:
    raise ValueError(
      f'{spec}: no usable picture (JPEG, PNG, TIFF or WebP, shorter side of '
      f'at least {min_size} px) in {check.where}; left out '
      f'{len(source.rejected)} files{_first_reason(source.rejected)}'
    )
  return source


def parse(spec: str) -> tuple[str, str]:
  """Divides a spec into its kind and the rest, without looking at any file.

  Args:
    spec: one of the forms in the docstring of artjax/data/sources.

  Returns:
    ('folder', 'PATH') for 'folder:PATH'.

  Raises:
    ValueError: none was given, or of no known form.
  """
  if not spec:
    raise ValueError(
      'no data.source given: name one of ' + ', '.join(_FORMS) + ', such as '
      '--config.data.source=folder:PATH'
    )
  kind, _, rest = spec.partition(':')
  if kind not in _FINDERS or bool(rest) == (kind == 'sample'):
    hint = f'; did you mean folder:{spec}?' if os.path.isdir(spec) else ''
    raise ValueError(
      f'data source {spec!r} is not one of {", ".join(_FORMS)}{hint}'
    )
  return kind, rest


def provenance_of(spec: str) -> dict[str, Any]:
  """What is known of the pictures of a source, without opening any of them.

  Args:
    spec: of a source.

  Returns:
    {'source', 'licences': {licence: pictures}, 'credits': sorted names of who
    is to be credited}; {} where nothing says where the pictures are from.
  """
  kind, _, rest = spec.partition(':')
  entries: list[dict[str, Any]] = []
  if kind == 'folder':
    for path in folder.folders(rest):
      if scan.is_folder(path):
        entries += provenance.divide(scan.files(path))[1].values()
  elif kind == 'tfds':
    entries += provenance.read(tfds.folder_of(rest)).values()
  if not entries:
    return {}
  credited = {str(e.get('credit') or e.get('provider') or '') for e in entries}
  return {
    'source': spec,
    'licences': provenance.licences(entries),
    'credits': sorted(credited - {''}),
  }


def split(source: Source, part: str, share: float) -> Source:
  """The 'train' or 'validation' part of a source, or 'all' of it.

  A picture's side follows from its content alone: adding, renaming or removing
  others moves nothing, and identical files fall on the same side.

  Args:
    source: a `Source`.
    part: 'train' | 'validation' | 'all'.
    share: of the pictures that validate, in [0, 1].

  Returns:
    A `Source` of these pictures.

  Raises:
    ValueError: unknown part, share out of range, or a part that is empty.
  """
  if part not in ('train', 'validation', 'all'):
    raise ValueError(f'split {part!r} is not one of train, validation, all')
  if not 0 <= share <= 1:
    raise ValueError(f'data.validation must be in [0, 1], got {share}')
  if part == 'all':
    return source
  inside = [
    i
    for i, entry in enumerate(source.entries)
    if part_of(entry.digest, share) == part
  ]
  if not inside:
    advice = (
      'raise it, or name other pictures in eval.source'
      if part == 'validation'
      else 'lower it, or add pictures'
    )
    raise ValueError(
      f'{source.spec}: none of {len(source)} pictures is in the {part} part '
      f'at data.validation={share}; {advice}'
    )
  return source.subset(inside)


def part_of(digest: bytes, share: float) -> str:
  """'train' or 'validation', where `split` puts a picture of this content."""
  salted = hashlib.sha256(_SALT + digest).digest()
  position = int.from_bytes(salted[:8], 'big') / 2**64  # uniform in [0, 1)
  return 'validation' if position < share else 'train'


def report(spec: str, kept: int, rejected: Sequence[tuple[str, str]]) -> None:
  """Logs what was left out, a count, then a line each; once in a run.

  Args:
    spec: of the source.
    kept: pictures that it has.
    rejected: (name, reason) of the files that are none.
  """
  if not rejected or not scan.first_time((spec, tuple(rejected))):
    return
  logging.warning(
    '%s: left out %d of %d files', spec, len(rejected), len(rejected) + kept
  )
  # Broken pictures first: captions and lists among them are no surprise.
  order = sorted(rejected, key=lambda x: x[1] == decode.NOT_A_PICTURE)
  for name, reason in order[:_LISTED]:
    logging.warning('  %s: %s', name, reason)
  if len(order) > _LISTED:
    logging.warning('  ... and %d more', len(order) - _LISTED)


def _first_reason(rejected):
  return f' ({rejected[0][0]}: {rejected[0][1]})' if rejected else ''
