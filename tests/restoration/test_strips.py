"""What stages hand on: in memory, or on a disk that has room for it."""

import errno
import os

import numpy as np
import pytest

from artjax.restoration import strips


@pytest.mark.parametrize('in_memory', [1 << 20, 0])
def test_a_buffer_keeps_what_it_is_given(tmp_path, monkeypatch, in_memory):
  monkeypatch.setattr(strips, '_IN_MEMORY', in_memory)
  rows = np.random.default_rng(0).random([8, 5, 3], np.float32)
  buffer = strips.Buffer(str(tmp_path / 'stage'), 8, 5)
  assert os.path.exists(tmp_path / 'stage') == (not in_memory)
  buffer.write(0, rows[:3])
  buffer.write(3, rows[3:])
  np.testing.assert_allclose(buffer.read(2, 1, 4, 3), rows[2:6, 1:4], atol=1e-5)
  assert buffer.thumbnail(2).shape == (4, 2, 3)


def test_room_is_made_before_a_file_is_mapped(tmp_path, monkeypatch):
  # A mapped file that finds none would end the process: SIGBUS.
  asked = []

  def full(file, start, size):
    asked.append(size)
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(os, 'posix_fallocate', full)
  monkeypatch.setattr(strips, '_IN_MEMORY', 0)
  with pytest.raises(OSError, match='No space left'):
    strips.Buffer(str(tmp_path / 'stage'), 8, 5)
  assert asked == [8 * 5 * 3 * 2]
