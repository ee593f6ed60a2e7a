"""Tags of a TIFF file, and of an EXIF block, which has the same structure.

Metadata are tags of the first directory, and of the EXIF and GPS directories
that it points to (TIFF 6.0; Exif 2.3, section 4.6). Reads classic TIFF and
BigTIFF, in either byte order.
"""

from collections.abc import Collection, Sequence
import dataclasses
import io
import os
import struct
from typing import BinaryIO, NamedTuple

EXIF, GPS = 34665, 34853
FOLDERS = {EXIF, GPS}  # offsets of directories
XMP, IPTC, PHOTOSHOP = 700, 33723, 34377
RESOLUTION = {282, 283, 296}
ORIENTATION, EXTRA_SAMPLES = 274, 338
# Bytes of a value by its type, and bytes that the byte order turns.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4}
_SIZES |= {12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_UNITS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}
_UNITS |= {13: 4, 16: 8, 17: 8, 18: 8}
_FORMS = {3: 'H', 4: 'I', 13: 'I', 16: 'Q', 18: 'Q'}
_MOST = 64 << 20  # bytes of a tag, or it is left out
_INTEROPERABILITY = 40965  # a directory of its own, of no use to anybody


class Value(NamedTuple):
  """The value of a tag: its TIFF type, number of values, and their bytes."""

  type: int
  items: int
  data: bytes


Tags = dict[int, Value]


@dataclasses.dataclass
class Directory:
  """The first directory of a file.

  Attributes:
    order: '<' or '>', that of the bytes of all values.
    tags: of the directory itself, without `FOLDERS`.
    folders: {tag of `FOLDERS`: its tags}.
  """

  order: str
  tags: Tags
  folders: dict[int, Tags]

  def number(self, tag: int, default: int = 0) -> int:
    """The first whole number of a tag."""
    value = self.tags.get(tag)
    if value is None or value.type not in (*_FORMS, 1):
      return default
    form = self.order + _FORMS.get(value.type, 'B')
    return struct.unpack(form, value.data[: struct.calcsize(form)])[0]

  def numbers(self, tag: int) -> list[int]:
    """All whole numbers of a tag."""
    value = self.tags.get(tag)
    if value is None or value.type not in _FORMS:
      return []
    form = f'{self.order}{value.items}{_FORMS[value.type]}'
    return list(struct.unpack(form, value.data))

  def turned(self, order: str) -> 'Directory':
    """The same in a byte order."""
    if order == self.order:
      return self
    turn = lambda tags: {tag: _turned(value) for tag, value in tags.items()}
    folders = {tag: turn(tags) for tag, tags in self.folders.items()}
    return Directory(order, turn(self.tags), folders)


def shorts(order: str, numbers: Sequence[int]) -> Value:
  """Whole numbers of 16 bits, in a byte order."""
  count = len(numbers)
  return Value(3, count, struct.pack(f'{order}{count}H', *numbers))


def whole(order: str, number: int) -> Value:
  """A whole number of 32 bits, in a byte order."""
  return Value(4, 1, struct.pack(order + 'I', number))


def read(file: BinaryIO, number: int = 0) -> Directory:
  """A directory of a TIFF file, or of an EXIF block.

  Args:
    file: the file.
    number: of the directory, from 0.

  Raises:
    ValueError: it is damaged.
  """
  try:
    tiff = _Tiff(file)
    tags, following = tiff.directory(tiff.first)
    for _ in range(number):
      tags, following = tiff.directory(following)
    return _described(tiff, tags)
  except struct.error as error:
    raise ValueError('a directory ends early') from error


def pages(path: str, most: int = 4096) -> list[Directory]:
  """The directories of a file's pages, without those that they point to.

  Raises:
    ValueError: the first is damaged.
  """
  with open(path, 'rb') as file:
    found: list[Directory] = []
    try:
      tiff = _Tiff(file)
      offset, seen = tiff.first, set()
      while offset and offset not in seen and len(found) < most:
        seen.add(offset)
        tags, offset = tiff.directory(offset)
        found.append(Directory(tiff.order, tags, {}))
    except (ValueError, struct.error) as error:
      if not found:
        raise ValueError('a directory ends early') from error
    return found


def subpages(path: str, parent: Directory) -> list[Directory]:
  """The directories that the tag SubIFDs of a page points to."""
  with open(path, 'rb') as file:
    tiff, found = _Tiff(file), []
    for offset in parent.numbers(330):
      try:
        found.append(Directory(tiff.order, tiff.directory(offset)[0], {}))
      except (ValueError, struct.error):
        break
    return found


def update(
  path: str, directory: Directory, remove: Collection[int] = ()
) -> None:
  """Puts tags into the first directory of a file, replacing its own.

  The file is appended to and its header changed last, so call this before the
  file gets its final name.

  Args:
    path: of the file.
    directory: the tags to write.
    remove: tags to remove.

  Raises:
    ValueError: the file is damaged.
  """
  with open(path, 'r+b') as file:
    tiff = _Tiff(file)
    tags, following = tiff.directory(tiff.first)
    directory = directory.turned(tiff.order)
    for tag in remove:
      tags.pop(tag, None)
    tags |= directory.tags
    for tag, entries in directory.folders.items():
      offset = _append(tiff, entries, 0)
      tags[tag] = Value(
        18 if tiff.big else 4, 1, tiff.pack(tiff.offset, offset)
      )
    first = _append(tiff, tags, following)
    file.seek(tiff.pointer)
    file.write(tiff.pack(tiff.offset, first))


def with_orientation(path: str, number: int) -> bytes:
  """The bytes of a file whose pages all have another orientation.

  Raises:
    ValueError: the file is damaged.
  """
  with open(path, 'rb') as file:
    copy = io.BytesIO(file.read())
  tiff, seen = _Tiff(copy), set()
  offset = tiff.first
  while offset and offset not in seen:
    seen.add(offset)
    places, following = tiff.places(offset)
    tiff.set(places, {ORIENTATION: number})
    offset = tiff.unpack(tiff.offset, tiff.read(following, tiff.word))
  return copy.getvalue()


def block(directory: Directory) -> bytes:
  """A directory as an EXIF block."""
  mark = b'II*\0' if directory.order == '<' else b'MM\0*'
  file = io.BytesIO(mark + bytes(4))
  tiff = _Tiff(file)
  tags = dict(directory.tags)
  for tag, entries in directory.folders.items():
    tags[tag] = Value(4, 1, tiff.pack('I', _append(tiff, entries, 0)))
  first = _append(tiff, tags, 0)
  file.seek(4)
  file.write(tiff.pack('I', first))
  return file.getvalue()


def upright(data: bytes, width: int, height: int) -> bytes:
  """The EXIF block for a picture that was rotated upright or resized.

  It is changed in place, since maker's notes point into the block: orientation
  becomes 1, sizes those of the picture, and the thumbnail is wiped.

  Raises:
    ValueError: it is damaged.
  """
  file = io.BytesIO(data)
  try:
    tiff = _Tiff(file)
    places, following = tiff.places(tiff.first)
    tiff.set(places, {ORIENTATION: 1, 256: width, 257: height})
    if EXIF in places:
      place, kind = places[EXIF]
      offset = tiff.unpack(_FORMS.get(kind, 'I'), tiff.read(place, 8))
      tiff.set(tiff.places(offset)[0], {40962: width, 40963: height})
    thumbnail = tiff.unpack(tiff.offset, tiff.read(following, tiff.word))
    if thumbnail:
      _wipe(tiff, thumbnail)
      file.seek(following)
      file.write(bytes(tiff.word))
  except struct.error as error:
    raise ValueError('a directory ends early') from error
  return file.getvalue()


def orientation(data: bytes) -> int:
  """The orientation in an EXIF block; 1 if there is none or it is invalid."""
  try:
    found = read(io.BytesIO(data)).number(ORIENTATION, 1)
  except ValueError:
    return 1
  return found if 1 <= found <= 8 else 1


class _Tiff:
  """The layout of one file: byte order, and classic or big."""

  def __init__(self, file: BinaryIO):
    self.file = file
    head = file.read(16)
    self.order = {b'II': '<', b'MM': '>'}.get(head[:2], '')
    if not self.order or len(head) < 8:
      raise ValueError('no TIFF header')
    self.big = struct.unpack(self.order + 'H', head[2:4])[0] == 43
    self.offset = 'Q' if self.big else 'I'  # of offsets and counts
    self.count = 'Q' if self.big else 'H'  # of entries
    self.word = 8 if self.big else 4  # bytes of an offset
    self.pointer = self.word  # where the first offset stands
    self.first = self.unpack(self.offset, head[self.pointer :])

  def unpack(self, form, data):
    form = self.order + form
    return struct.unpack(form, data[: struct.calcsize(form)])[0]

  def pack(self, form, *values):
    return struct.pack(self.order + form, *values)

  def read(self, offset, size):
    self.file.seek(offset)
    data = self.file.read(size)
    if len(data) != size:
      raise ValueError('a directory reaches beyond the file')
    return data

  def entries(self, offset):
    """[(tag, type, count, offset of the value's slot)]; offset of the next."""
    size = 8 if self.big else 2
    count = self.unpack(self.count, self.read(offset, size))
    if count > 4096:
      raise ValueError('a directory of too many entries')
    width = 20 if self.big else 12
    table = self.read(offset + size, count * width)
    found = []
    for i in range(count):
      entry = table[i * width : (i + 1) * width]
      tag, kind = struct.unpack(self.order + 'HH', entry[:4])
      place = offset + size + (i + 1) * width - self.word
      found.append((tag, kind, self.unpack(self.offset, entry[4:]), place))
    return found, offset + size + count * width

  def places(self, offset):
    """{tag: (offset of the value's slot, type)}, and offset of the next."""
    entries, following = self.entries(offset)
    return {tag: (place, kind) for tag, kind, _, place in entries}, following

  def directory(self, offset):
    """{tag: Value}, and the offset of the next directory."""
    entries, following = self.entries(offset)
    found = {}
    for tag, kind, count, place in entries:
      length = _SIZES.get(kind, 0) * count
      if not length or length > _MOST:
        continue
      if length > self.word:
        place = self.unpack(self.offset, self.read(place, self.word))
      found[tag] = Value(kind, count, self.read(place, length))
    return found, self.unpack(self.offset, self.read(following, self.word))

  def set(self, places, values):
    """Sets integers that are stored in their slots."""
    for tag, number in values.items():
      place, kind = places.get(tag, (0, 0))
      if kind in (3, 4):
        self.file.seek(place)
        self.file.write(self.pack(_FORMS[kind], number))


def _described(tiff, tags):
  folders = {}
  for tag in FOLDERS & set(tags):
    value = tags.pop(tag)
    offset = tiff.unpack(_FORMS.get(value.type, 'I'), value.data)
    entries, _ = tiff.directory(offset)
    entries.pop(_INTEROPERABILITY, None)
    folders[tag] = entries
  return Directory(tiff.order, tags, folders)


def _wipe(tiff, offset):
  """Overwrites the thumbnail that a directory points to."""
  tags, _ = tiff.directory(offset)
  found = Directory(tiff.order, tags, {})
  start, length = found.number(513), found.number(514)
  tiff.file.seek(0, os.SEEK_END)
  end = min(start + length, tiff.file.tell())
  if start and end > start:
    tiff.file.seek(start)
    tiff.file.write(bytes(end - start))


def _append(tiff, tags, following):
  """Writes a directory at the end of the file; its offset."""
  table = tiff.pack(tiff.count, len(tags))
  for tag, (kind, count, data) in sorted(tags.items()):
    if len(data) > tiff.word:
      data = tiff.pack(tiff.offset, _put(tiff.file, data))
    table += tiff.pack('HH' + tiff.offset, tag, kind, count)
    table += data.ljust(tiff.word, b'\0')
  return _put(tiff.file, table + tiff.pack(tiff.offset, following))


def _put(file, data):
  """Appends at an even offset; that offset."""
  end = file.seek(0, os.SEEK_END)
  file.write(b'\0' * (end % 2) + data)
  return end + end % 2


def _turned(value):
  """A tag's values in the other byte order."""
  unit = _UNITS.get(value.type, 1)
  parts = (value.data[i : i + unit] for i in range(0, len(value.data), unit))
  return value._replace(data=b''.join(part[::-1] for part in parts))
