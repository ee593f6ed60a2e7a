"""`manifest.json` beside weights: their hashes, and how they were made."""

import json
import os
from typing import Any

from artjax import atomic_files
from artjax.interop import safetensors_io


def beside(path: str) -> str:
  """Where the manifest of a weights file is."""
  return os.path.join(os.path.dirname(path), 'manifest.json')


def read(path: str) -> dict[str, dict[str, Any]]:
  """{file name: entry} of the manifest beside a file, {} if there is none."""
  if not os.path.exists(beside(path)):
    return {}
  with open(beside(path)) as file:
    return json.load(file)


def entry(path: str) -> dict[str, Any]:
  """What the manifest says of a weights file, {} if nothing."""
  return read(path).get(os.path.basename(path), {})


def check(path: str) -> None:
  """Holds a weights file to its manifest, if there are both.

  Raises:
    ValueError: the manifest gives another sha256.
  """
  expected = entry(path).get('sha256') if os.path.exists(path) else None
  if expected and safetensors_io.file_sha256(path) != expected:
    raise ValueError(
      f'{path}: its sha256 is not that of {beside(path)}: the file was changed '
      'or is incomplete; get it anew'
    )


def write(path: str, **described: Any) -> None:
  """Enters a weights file, with its fingerprint and size, in its manifest."""
  entries = read(path)
  entries[os.path.basename(path)] = {
    'sha256': safetensors_io.file_sha256(path),
    'bytes': os.path.getsize(path),
    **described,
  }
  atomic_files.write_text(beside(path), json.dumps(entries, indent=2) + '\n')
