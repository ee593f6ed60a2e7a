"""First pass: finds and hashes the pictures."""

from collections.abc import Mapping
import concurrent.futures
import hashlib
import os
from typing import Any, NamedTuple

from artjax.data.prepare.progress import progress
from artjax.data.sources import decode
from artjax.data.sources import provenance
from artjax.data.sources import scan


class Picture(NamedTuple):
  """A picture file that has a picture in it, as far as its head tells."""

  name: str  # path below the folder of pictures
  path: str
  digest: bytes  # SHA-256


def find(
  folder: str | os.PathLike, workers: int, runner: Any = None
) -> tuple[list[Picture], list[tuple[str, str]], Mapping[str, dict[str, Any]]]:
  """Hashes the pictures of a folder, in threads.

  Args:
    folder: searched with its subfolders.
    workers: threads.
    runner: `beam.Runner`, whose workers do it instead.

  Returns:
    (pictures, rejected, described): in order of names, each content once;
    (name, reason) of what was left out; {name: provenance} where it is known.

  Raises:
    FileNotFoundError: no such folder.
  """
  items, described = provenance.divide(scan.files(os.fspath(folder)))
  found, rejected = [], []
  names: dict[str, str] = {}  # of contents
  paths = [str(path) for _, path in items]
  hashes = _hashes(paths, workers, runner)
  for (name, path), (digest, reason) in zip(items, hashes):
    if digest in names:
      reason = f'same content as {names[digest]}'
    if reason:
      rejected.append((name, reason))
    else:
      names[digest] = name
      found.append(Picture(name, str(path), bytes.fromhex(digest)))
  return found, rejected, described


def _hashes(paths, workers, runner):
  if runner:
    yield from runner.map(_hash, paths)
    return
  with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    yield from progress(pool.map(_hash, paths), 'Reading', len(paths))


def _hash(path):
  """(digest in hexadecimal, '') of a picture file, or (None, reason)."""
  try:
    data = scan.read_file(path)
  except OSError as error:
    return None, error.strerror
  if not decode.file_type(data):
    return None, decode.NOT_A_PICTURE if data else 'empty file'
  return hashlib.sha256(data).hexdigest(), ''
