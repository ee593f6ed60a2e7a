"""The record of a result: how, from what, and when it was made."""

import importlib.metadata
import json
import os
import platform
import time
from typing import Any

import jax

from artjax import atomic_files
from artjax.image_io import reader
from artjax.interop import safetensors_io
from artjax.restoration import stages
from artjax.restoration.chain import Chain

_PACKAGES = ('jax', 'flax', 'numpy', 'pyvips')


def record(
  source: str,
  sha256: str,
  output: str,
  picture: reader.Picture,
  channels: int,
  chain: Chain,
  work: stages.Work,
  start: float,
) -> dict[str, Any]:
  """The part of a record that every result has, as JSON.

  Args:
    source: path or other name of the picture file.
    sha256: of that file when it was read.
    output: path of the result, which exists.
    picture: the opened source.
    channels: of the file, transparency included.
    chain: the chain that was run.
    work: with the notes of its stages.
    start: `time.time()` at the start.
  """
  return {
    'source': source,
    'source_sha256': sha256,
    'output': os.path.abspath(output),
    'output_sha256': safetensors_io.file_sha256(output),
    'size': [picture.width, picture.height],
    'channels': channels,
    'bits': picture.depth,
    'notices': work.notices,
    'weights': chain.describe(),
    'scale': chain.scale,
    'options': work.options.as_json(),
    'seed': chain.seed,
    **chain.provenance(work),
    'tiles': work.tiles,
    'tiling': work.halved,
    'seconds': round(time.time() - start, 3),
    'date': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
    'versions': {
      'python': platform.python_version(),
      **{name: importlib.metadata.version(name) for name in _PACKAGES},
    },
    'device': f'{jax.devices()[0].device_kind} ({jax.default_backend()})',
  }


def save(path: str, entry: dict[str, Any]) -> None:
  """Writes a record, atomically."""
  atomic_files.write_text(path, json.dumps(entry, indent=2) + '\n')
