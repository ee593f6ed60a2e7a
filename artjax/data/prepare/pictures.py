"""First pass: finds and hashes the pictures."""

import concurrent.futures
import hashlib
import os
from typing import NamedTuple

from artjax.data.prepare.progress import progress
from artjax.data.sources import decode
from artjax.data.sources import scan


class Picture(NamedTuple):
  """A picture file that has a picture in it, as far as its head tells."""

  name: str  # path below the folder of pictures
  path: str
  digest: bytes  # SHA-256


def find(
  folder: str | os.PathLike, workers: int
) -> tuple[list[Picture], list[tuple[str, str]]]:
  """Hashes the pictures of a folder, in threads.

  Args:
    folder: searched with its subfolders.
    workers: threads.

  Returns:
    (pictures, rejected): in order of names, each content once; and (name,
    reason) of what was left out.

  Raises:
    FileNotFoundError: no such folder.
  """
  items = list(scan.files(os.fspath(folder)))
  found, rejected = [], []
  names: dict[bytes, str] = {}  # of contents
  with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    hashes = progress(
      pool.map(_hash, (path for _, path in items)), 'Reading', len(items)
    )
    for (name, path), (digest, reason) in zip(items, hashes):
      if digest in names:
        reason = f'same content as {names[digest]}'
      if reason:
        rejected.append((name, reason))
      else:
        names[digest] = name
        found.append(Picture(name, str(path), digest))
  return found, rejected


def _hash(path):
  """(digest, '') of a picture file, or (None, reason)."""
  try:
    data = scan.read_file(path)
  except OSError as error:
    return None, error.strerror
  if not decode.file_type(data):
    return None, decode.NOT_A_PICTURE if data else 'empty file'
  return hashlib.sha256(data).digest(), ''
