"""What a picture leaves in memory is given back."""

import types

from artjax.restoration import memory


def test_glibc_is_asked_and_others_are_left_alone(monkeypatch):
  asked = []
  library = types.SimpleNamespace(malloc_trim=asked.append)
  monkeypatch.setattr(memory.ctypes, 'CDLL', lambda name: library)
  memory._trim.cache_clear()
  memory.give_back()
  assert asked == [0]
  del library.malloc_trim
  memory._trim.cache_clear()
  memory.give_back()
  assert asked == [0]
  memory._trim.cache_clear()  # of the library in the place of the real one
