"""Descriptive tags of a TIFF file, which libvips reads past and does not write.

Who made a scan, with what, when and under which rights stands in tags of the
first directory, and in the EXIF and GPS directories they point to (TIFF 6.0;
Exif 2.3, section 4.6). `copy` brings those that a file lacks over from another.
Classic TIFF and BigTIFF, of either byte order.
"""

import os
import struct

# Document name, make, model, software, date, artist, host, copyright, rating.
_TEXTS = {269, 271, 272, 305, 306, 315, 316, 33432, 18246}
_FOLDERS = {34665, 34853}  # EXIF and GPS: offsets of directories
_SIZES = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  16: 8,
  17: 8,
  18: 8,
}  # bytes of a value, by type
_UNITS = {
  3: 2,
  4: 4,
  5: 4,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 8,
  16: 8,
  17: 8,
  18: 8,
}  # bytes that byte order turns
_MOST = 16 << 20  # bytes of a tag, or it is left out


class _Tiff:
  """The layout of one file: byte order, and classic or big."""

  def __init__(self, file):
    self.file = file
    head = file.read(16)
    self.order = {b'II': '<', b'MM': '>'}.get(head[:2])
    if self.order is None or len(head) < 8:
      raise ValueError('no TIFF header')
    self.big = struct.unpack(self.order + 'H', head[2:4])[0] == 43
    self.offset = 'Q' if self.big else 'I'  # of offsets and counts
    self.count = 'Q' if self.big else 'H'  # of entries
    self.pointer = 8 if self.big else 4  # where the first offset stands
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

  def directory(self, offset):
    """{tag: (type, count, bytes of the values)}, and the next directory."""
    size = struct.calcsize(self.order + self.count)
    entries = self.unpack(self.count, self.read(offset, size))
    if entries > 4096:
      raise ValueError('a directory of too many entries')
    width = 20 if self.big else 12
    slot = width - 4 - struct.calcsize(self.order + self.offset)
    table = self.read(offset + size, entries * width)
    after = offset + size + entries * width
    following = self.unpack(
      self.offset, self.read(after, struct.calcsize(self.order + self.offset))
    )
    found = {}
    for i in range(entries):
      entry = table[i * width : (i + 1) * width]
      tag, kind = struct.unpack(self.order + 'HH', entry[:4])
      count = self.unpack(self.offset, entry[4:])
      length = _SIZES.get(kind, 0) * count
      if not length or length > _MOST:
        continue
      value = entry[-slot:][:length]
      if length > slot:
        value = self.read(self.unpack(self.offset, entry[-slot:]), length)
      found[tag] = kind, count, value
    return found, following


def copy(source, target):
  """Adds the descriptive tags of one TIFF file to another that lacks them.

  A source that is damaged there gives none. The target is appended to, so call
  it before the file gets its final name.

  Args:
    source: path of a TIFF file; any other file has no tags.
    target: path of the TIFF file to change.

  Returns:
    Number of tags that were added.
  """
  with open(source, 'rb') as file:
    try:
      tiff = _Tiff(file)
      tags, _ = tiff.directory(tiff.first)
      wanted = {tag: tags[tag] for tag in _TEXTS & set(tags)}
      folders = {
        tag: tiff.directory(tiff.unpack(_form(tags[tag][0]), tags[tag][2]))[0]
        for tag in _FOLDERS & set(tags)
      }
    except (ValueError, struct.error):
      return 0
    order = tiff.order
  with open(target, 'r+b') as file:
    return _add(_Tiff(file), order, wanted, folders)


def _add(tiff, order, wanted, folders):
  """Appends a first directory that also has these; the number of new tags."""
  tags, following = tiff.directory(tiff.first)
  new = (set(wanted) | set(folders)) - set(tags)
  if not new:
    return 0
  turn = order != tiff.order
  for tag in new & set(wanted):
    tags[tag] = _turned(wanted[tag]) if turn else wanted[tag]
  for tag in new & set(folders):
    entries = {
      name: _turned(value) if turn else value
      for name, value in folders[tag].items()
      if name != 40965
    }  # interoperability: a directory of its own
    kind = 18 if tiff.big else 4
    tags[tag] = kind, 1, tiff.pack(tiff.offset, _append(tiff, entries, 0))
  first = _append(tiff, tags, following)
  tiff.file.seek(tiff.pointer)
  tiff.file.write(tiff.pack(tiff.offset, first))
  return len(new)


def _append(tiff, tags, following):
  """Writes a directory at the end of the file; its offset."""
  slot = 8 if tiff.big else 4
  table = tiff.pack(tiff.count, len(tags))
  for tag, (kind, count, value) in sorted(tags.items()):
    if len(value) > slot:
      value = tiff.pack(tiff.offset, _put(tiff.file, value))
    table += tiff.pack('HH' + tiff.offset, tag, kind, count)
    table += value.ljust(slot, b'\0')
  return _put(tiff.file, table + tiff.pack(tiff.offset, following))


def _put(file, data):
  """Appends at an even offset; that offset."""
  end = file.seek(0, os.SEEK_END)
  file.write(b'\0' * (end % 2) + data)
  return end + end % 2


def _form(kind):
  return {4: 'I', 13: 'I', 16: 'Q', 18: 'Q'}.get(kind, 'I')


def _turned(entry):
  """An entry's values in the other byte order."""
  kind, count, value = entry
  unit = _UNITS.get(kind, 1)
  value = b''.join(
    value[i : i + unit][::-1] for i in range(0, len(value), unit)
  )
  return kind, count, value
