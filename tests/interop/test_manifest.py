"""The manifest: what it says of a file, and that a changed file is refused."""

import json
import pathlib

import numpy as np
import pytest

from artjax.interop import manifest
from artjax.interop import safetensors_io


@pytest.fixture
def path(tmp_path):
  path = str(tmp_path / 'a.safetensors')
  safetensors_io.save_tensors(path, {'x': np.zeros(2, np.float32)}, {})
  return path


def test_no_manifest_says_nothing_and_holds_to_nothing(path):
  assert manifest.read(path) == manifest.entry(path) == {}
  manifest.check(path)


def test_an_entry_has_fingerprint_and_size_and_leaves_the_others(path):
  manifest.write(path, task='restore')
  other = path.replace('a.safe', 'b.safe')
  safetensors_io.save_tensors(other, {'x': np.ones(2, np.float32)}, {})
  manifest.write(other, task='detect')
  entries = json.loads(pathlib.Path(manifest.beside(path)).read_text())
  assert [e['task'] for e in entries.values()] == ['restore', 'detect']
  entry = manifest.entry(path)
  assert entry['sha256'] == safetensors_io.file_sha256(path)
  assert entry['bytes'] == pathlib.Path(path).stat().st_size


def test_a_changed_file_is_refused(path):
  manifest.write(path)
  manifest.check(path)
  with open(path, 'ab') as file:
    file.write(b' ')
  with pytest.raises(ValueError, match='its sha256 differs from that'):
    manifest.check(path)
