"""The report of an evaluation: a page, figures for each picture, panels."""

from collections.abc import Sequence
import csv
import io
import os
from typing import Any

from absl import logging
import cv2
import ml_collections
import numpy as np

from artjax import atomic_files

PANEL_HEIGHT = 320  # px, of one picture in a panel
GAP = 8  # px, white, between pictures


def folder(where: str, output: str | None) -> str | None:
  """`output`; if None, the folder `evaluation` of a workdir; else None."""
  if output is None and os.path.isdir(where):
    return os.path.join(where, 'evaluation')
  return output


def settings(
  config: ml_collections.ConfigDict, where: str, model: str, **more: Any
) -> dict[str, Any]:
  """{name: value} of the settings that a report states, with `more`."""
  source = config.eval.source or f'held-out part of {config.data.source}'
  return {
    'weights': where,
    'model': model,
    'source': source,
    **more,
    'self_ensemble': config.eval.self_ensemble,
    'engine': config.eval.engine,
    'seed': config.seed,
  }


def shrink(picture: np.ndarray, height: int = PANEL_HEIGHT) -> np.ndarray:
  """The picture u8[H, W, 3] at a panel's height, never enlarged."""
  h, w = picture.shape[:2]
  if h <= height:
    return picture
  size = (max(round(w * height / h), 1), height)
  return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def panel(*pictures: np.ndarray) -> np.ndarray:
  """u8[H, W, 3] each, side by side at a panel's height: u8[h, w, 3]."""
  return side_by_side(*map(shrink, pictures))


def side_by_side(*pictures: np.ndarray, gap: int = GAP) -> np.ndarray:
  """u8[H, W, 3] of one height, with white gaps of so many px -> u8[H, w, 3]."""
  white = np.full([pictures[0].shape[0], gap, 3], 255, np.uint8)
  row = [part for picture in pictures for part in (white, picture)]
  return np.concatenate(row[1:], axis=1)


def closeup(
  *pictures: np.ndarray, side: int = PANEL_HEIGHT // 2
) -> list[np.ndarray]:
  """Their middle, `side` px, at double size, to judge enlargements by."""
  height, width = pictures[0].shape[:2]
  top, left = max(height - side, 0) // 2, max(width - side, 0) // 2
  return [
    p[top : top + side, left : left + side].repeat(2, 0).repeat(2, 1)
    for p in pictures
  ]


def below_each_other(pictures: Sequence[np.ndarray]) -> np.ndarray:
  """u8[H, W, 3] of any size, from the left, with white gaps -> u8[h, w, 3]."""
  width = max(p.shape[1] for p in pictures)
  rows = [
    np.pad(p, [(0, GAP), (0, width - p.shape[1]), (0, 0)], constant_values=255)
    for p in pictures
  ]
  return np.concatenate(rows)[:-GAP]


def thumbnails(
  title: str, panels: Sequence[Sequence[np.ndarray]], side: int = 256
) -> dict[str, np.ndarray]:
  """{title: u8[N, side, n side, 3]} of N panels of n pictures each.

  TensorBoard needs pictures of one size: each is fitted into a white square.
  Without panels the result is empty.
  """

  def fit(picture):
    h, w = picture.shape[:2]
    scale = side / max(h, w)
    size = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = np.full([side, side, 3], 255, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square

  if not panels:
    return {}
  rows = [np.concatenate([fit(p) for p in row], axis=1) for row in panels]
  return {title: np.stack(rows)}


def write(
  path: str,
  *,
  title: str,
  stated: dict[str, Any],
  text: str,
  rows: Sequence[Sequence[Any]],
  panels: Sequence[tuple[str, np.ndarray, str]],
) -> None:
  """Writes report.md, per_picture.csv and panels/NNN.jpg.

  Args:
    path: of the folder, made if missing.
    title: heading of the page.
    stated: from `settings`.
    text: markdown: the measurements, and what the panels show.
    rows: rows of the table of pictures, beginning with their names.
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


def write_page(
  path: str, title: str, stated: dict[str, Any], text: str
) -> None:
  """Writes report.md alone."""
  head = ''.join(f'- {what}: `{value}`\n' for what, value in stated.items())
  file = os.path.join(path, 'report.md')
  atomic_files.write_text(file, f'# {title}\n\n{head}\n{text}\n')
  logging.info('Report: %s', file)
