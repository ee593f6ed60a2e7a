"""What an evaluation leaves in a folder: a page, figures by picture, panels."""

import csv
import io
import os

from absl import logging
import cv2

from artjax import atomic_files
from artjax.training import metric_writers

PANEL_HEIGHT = 320  # px, of one picture in a panel


def folder(where, output):
  """`output`, or of a working directory its folder `evaluation`, or None."""
  if output is None and os.path.isdir(where):
    return os.path.join(where, 'evaluation')
  return output


def settings(config, where, model, **more):
  """{what: value} that a report states: weights, model, pictures, `more`."""
  source = config.eval.source or f'held-out part of {config.data.source}'
  return {
    'weights': where,
    'model': model,
    'source': source,
    **more,
    'self_ensemble': config.eval.self_ensemble,
    'seed': config.seed,
  }


def shrink(picture, height=PANEL_HEIGHT):
  """The picture at a panel's height, never enlarged."""
  h, w = picture.shape[:2]
  if h <= height:
    return picture
  size = (max(round(w * height / h), 1), height)
  return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def panel(*pictures):
  """u8[H, W, 3] each, side by side at a panel's height: u8[h, w, 3]."""
  return metric_writers.panel(*map(shrink, pictures))


def write(path, *, title, stated, text, rows, panels):
  """Writes report.md, per_picture.csv and panels/NNN.jpg.

  Args:
    path: of the folder, made if missing.
    title: heading of the page.
    stated: of `settings`.
    text: markdown, what was measured and what the panels show.
    rows: of the table of pictures, their names first.
    panels: [(heading, u8[h, w, 3], markdown below it)].
  """
  table = io.StringIO()
  csv.writer(table).writerows(rows)
  atomic_files.write_text(
    os.path.join(path, 'per_picture.csv'), table.getvalue()
  )
  for i, (heading, picture, below) in enumerate(panels):
    name = f'panels/{i:03d}.jpg'
    atomic_files.write_picture(os.path.join(path, name), picture)
    text += f'\n\n## {heading}\n\n![{heading}]({name})'
    text += f'\n\n{below}' if below else ''
  write_page(path, title, stated, text)


def write_page(path, title, stated, text):
  """Writes report.md alone."""
  head = ''.join(f'- {what}: `{value}`\n' for what, value in stated.items())
  file = os.path.join(path, 'report.md')
  atomic_files.write_text(file, f'# {title}\n\n{head}\n{text}\n')
  logging.info('Report: %s', file)
