"""Memory that restoring a picture leaves behind."""

import ctypes
import functools


def give_back() -> None:
  """Returns to the system what is freed and kept by the C library.

  Compiling and running a network free many megabytes, of which glibc keeps
  what lies between others: a run over pictures of many sizes would grow with
  each new one. Takes milliseconds. Other C libraries are left alone.
  """
  trim = _trim()
  if trim:
    trim(0)


@functools.cache
def _trim():
  return getattr(ctypes.CDLL(None), 'malloc_trim', None)
