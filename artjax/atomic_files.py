"""Atomic files: what is half written never stands under its final name."""

import os

import cv2


def write_bytes(path, data):
  """Writes `data` to `path` (folders are made), whole or not at all."""
  os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
  part = f'{path}.part'
  with open(part, 'wb') as file:
    file.write(data)
  os.replace(part, path)


def write_text(path, text):
  """Writes `text` to `path` as UTF-8, whole or not at all."""
  write_bytes(path, text.encode())


def encode(picture, extension):
  """u8[H, W, 3] RGB -> the bytes of a '.png' or '.jpg' file."""
  options = [cv2.IMWRITE_JPEG_QUALITY, 92] if extension == '.jpg' else []
  ok, data = cv2.imencode(extension, picture[..., ::-1], options)
  if not ok:
    raise ValueError(f'cannot write a {extension} picture')
  return data.tobytes()


def write_picture(path, picture):
  """Writes u8[H, W, 3] RGB as the format of the path's extension."""
  write_bytes(path, encode(picture, os.path.splitext(path)[1]))
