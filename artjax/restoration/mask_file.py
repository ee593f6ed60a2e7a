"""Masks that users bring: which file is whose, and what it says.

White, or any colour, is what is to be filled; black, and what is transparent,
stays. A grey value is compared with a threshold: the chances that a detector
has written are such a mask.
"""

import os

import cv2
import numpy as np

from artjax.image_io import formats
from artjax.image_io import reader

_ASPECT = 0.02  # relative difference at which a mask is another picture's


class BadMask(ValueError):
  """A mask that cannot be used; the message names the file and the reason."""


def find(where, picture, kind='mask', error=BadMask):
  """Path of the mask of a picture file: `where` itself, or in that folder.

  In a folder it has the picture's name, whatever the suffix, or that name and
  '-mask', '_mask' or '.mask'.

  Args:
    where: path of a file or a folder.
    picture: path of the picture.
    kind: what it is called, also in such names.
    error: what is raised.

  Raises:
    error: there is none, or several.
  """
  if not os.path.isdir(where):
    if not os.path.exists(where):
      raise error(f'{where}: no such {kind}')
    return where
  stem = os.path.splitext(os.path.basename(picture))[0]
  names = {stem + mark for mark in ('', f'-{kind}', f'_{kind}', f'.{kind}')}
  found = sorted(
    name
    for name in os.listdir(where)
    if os.path.splitext(name)[0] in names
    and os.path.splitext(name)[1].lower() in formats.SUFFIXES
  )
  if not found:
    raise error(f'{picture}: {where} holds no {kind} of the name {stem}')
  if len(found) > 1:
    raise error(
      f'{picture}: {where} holds several files of the name: {", ".join(found)}'
    )
  return os.path.join(where, found[0])


def load(path, height, width, threshold=0.5):
  """What a mask says of a picture of height x width px.

  Returns:
    bool [height, width], True where to fill; and notices, a line each.

  Raises:
    BadMask: not a picture, of another aspect ratio, or without anything known.
  """
  notices = []
  try:
    with reader.open_picture(path) as picture:
      values = np.asarray(picture.screen().numpy())
  except reader.BadPicture as error:
    raise BadMask(str(error)) from error
  values = np.atleast_3d(values)
  mask = values[..., :3].max(-1)
  if values.shape[2] == 4:
    mask = np.minimum(mask, values[..., 3])
  soft = np.mean((mask > 25) & (mask < 230))
  if soft > 0.02:
    notices.append(
      f'{soft:.0%} of the mask {path} are grey: cut at {threshold:g}'
    )
  if mask.shape != (height, width):
    rows, columns = mask.shape
    if abs(columns * height / (rows * width) - 1) > _ASPECT:
      raise BadMask(
        f'{path}: the mask is {columns} x {rows} px and the picture '
        f'{width} x {height} px: not the same picture'
      )
    notices.append(f'the mask {path} is {columns} x {rows} px: resized')
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
  hole = mask > 255 * threshold
  if hole.all():
    raise BadMask(
      f'{path}: the mask covers the whole picture, so nothing is '
      'left to fill from; is it inverted? white is what is filled'
    )
  if not hole.any():
    notices.append(f'the mask {path} is empty: nothing to fill')
  if hole.mean() > 0.7:
    notices.append(
      f'the mask {path} covers {hole.mean():.0%}; is it inverted? '
      'white is what is filled'
    )
  return hole, notices
