"""The colour space of a file: conversion from its values to sRGB, and back.

The space is that of the file's ICC profile. Without a profile a built-in one is
used: sRGB (for grey too), or SWOP for CMYK.
"""

import os

import numpy as np
import pyvips

from artjax.image_io import stated_colour
from artjax.image_io import vips

FULL = 65535  # white of the 16-bit sRGB in which pictures are shown
_CHANNELS = {b'GRAY': 1, b'RGB ': 3, b'CMYK': 4}  # by space of a profile
_MISFIT = 'its colour profile does not fit it and is left out'
# What stands before a profile in JPEG, PNG and WebP, and in every profile.
_PROFILE_MARKS = (b'ICC_PROFILE\0', b'iCCP', b'ICCP', b'acsp')


class ColourSpace:
  """Converts between the values of a file and sRGB.

  Attributes:
    bands: channels of the file without transparency: 1, 3 or 4.
    depth: bits a channel, 8 or 16.
    profile: path of an ICC profile, name of a built-in one, or '' for sRGB.
    embedded: whether the profile is embedded in the file.
    stated: a profile made from other statements of the file, such as a gamma.
  """

  def __init__(
    self, bands: int, depth: int, profile: str = '', stated: bytes = b''
  ):
    self.bands = bands
    self.depth = depth
    self.profile = profile
    self.stated = stated
    self.embedded = profile not in ('', 'cmyk') and not stated

  def to_srgb(self, native: pyvips.Image) -> pyvips.Image:
    """Image of the file's values -> image of 3 bands of u16 sRGB."""
    if self.profile:
      if self.depth == 8 and self.bands < 4:
        # As 16 bits, or libvips rounds to 8 on the way in.
        native = native.cast('ushort') * 257
        native = native.cast('ushort').copy(
          interpretation='grey16' if self.bands == 1 else 'rgb16'
        )
      return _transform(native, self.profile, 'srgb')
    wide = native if self.depth == 16 else (native * 257).cast('ushort')
    if self.bands == 1:
      wide = wide.bandjoin([wide, wide])
    return wide.copy(interpretation='rgb16')

  def from_srgb(self, srgb: pyvips.Image) -> pyvips.Image:
    """Image of 3 bands of u16 sRGB -> image of the space's values, u16."""
    return _transform(srgb, 'srgb', self.profile) if self.profile else srgb

  def values(self, rgb: np.ndarray) -> np.ndarray:
    """f32[h, w, 3] of sRGB in [0, 1] -> f32[h, w, bands] in [0, 65535]."""
    if not self.profile:
      return rgb[..., : self.bands] * np.float32(FULL)
    srgb = vips.image(np.rint(rgb * FULL).astype(np.uint16))
    image = self.from_srgb(srgb.copy(interpretation='rgb16'))
    return image.numpy().reshape(*rgb.shape[:2], self.bands).astype(np.float32)


def of_file(
  path: str, kind: str, image: pyvips.Image, bands: int, depth: int, folder: str
) -> tuple[ColourSpace, list[str]]:
  """The colour space that a file states.

  Args:
    path: of the file.
    kind: its format.
    image: the file as libvips reads it.
    bands: channels without transparency.
    depth: bits a channel.
    folder: for a file with its profile, which libvips needs.

    Returns:
      The space, and notices for the user, one line each.
  """
  builtin = 'cmyk' if bands == 4 else ''
  data = vips.field(image, 'icc-profile-data', b'')
  stated, notices = stated_colour.of_file(path, kind, bands, bool(data))
  profile = os.path.join(folder, 'profile.icc')
  if stated:
    with open(profile, 'wb') as file:
      file.write(stated)
    if _fits(stated, profile, image.interpretation, bands):
      return ColourSpace(bands, depth, profile, stated), notices
    notices = ['what it states of its colours is not usable: read as sRGB']
  if not data:
    if _claims_profile(path):  # libvips drops what does not fit
      return ColourSpace(bands, depth, builtin), [*notices, _MISFIT]
    if builtin:
      notices = [*notices, 'CMYK without a profile: read as SWOP']
    return ColourSpace(bands, depth, builtin), notices
  with open(profile, 'wb') as file:
    file.write(data)
  if _fits(data, profile, image.interpretation, bands):
    return ColourSpace(bands, depth, profile), notices
  return ColourSpace(bands, depth, builtin), [*notices, _MISFIT]


def _fits(data, profile, interpretation, bands):
  """Whether a profile is for these channels and converts both ways."""
  if data[36:40] != b'acsp' or _CHANNELS.get(bytes(data[16:20])) != bands:
    return False
  black = pyvips.Image.black(1, 1, bands=bands)
  srgb = pyvips.Image.black(1, 1, bands=3).copy(interpretation='srgb')
  try:
    black = black.copy(interpretation=interpretation)
    _transform(black, profile, 'srgb').numpy()
    _transform(srgb, 'srgb', profile).numpy()
  except pyvips.Error:
    return False
  return True


def _transform(image, source, target):
  return image.icc_transform(
    target,
    input_profile=source,
    embedded=False,
    depth=16,
    intent='relative',
    black_point_compensation=True,
  )


def _claims_profile(path):
  """Whether a file seems to hold a profile, by its first and last MiB."""
  reach = 1 << 20
  with open(path, 'rb') as file:
    text = file.read(reach)
    file.seek(max(0, os.path.getsize(path) - reach))
    text += file.read()
  return any(mark in text for mark in _PROFILE_MARKS)
