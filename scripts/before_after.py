#!/usr/bin/env python3
"""Draws sheets of what a run of `artjax restore` did: before, mask, after.

  artjax restore damaged/ --recursive --save_mask --output=restored/
  python scripts/before_after.py restored/ --output=sheets/

The pictures that changed most come first. The last line of stdout is one JSON
object, {"output": folder, "sheets": N, "pictures": N}.
"""

import json
import pathlib

from absl import app
from absl import flags
import cv2
import numpy as np

from artjax import atomic_files
from artjax.evaluation import report
from artjax.restoration.batch import journal

TEXT = 22  # px, a line

_OUTPUT = flags.DEFINE_string('output', 'sheets', 'A folder for the sheets.')
_ROWS = flags.DEFINE_integer('rows', 4, 'Pictures on a sheet.', 1)
_HEIGHT = flags.DEFINE_integer('height', 320, 'Of a picture, px.', 32)


def done(folder):
  """The newest record of each picture that was restored, most changed first."""
  logs = [pathlib.Path(path) for path in journal.paths(str(folder))]
  lines = [s for p in logs if p.is_file() for s in p.read_text().splitlines()]
  if not any(log.is_file() for log in logs):
    raise app.UsageError(f'no {logs[0]}: name the output folder of a run')
  records = sorted(map(json.loads, lines), key=lambda r: r.get('written', 0))
  newest = {r['source']: r for r in records if r['status'] == 'done'}
  key = lambda record: record.get('change_mean_ciede2000') or 0
  return sorted(newest.values(), key=key, reverse=True)


def read(path):
  """u8[H, W, 3], RGB, upright; raises UsageError."""
  picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
  if picture is None:
    raise app.UsageError(f'cannot read {path} as a picture')
  return picture


def row(record, folder, height):
  """A line of text; a picture before, its mask if there is one, and after."""
  before, after = read(record['source']), read(record['output'])
  pictures = [before, after]
  masks = [n for n in record.get('files', []) if n.endswith('.mask.png')]
  if masks:
    pictures.insert(1, read(folder / masks[0]))
  # Enlarged or reduced ones are shown as large as the one before.
  size = round(before.shape[1] * height / before.shape[0]), height
  shown = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures]
  panel = report.side_by_side(*shown)
  text = np.full((TEXT, panel.shape[1], 3), 255, np.uint8)
  said = (
    f'{pathlib.Path(record["source"]).name}: '
    f'change {record.get("change_mean_ciede2000") or 0:.2f} CIEDE2000, '
    f'filled {record.get("filled") or 0:.1%}'
  )
  place, font = (0, TEXT - 7), cv2.FONT_HERSHEY_SIMPLEX
  cv2.putText(text, said, place, font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
  return np.concatenate([text, panel])


def main(argv):
  if len(argv) != 2:
    raise app.UsageError('expected the output folder of a run')
  folder = pathlib.Path(argv[1])
  records = done(folder)
  if not records:
    raise app.UsageError(f'{folder}/restore.jsonl lists no restored picture')
  sheets = 0
  for first in range(0, len(records), _ROWS.value):
    rows = [
      row(record, folder, _HEIGHT.value)
      for record in records[first : first + _ROWS.value]
    ]
    atomic_files.write_picture(
      str(pathlib.Path(_OUTPUT.value) / f'sheet{sheets:03d}.jpg'),
      report.below_each_other(rows),
    )
    sheets += 1
  print(
    json.dumps(
      {'output': _OUTPUT.value, 'sheets': sheets, 'pictures': len(records)}
    )
  )


if __name__ == '__main__':
  app.run(main)
