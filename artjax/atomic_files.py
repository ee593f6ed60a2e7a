"""Atomic writes: a file gets its final name only when it is complete."""

import hashlib
import os
import threading

import cv2
import numpy as np

_LONGEST = 200  # bytes of a name, so that more can be put behind it


def part_of(path: str | os.PathLike[str], mark: str = '') -> str:
  """The path, beside `path`, at which a file is written before it is whole.

  Its name is the same each time, so that the next run overwrites the file that
  a killed run has left. It is never longer than file names may be.

  Args:
    path: of the final file.
    mark: distinguishes several such files.
  """
  folder, name = os.path.split(os.fspath(path))
  part = f'{name}{mark}.part'
  if len(os.fsencode(part)) > _LONGEST:
    digest = hashlib.blake2s(os.fsencode(name), digest_size=8).hexdigest()
    part = f'artjax-{digest}{mark}.part'
  return os.path.join(folder, part)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
  """Writes `data` to `path`, whole or not at all; makes its folder.

  Raises:
    OSError: the folder or the file cannot be written; the message names it.
  """
  os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
  # A name of its own: another process or thread may write the same file.
  part = part_of(path, f'.{os.getpid()}-{threading.get_ident()}')
  try:
    with open(part, 'wb') as file:
      file.write(data)
    os.replace(part, path)
  except OSError as error:
    raise OSError(error.errno, error.strerror, os.fspath(path)) from error
  finally:
    if os.path.exists(part):  # what could not be written
      os.remove(part)


def write_text(path: str | os.PathLike[str], text: str) -> None:
  """Writes `text` to `path` as UTF-8, as `write_bytes` does."""
  write_bytes(path, text.encode())


def encode(picture: np.ndarray, extension: str) -> bytes:
  """The bytes of a picture file.

  Args:
    picture: u8[H, W, 3], RGB.
    extension: '.png', '.jpg' (at quality 92) or another that OpenCV knows.

  Raises:
    ValueError: OpenCV does not write such files.
  """
  options = [cv2.IMWRITE_JPEG_QUALITY, 92] if extension == '.jpg' else []
  try:
    ok, data = cv2.imencode(extension, picture[..., ::-1], options)
  except cv2.error:  # an extension that it does not know
    ok = False
  if not ok:
    raise ValueError(f'cannot write a {extension} picture')
  return data.tobytes()


def write_picture(path: str | os.PathLike[str], picture: np.ndarray) -> None:
  """Writes u8[H, W, 3] RGB in the format of the path's extension.

  Raises:
    ValueError: as `encode`.
    OSError: as `write_bytes`.
  """
  write_bytes(path, encode(picture, os.path.splitext(path)[1]))
