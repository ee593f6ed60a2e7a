"""`manifest.json` beside weights: their hashes and origin."""

import json
import os
from typing import Any

from artjax import atomic_files
from artjax.interop import safetensors_io


def beside(path: str) -> str:
  """Path of the manifest of a weights file."""
  return os.path.join(os.path.dirname(path), 'manifest.json')


def read(path: str) -> dict[str, dict[str, Any]]:
  """{file name: entry} of the manifest beside a file, {} if there is none."""
  if not os.path.exists(beside(path)):
    return {}
  with open(beside(path)) as file:
    return json.load(file)


def entry(path: str) -> dict[str, Any]:
  """The entry of a weights file, {} if there is none."""
  return read(path).get(os.path.basename(path), {})


def check(path: str) -> None:
  """Checks a weights file against its manifest, if both exist.

  Raises:
    ValueError: its sha256 differs from the manifest's.
  """
  expected = entry(path).get('sha256') if os.path.exists(path) else None
  if expected and safetensors_io.file_sha256(path) != expected:
    raise ValueError(
      f'{path}: its sha256 differs from that in {beside(path)}: the file was '
      'changed or is incomplete; get it again'
    )


def write(path: str, **described: Any) -> None:
  """Adds a weights file to its manifest, with its sha256 and size."""
  entries = read(path)
  entries[os.path.basename(path)] = {
    'sha256': safetensors_io.file_sha256(path),
    'bytes': os.path.getsize(path),
    **described,
  }
  atomic_files.write_text(beside(path), json.dumps(entries, indent=2) + '\n')
