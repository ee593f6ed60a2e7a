"""Picture files as a network sees them, and its changes as the files hold them.

A network sees 3 channels of sRGB in [0, 1]; a file may hold 8 or 16 bits, grey,
RGB or CMYK in any colour space, transparency and metadata. `open_picture`
shows the one as the other, and `Picture.merge` brings a network's *change*
back: it is converted to the file's own colour space and added to the file's own
values. So what is not changed keeps every bit, colours beyond sRGB included.
"""

import os
import tempfile

import numpy as np
import pyvips

from artjax import colour
from artjax.image_io import vips
from artjax.image_io import writer as image_writer

BadPicture = vips.BadPicture
MAX_PIXELS = 400_000_000  # of a picture, by its header, before decoding
SUFFIXES = (
  '.jpg',
  '.jpeg',
  '.png',
  '.tif',
  '.tiff',
  '.webp',
  '.avif',
  '.heic',
  '.heif',
)

_HEAD = 32
# How each kind is told by its first bytes, and how libvips reads it. Only these
# readers are ever called, whatever a file claims to be.
_BRANDS = (b'avif', b'avis', b'mif1', b'msf1', b'heic', b'heix')
_LOADERS = {
  'JPEG': 'jpegload',
  'PNG': 'pngload',
  'TIFF': 'tiffload',
  'WebP': 'webpload',
  'HEIF': 'heifload',
}
_SPACES = {b'GRAY': 1, b'RGB ': 3, b'CMYK': 4}  # of a profile: channels
_LUMA = np.float32([0.2126, 0.7152, 0.0722])  # of sRGB's primaries
_FULL = 65535
_MISFIT = 'its colour profile does not fit it and is left out'
# What stands before a profile in JPEG, PNG and WebP, and in every profile.
_PROFILE_MARKS = (b'ICC_PROFILE\0', b'iCCP', b'ICCP', b'acsp')
# What libvips itself sets of a picture it makes.
_OWN_FIELDS = {
  'width',
  'height',
  'bands',
  'format',
  'coding',
  'interpretation',
  'xoffset',
  'yoffset',
  'xres',
  'yres',
  'filename',
  'vips-loader',
  'vips-sequential',
  'n-pages',
  'page-height',
  'orientation',
  'bits-per-sample',
  'palette',
  'palette-bit-depth',
  'interlaced',
  'n-subifds',
  'heif-primary',
  'heif-compression',
  'heif-bitdepth',
  'jpeg-multiscan',
  'loop',
  'delay',
  'gif-delay',
  'gif-loop',
  'jpeg-chroma-subsample',
  'jpeg-thumbnail-data',
  'background',
  'concurrency',
  'exif-ifd0-Orientation',
}


def open_picture(path, *, max_pixels=MAX_PIXELS):
  """Opens a file by its header; pixels are decoded as they are read.

  Args:
    path: JPEG, PNG, TIFF, WebP, or AVIF and HEIF where libvips has them.
    max_pixels: more than these are refused.

  Returns:
    A `Picture`.

  Raises:
    BadPicture: no such file, no picture, too large, or of a kind that cannot
      be brought back faithfully.
  """
  path = os.fspath(path)
  with vips.blame(path):
    with open(path, 'rb') as file:
      head = file.read(_HEAD)
    if not head:
      raise BadPicture(f'{path}: the file is empty')
    kind = file_kind(head)
    if kind is None:
      raise BadPicture(
        f'{path}: not a picture (JPEG, PNG, TIFF, WebP, AVIF or HEIF)'
      )
    loader = getattr(pyvips.Image, _LOADERS[kind])
    # libvips remembers files by their names: this one may have changed.
    image = loader(path, fail_on='error', revalidate=True)
    if image.width * image.height > max_pixels:
      raise BadPicture(
        f'{path}: {image.width} x {image.height} px are more than the limit '
        f'of {max_pixels} px'
      )
    return Picture(path, kind, image)


def file_kind(head):
  """'JPEG', 'PNG', 'TIFF', 'WebP', 'HEIF' or None, by a file's first bytes."""
  if head[:3] == b'\xff\xd8\xff':
    return 'JPEG'
  if head[:8] == b'\x89PNG\r\n\x1a\n':
    return 'PNG'
  if head[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'):
    return 'TIFF'
  if head[:4] == b'RIFF' and head[8:12] == b'WEBP':
    return 'WebP'
  if head[4:8] == b'ftyp' and head[8:12] in _BRANDS:
    return 'HEIF'
  return None


class Picture:
  """An opened file; `open_picture` makes it.

  Attributes:
    path: of the file.
    height: of the upright picture, px.
    width: of the upright picture, px.
    bands: channels without transparency: 1 grey, 3 RGB, 4 CMYK.
    depth: bits a channel, 8 or 16.
    has_alpha: whether it has transparency.
    notices: what a user should know about how it was read, a line each.
  """

  def __init__(self, path, kind, image):
    self.path = path
    self.kind = kind
    self.notices = []
    if _field(image, 'n-pages', 1) > 1:
      self.notices.append(f'only the first of {image.get("n-pages")} pages')
    if image.format not in ('uchar', 'ushort'):
      raise BadPicture(
        f'{path}: {image.format} values are not supported; '
        'convert it to 8 or 16 bits a channel'
      )
    if image.interpretation in ('lab', 'labs', 'xyz', 'scrgb'):
      raise BadPicture(
        f'{path}: {image.interpretation.upper()} pictures are '
        'not supported; convert it to RGB'
      )
    image = image.autorot()
    self.depth = 8 if image.format == 'uchar' else 16
    self.has_alpha = image.hasalpha()
    self.bands = image.bands - self.has_alpha
    cmyk = image.interpretation == 'cmyk'
    if self.bands not in ((4,) if cmyk else (1, 3)):
      raise BadPicture(
        f'{path}: {image.bands} channels are not supported; '
        'grey, RGB and CMYK are, with or without alpha'
      )
    self.height, self.width = image.height, image.width
    self._image = image
    self._folder = tempfile.TemporaryDirectory(prefix='artjax_')
    self._profile = self._find_profile(image)
    self._native = image.extract_band(0, n=self.bands)
    self._alpha = image.extract_band(self.bands) if self.has_alpha else None
    self._is_srgb = False  # whether it was made so: then its result says so
    self._working = self._to_working(self._native)
    self._matte = self._mean_colour() if self.has_alpha else None

  def close(self):
    """Lets go of temporary files."""
    self._folder.cleanup()

  def __enter__(self):
    return self

  def __exit__(self, *unused):
    self.close()

  def to_rgb(self, paper=False):
    """Makes it a picture that can take any colour of sRGB, and has no other.

    For results whose colours are made anew. RGB keeps its colour space; grey
    and CMYK become sRGB.

    Args:
      paper: whether what is transparent becomes white paper.
    """
    working = self._working
    if paper and self.has_alpha:
      with vips.blame(self.path):
        if self._alpha.min() < self._opaque:
          self.notices.append('transparent: laid on white paper')
      alpha = self._alpha if self.depth == 16 else self._alpha * 257
      working = (
        working.bandjoin(alpha.cast('ushort'))
        .flatten(background=[_FULL] * 3, max_alpha=_FULL)
        .copy(interpretation='rgb16')
      )
      self._alpha, self.has_alpha = None, False
    if self.bands != 3:
      self.bands, self._profile, self._is_srgb = 3, '', True
    self._working = self._native = working
    if self._profile:
      self._native = self._transform(working, 'srgb', self._profile)

  # What a network sees.

  def read(self, top, left, height, width):
    """f32[height, width, 3] of sRGB in [0, 1]; transparency shows a flat tone.

    Raises:
      BadPicture: the file turns out to be damaged there.
    """
    with vips.blame(self.path):
      working = _fetch(self._working, top, left, height, width)
      rgb = working.astype(np.float32) / _FULL
      if self.has_alpha:
        # Whatever is hidden there would leak into its surroundings.
        alpha = self._read_alpha(top, left, height, width)
        rgb = rgb * alpha + self._matte * (1 - alpha)
      return rgb

  def thumbnail(self, side):
    """f32[side', side', 3]: the whole picture, at most about `side` px each."""
    with vips.blame(self.path):
      factor = max(1, min(self.height, self.width) // side)
      small = self._working.shrink(factor, factor)
      rgb = (
        small.numpy().reshape(small.height, small.width, 3).astype(np.float32)
        / _FULL
      )
      if self.has_alpha:
        alpha = self._alpha.shrink(factor, factor).numpy().reshape(
          small.height, small.width, 1
        ) / np.float32(self._opaque)
        rgb = rgb * alpha + self._matte * (1 - alpha)
      return rgb

  def screen(self):
    """A vips image of 8-bit sRGB, with transparency if it has any."""
    if not self._profile and self._native.format == 'uchar':
      image = self._native  # to the bit
      if self.bands == 1:
        image = image.bandjoin([image, image])
    else:
      image = (self._working / 257).rint().cast('uchar')
    if self.has_alpha:
      alpha = self._alpha
      if self.depth == 16:
        alpha = (alpha / 257).rint().cast('uchar')
      image = image.bandjoin(alpha)
    return image.copy(interpretation='srgb')

  # What comes back.

  def merge(self, top, restored, scale=1, strength=1.0):
    """The file's own values of some rows, changed as a network changed them.

    Args:
      top: of the rows, px of the result.
      restored: f32[rows, width * scale, 3] of sRGB in [0, 1].
      scale: of the result to the file.
      strength: share of the change that is made.

    Returns:
      u8 or u16 [rows, width * scale, channels], alpha included; and how far
      each pixel was moved, CIEDE2000, f32[rows, width * scale].
    """
    with vips.blame(self.path):
      native = self._rows(self._native, top, len(restored), scale)
      before = self._rows(self._working, top, len(restored), scale)
      before = before / np.float32(_FULL)
      if self.has_alpha:
        alpha = self._rows(self._alpha, top, len(restored), scale)
        opacity = alpha / np.float32(self._opaque)
        before = before * opacity + self._matte * (1 - opacity)
      change = np.clip(restored, 0, 1) - np.clip(before, 0, 1)
      change *= np.float32(strength)
      if self.bands == 1:
        change = np.repeat((change @ _LUMA)[..., None], 3, -1)
      if self.has_alpha:
        change = change * opacity
      after = np.clip(before + change, 0, 1)
      change = self._from_working(after) - self._from_working(before)
      wide = 257 if native.dtype == np.uint8 else 1
      values = np.clip(native.astype(np.float32) * wide + change, 0, _FULL)
      values = np.rint(values / (257 if self.depth == 8 else 1))
      if self.has_alpha:
        values = np.concatenate([values, alpha], -1)
      values = values.astype(np.uint8 if self.depth == 8 else np.uint16)
      return values, colour.ciede2000(
        colour.srgb_to_lab(before), colour.srgb_to_lab(after)
      )

  def consistency(self, path, scale):
    """PSNR in dB of a result, shrunk to this picture's size, against it."""
    with vips.blame(path), open_picture(path) as result:
      small = result._working.resize(1 / scale, kernel='cubic')
      error = (small.cast('float') - self._working.cast('float')) / _FULL
      mse = (error * error).avg()
    return round(float(10 * np.log10(1 / max(mse, 1e-12))), 3)

  def writer(self, path, *, scale=1, strip_metadata=False):
    """An `image_writer.Writer` of the result, with this one's metadata."""
    return image_writer.Writer(self, path, scale, strip_metadata)

  def describe(self, image):
    """A vips image of the result with this file's metadata and profile."""
    source = self._image
    gray = 'b-w' if self.depth == 8 else 'grey16'
    rgb = 'srgb' if self.depth == 8 else 'rgb16'
    image = image.copy(
      interpretation={1: gray, 3: rgb, 4: 'cmyk'}[self.bands],
      xres=source.xres,
      yres=source.yres,
    )
    for name in source.get_fields():
      if name not in _OWN_FIELDS:
        image.set_type(source.get_typeof(name), name, source.get(name))
    embedded = self._profile not in ('', 'cmyk')
    if not embedded and 'icc-profile-data' in image.get_fields():
      image.remove('icc-profile-data')  # it does not fit
    if self._is_srgb:
      image.set_type(
        pyvips.GValue.blob_type,
        'icc-profile-data',
        pyvips.Image.profile_load('srgb'),
      )
    return image

  # Parts.

  @property
  def _opaque(self):
    return 255 if self.depth == 8 else _FULL

  def _find_profile(self, image):
    """File of the embedded profile, a built-in one, or '' for plain sRGB."""
    data = _field(image, 'icc-profile-data', b'')
    builtin = 'cmyk' if self.bands == 4 else ''
    if not data:
      if _claims_profile(self.path):  # libvips drops what does not fit
        self.notices.append(_MISFIT)
      elif builtin:
        self.notices.append('CMYK without a profile: read as SWOP')
      return builtin
    space = bytes(data[16:20])
    fits = data[36:40] == b'acsp' and _SPACES.get(space) == self.bands
    path = os.path.join(self._folder.name, 'profile.icc')
    if fits:
      with open(path, 'wb') as file:
        file.write(data)
      try:
        probe = pyvips.Image.black(1, 1, bands=self.bands).copy(
          interpretation=image.interpretation
        )
        self._transform(probe, path, 'srgb').numpy()
        self._transform(
          pyvips.Image.black(1, 1, bands=3).copy(interpretation='srgb'),
          'srgb',
          path,
        ).numpy()
      except pyvips.Error:
        fits = False
    if not fits:
      self.notices.append(_MISFIT)
      return builtin
    return path

  @staticmethod
  def _transform(image, source, target):
    return image.icc_transform(
      target,
      input_profile=source,
      embedded=False,
      depth=16,
      intent='relative',
      black_point_compensation=True,
    )

  def _to_working(self, native):
    """vips image of the file's values -> ushort sRGB of 3 bands."""
    if self._profile:
      if self.depth == 8 and self.bands < 4:
        # As 16 bits, or libvips rounds to 8 on the way in.
        native = native.cast('ushort') * 257
        native = native.cast('ushort').copy(
          interpretation='grey16' if self.bands == 1 else 'rgb16'
        )
      return self._transform(native, self._profile, 'srgb')
    wide = native if self.depth == 16 else (native * 257).cast('ushort')
    if self.bands == 1:
      wide = wide.bandjoin([wide, wide])
    return wide.copy(interpretation='rgb16')

  def _from_working(self, rgb):
    """f32[h, w, 3] in [0, 1] -> f32[h, w, bands], of 65535."""
    if not self._profile:
      return rgb[..., : self.bands] * np.float32(_FULL)
    values = np.rint(rgb * _FULL).astype(np.uint16)
    image = vips.image(values).copy(interpretation='rgb16')
    image = self._transform(image, 'srgb', self._profile)
    return image.numpy().reshape(*rgb.shape[:2], self.bands).astype(np.float32)

  def _mean_colour(self):
    """f32[3]: of what is not transparent."""
    factor = max(1, min(self.height, self.width) // 64)
    with vips.blame(self.path):
      alpha = self._alpha.shrink(factor, factor).numpy().astype(np.float64)
      rgb = self._working.shrink(factor, factor).numpy().reshape(-1, 3)
    weight = alpha.reshape(-1, 1)
    if not weight.any():
      return np.full(3, 0.5, np.float32)
    mean = (rgb * weight).sum(0) / weight.sum() / _FULL
    return mean.astype(np.float32)

  def _read_alpha(self, top, left, height, width):
    alpha = _fetch(self._alpha, top, left, height, width)
    return alpha.astype(np.float32) / self._opaque

  def _rows(self, image, top, rows, scale):
    """[rows, width * scale, bands] of an image, enlarged if need be."""
    if scale == 1:
      return _fetch(image, top, 0, rows, self.width)
    large = image.resize(scale, kernel='cubic')
    return _fetch(large, top, 0, rows, self.width * scale)


def _claims_profile(path):
  """Whether a file seems to hold a profile, by its first and last MiB."""
  reach = 1 << 20
  with open(path, 'rb') as file:
    text = file.read(reach)
    file.seek(max(0, os.path.getsize(path) - reach))
    text += file.read()
  return any(mark in text for mark in _PROFILE_MARKS)


def _field(image, name, default):
  return image.get(name) if name in image.get_fields() else default


def _fetch(image, top, left, height, width):
  """[height, width, bands] of a vips image, in its own type."""
  values = image.crop(left, top, width, height).numpy()
  return values.reshape(height, width, image.bands)
