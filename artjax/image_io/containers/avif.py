"""AVIF files: how their pixels are coded, from the boxes before them.

Boxes are those of ISO/IEC 23008-12 (HEIF) and of the AV1 binding to it.
"""

_HEAD = 1 << 16  # bytes, in which the properties of a picture stand
_RGB = 0  # matrix coefficients that leave RGB as it is (ITU-T H.273)
_DEEP = 0x40  # more than 8 bits, in the third byte of av1C


def is_lossless(path: str) -> bool:
  """Whether an 8-bit file is coded as RGB, which only lossless files are.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    head = file.read(_HEAD)
  _, colour, colours = head.partition(b'colrnclx')
  _, av1, coding = head.partition(b'av1C')
  if not (colour and av1) or len(colours) < 6 or len(coding) < 3:
    return False
  return int.from_bytes(colours[4:6], 'big') == _RGB and not coding[2] & _DEEP
