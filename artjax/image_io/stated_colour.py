"""Colour that a file states without an ICC profile: gamma, primaries, CICP.

PNG has the chunks gAMA, cHRM and cICP, AVIF and HEIF the box nclx. They are
converted to a profile, which is then used like any other.
"""

import os
import struct

import numpy as np

from artjax.image_io.containers import png

# x and y of white, red, green, blue by code points of ITU-T H.273.
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
  1: (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),  # sRGB
  5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
  6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
  7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
  9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
  11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
  12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
}
# g, a, b, c, d of (a x + b) ^ g, or c x below d; by code points. Those of video
# are shown as sRGB, as browsers do.
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES = dict.fromkeys((1, 6, 13, 14, 15), _SRGB)
_CURVES |= {4: (2.2, 1, 0, 0, 0), 5: (2.8, 1, 0, 0, 0), 8: (1, 1, 0, 0, 0)}
_HDR = {16: 'PQ', 18: 'HLG'}
_UNSPECIFIED = 2
_HEAD = 1 << 16  # bytes in which the box of colours is looked for
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
  [
    [0.8951, 0.2664, -0.1614],
    [-0.7502, 1.7135, 0.0367],
    [0.0389, -0.0685, 1.0296],
  ]
)


def of_file(
  path: str | os.PathLike, kind: str, bands: int, has_profile: bool
) -> tuple[bytes, list[str]]:
  """The colour space that a file states without a profile.

  Args:
    path: of the file.
    kind: its format.
    bands: channels without transparency.
    has_profile: whether it also has a profile, which comes first.

  Returns:
    An ICC profile, b'' for sRGB or if it is unknown; and notices.
  """
  if bands not in (1, 3):
    return b'', []
  try:
    if kind == 'PNG':
      return _of_png(png.read(os.fspath(path)), bands, has_profile)
    if kind == 'HEIF':
      return _of_heif(path, bands, has_profile)
  except (ValueError, OSError, struct.error, np.linalg.LinAlgError):
    return b'', ['what it states of its colours is damaged: read as sRGB']
  return b'', []


def profile(chromaticities: tuple, curve: tuple, bands: int) -> bytes:
  """An ICC profile (version 4.3) of primaries and a curve.

  Args:
    chromaticities: x and y of white, red, green and blue.
    curve: g, a, b, c, d of (a x + b) ^ g, or c x below d.
    bands: 3 of RGB, 1 of grey.

  Raises:
    numpy.linalg.LinAlgError: the primaries are impossible.
  """
  text = lambda s: (
    b'mluc'
    + struct.pack('>IIIHHII', 0, 1, 12, 0x656E, 0x5553, 2 * len(s), 28)
    + s.encode('utf-16-be')
  )
  shape = b'para' + struct.pack('>IHH', 0, 3, 0) + _fixed(*curve)
  name = 'Colours of the source'
  tags = {
    b'desc': text(name),
    b'cprt': text('No copyright'),
    b'wtpt': _xyz(_D50),
  }
  if bands == 1:
    tags[b'kTRC'] = shape
  else:
    for channel, column in zip(b'rgb', _to_d50(chromaticities).T):
      tags[bytes([channel]) + b'XYZ'] = _xyz(column)
      tags[bytes([channel]) + b'TRC'] = shape
  table, data = struct.pack('>I', len(tags)), b''
  start = 128 + 4 + 12 * len(tags)
  for tag, content in tags.items():
    table += tag + struct.pack('>II', start + len(data), len(content))
    data += content + b'\0' * (-len(content) % 4)
  space = b'RGB ' if bands == 3 else b'GRAY'
  head = struct.pack('>II', start + len(data), 0)
  head += struct.pack('>I4s4s4s', 0x04300000, b'mntr', space, b'XYZ ')
  head += struct.pack('>6H', 2000, 1, 1, 0, 0, 0) + b'acsp' + bytes(24)
  head += struct.pack('>I', 1) + _fixed(*_D50)
  return head.ljust(128, b'\0') + table + data


def _of_png(chunks, bands, has_profile):
  found = {chunk.type: chunk.data for chunk in chunks}
  if b'cICP' in found:
    primaries, transfer, matrix, whole = found[b'cICP'][:4]
    keeps = 'only a PNG result says so again'
    if matrix or not whole:
      return b'', [f'its cICP chunk is not that of RGB: read as sRGB; {keeps}']
    return _of_cicp(primaries, transfer, bands, has_profile, 'cICP', keeps)
  if has_profile or b'sRGB' in found:
    return b'', []
  gamma = struct.unpack('>I', found[b'gAMA'])[0] if b'gAMA' in found else 0
  points = _PRIMARIES[1]
  if b'cHRM' in found:
    points = tuple(n / 1e5 for n in struct.unpack('>8I', found[b'cHRM']))
  if np.allclose(points, _PRIMARIES[1], atol=2e-3):
    if not gamma or abs(gamma - 45455) < 500:
      return b'', []
  curve = (1e5 / gamma, 1, 0, 0, 0) if gamma else _SRGB
  return profile(points, curve, bands), []


def _of_heif(path, bands, has_profile):
  with open(path, 'rb') as file:
    head = file.read(_HEAD)
  place = head.find(b'colrnclx')
  if place < 0:
    return b'', []
  primaries, transfer = struct.unpack('>HH', head[place + 8 : place + 12])
  keeps = 'the result does not say so'
  return _of_cicp(primaries, transfer, bands, has_profile, 'nclx', keeps)


def _of_cicp(primaries, transfer, bands, has_profile, where, keeps):
  if transfer in _HDR:
    return b'', [
      f'HDR ({where}: {_HDR[transfer]}): its values are read as if they were '
      f'sRGB; {keeps}'
    ]
  if has_profile or _UNSPECIFIED in (primaries, transfer):
    return b'', []
  if primaries not in _PRIMARIES or transfer not in _CURVES:
    return b'', [
      f'its colours ({where}: primaries {primaries}, transfer {transfer}) are '
      f'not known here: read as sRGB; {keeps}'
    ]
  curve = _CURVES[transfer]
  if primaries == 1 and curve == _SRGB:
    return b'', []
  return profile(_PRIMARIES[primaries], curve, bands), []


def _to_d50(chromaticities):
  """f64[3, 3]: RGB -> XYZ, adapted to the white of profiles."""
  xyz = lambda x, y: np.array([x / y, 1.0, (1 - x - y) / y])
  points = np.reshape(chromaticities, (4, 2))
  if not (points[:, 1] > 0).all():
    raise np.linalg.LinAlgError('no chromaticities')
  white, *primaries = (xyz(*point) for point in points)
  matrix = np.stack(primaries, 1)
  matrix = matrix * np.linalg.solve(matrix, white)
  scale = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
  return np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ matrix


def _fixed(*numbers):
  return b''.join(
    struct.pack('>i', round(float(number) * 65536)) for number in numbers
  )


def _xyz(values):
  return b'XYZ ' + bytes(4) + _fixed(*values)
