"""Restores one picture file: read, run, merge, write, record.

`restore_file` is what the command line and the web page call. Only strips of
the picture are in memory at a time; see inference/tiling.py and image_io.
"""

from collections.abc import Callable
import dataclasses
import os
import tempfile
import time
from typing import Any

import numpy as np

from artjax import atomic_files
from artjax.image_io import formats
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.image_io import writer as image_writer
from artjax.inference import base
from artjax.interop import safetensors_io
from artjax.restoration import memory
from artjax.restoration import stages
from artjax.restoration import strips as strips_lib
from artjax.restoration.batch import turns
from artjax.restoration.chain import Chain
from artjax.restoration.masks import damage_mask
from artjax.restoration.options import Options
from artjax.restoration.provenance import credentials
from artjax.restoration.provenance import history
from artjax.restoration.provenance import record as record_lib

# What a grey level of the maps means; what is more is white.
CHANGE_STEP = 0.05  # CIEDE2000
UNCERTAINTY_STEP = 0.1 / 255  # of the range of a channel
_AT_ONCE = 1_000_000  # px that are merged at a time: colour takes much room


@dataclasses.dataclass(frozen=True)
class Outputs:
  """Paths of the results; '' = not wanted."""

  picture: str  # '' only for a chain that makes none
  change_map: str = ''
  uncertainty: str = ''  # needs self_ensemble
  report: str = ''
  mask: str = ''  # what was filled, white
  damage_map: str = ''  # probability of crack, loss and stain as R, G and B
  confidence_map: str = ''  # how wrong a pixel may be, levels of 255

  @property
  def main(self) -> str:
    """The main result, which the record names."""
    return self.picture or self.damage_map or self.mask

  def paths(self) -> list[str]:
    """All that are wanted."""
    return [path for path in dataclasses.astuple(self) if path]


def restore_file(
  source: str,
  chain: Chain,
  outputs: Outputs,
  options: Options = Options(),
  mask: str = '',
  hints: str = '',
  on_tiles: Callable[[int, int], None] = lambda done, total: None,
  name: str = '',
  signer: credentials.Signer | None = None,
  page: int | None = None,
  turn: turns.Alone = turns.Alone(),
) -> dict[str, Any]:
  """Restores a picture file.

  Args:
    source: path of the picture.
    chain: the chain to run.
    outputs: each file appears complete or not at all.
    options: of the restoration.
    mask: path of a mask of pixels to fill, see user_inputs.py.
    hints: path of colours for a picture to colorize, see there.
    on_tiles: called with the number of tiles done and the total.
    name: what the record calls the picture; '' = its path.
    signer: signs the result, unless metadata are stripped.
    page: of a file with several, from 0; None = the first of full size.
    turn: waits for other pictures that are in work in the same process.

  Returns:
    The record, a dict for JSON; also written to `outputs.report`.

  Raises:
    vips.BadPicture: the file cannot be restored, with a reason in one line;
      also if it changes while it is being restored.
    vips.DiskFull: there is no room for a result, or for temporary files.
    OSError: a record cannot be written.
    user_inputs.BadInput: the mask or the hints cannot be used.
    ValueError: options that contradict each other, output = input.
    tiling.OutOfMemory: not even the smallest tiles fit.
  """
  start = time.time()
  _check(source, chain, outputs, options)
  chain.check(options, mask, hints)
  with (
    reader.open_picture(
      source, max_pixels=options.max_pixels, page=page
    ) as picture,
    tempfile.TemporaryDirectory(prefix='artjax_') as folder,
  ):
    pixels = picture.height * picture.width * chain.scale**2
    turn.opened(pixels, picture.is_damaged)
    if outputs.picture:
      size = picture.height * chain.scale, picture.width * chain.scale
      formats.check_size(outputs.picture, *size)
    sha256 = safetensors_io.file_sha256(source)
    channels = picture.bands + picture.has_alpha
    missing = damage_mask.Mask(picture.height, picture.width, options, mask)
    work = stages.Work(options, missing, picture.notices, hints, on_tiles)
    for stage in chain.stages:
      stage.prepare(picture, work)
    picture.decode()
    with turn.network():
      strips = _strips(source, picture, chain, work, folder)
    measured = {}
    if strips is not None:
      measured = _write_picture(
        source, picture, strips, chain, outputs, work, signer, turn
      )
      measured |= _save_confidence(chain, outputs, work)
    else:
      picture.check_unchanged()
      turn.write()
    measured |= _save_masks(work, outputs)
    work.notices += missing.notices
    work.notices += chain.notices(options, bool(outputs.damage_map))
    record = measured | record_lib.record(
      name or os.path.abspath(source),
      sha256,
      outputs.main,
      picture,
      channels,
      chain,
      work,
      start,
    )
  if page is not None:
    record['page'] = page + 1
  memory.give_back()
  if outputs.report:
    record_lib.save(outputs.report, record)
  return record


def _check(source, chain, outputs, options):
  """Raises ValueError for outputs that cannot be made."""
  if outputs.uncertainty and not options.self_ensemble:
    raise ValueError('an uncertainty map needs self_ensemble')
  if not chain.makes_picture and (
    outputs.picture or outputs.change_map or outputs.uncertainty
  ):
    raise ValueError(
      f'{chain} makes no picture: what it finds is a damage map and a mask'
    )
  if outputs.confidence_map and (
    not chain.predicts_errors or not options.whole
  ):
    raise ValueError(
      'a confidence map needs calibrated weights that predict their errors, '
      f'and strength and structure 1: {chain} at {options.strength:g} and '
      f'{options.structure:g} has none'
    )
  if not outputs.main:
    raise ValueError('no output is named')
  for path in outputs.paths():
    if os.path.realpath(path) == os.path.realpath(source):
      raise ValueError(f'{path}: the output would overwrite the source')


def _strips(source, picture, chain, work, folder):
  """As `Chain.strips`; DiskFull if there is no room for temporary files."""
  try:
    return chain.strips(picture, work, folder)
  except OSError as error:
    if vips.is_full(error):
      raise vips.temporary_files_are_full(source) from error
    raise


def _write_picture(
  source: str,
  picture: reader.Picture,
  strips: base.Strips,
  chain: Chain,
  outputs: Outputs,
  work: stages.Work,
  signer: credentials.Signer | None,
  turn: turns.Alone,
) -> dict[str, Any]:
  """Writes the picture and its maps; returns what was measured meanwhile."""
  options, scale = work.options, chain.scale
  event = None if options.strip_metadata else history.event(chain, options)
  filled = work.hole is not None and bool(work.hole.any())

  def finish(part):
    turn.write()
    if signer and event:
      signer.sign(part, outputs.picture, source, chain, event, filled)

  shape = picture.height * scale, picture.width * scale
  known = None  # what must be as it was
  if work.hole is not None and chain.keeps_the_rest:
    known = ~work.hole
  at_once = _AT_ONCE // shape[1] + 1  # rows
  change = strips_lib.LevelMap(outputs.change_map, shape, CHANGE_STEP, known)
  spread = strips_lib.LevelMap(outputs.uncertainty, shape, UNCERTAINTY_STEP)
  with picture.writer(
    outputs.picture,
    scale=scale,
    strip_metadata=options.strip_metadata,
    event=event,
    finish=finish,
    mostly_unchanged=chain.keeps_the_rest or not options.strength,
  ) as writer:
    measure = not writer.lossy or options.least_change > 0
    for top, rows in strips_lib.thinner(turn.strips(strips), at_once):
      values, moved = picture.merge(
        top, rows[..., :3], scale, options.strength, measure
      )
      writer.write(values)
      if measure:
        change.write(top, moved)
      if options.self_ensemble and rows.shape[-1] > 3:
        spread.write(top, options.strength * rows[..., 3])
  if _needs_nothing(source, change.mean, chain, work, outputs.picture):
    work.notices.append(
      f'the change would be only {change.mean:.2f} CIEDE2000: '
      'the picture is copied unchanged'
    )
    with open(source, 'rb') as file:
      data = file.read()
    picture.check_unchanged()
    atomic_files.write_bytes(outputs.picture, data)
    writer.says_history, writer.kept_blocks, signer = False, None, None
    change = strips_lib.LevelMap(outputs.change_map, shape, CHANGE_STEP, known)
    change.write(0, np.zeros(shape, np.float32))
  elif writer.lossy:  # the file holds other values than were handed to it
    change = strips_lib.LevelMap(outputs.change_map, shape, CHANGE_STEP, known)
    for top, moved in picture.moved(outputs.picture, scale, at_once):
      change.write(top, moved)
    kept = writer.kept_blocks is not None
    work.notices.append(
      image_writer.LOSSY_IN_PART if kept else image_writer.LOSSY
    )
  change.save()
  spread.save()
  measured: dict[str, Any] = {
    'change_mean_ciede2000': change.mean,
    'change_max_ciede2000': change.max,
    'marks': {  # What the file itself says of its making.
      'history': writer.says_history,
      'c2pa': bool(signer and event),
      'source_type': credentials.source_type(chain, filled),
    },
  }
  if writer.kept_blocks is not None:
    measured['jpeg_blocks_kept'] = round(writer.kept_blocks, 6)
  if options.self_ensemble:
    measured |= {'uncertainty_mean': spread.mean, 'uncertainty_max': spread.max}
  if known is not None:
    measured['change_outside_mask_max_ciede2000'] = change.most_within
  if outputs.change_map:
    measured['change_map'] = f'1 level = {CHANGE_STEP} CIEDE2000'
  if outputs.uncertainty:
    measured['uncertainty_map'] = '1 level = 0.1/255 standard deviation'
  if scale > 1 and not chain.conjecture:
    measured['consistency_psnr'] = picture.consistency(outputs.picture, scale)
  return measured


def _save_confidence(chain, outputs, work):
  """Writes the map of expected errors; returns the expected accuracy."""
  # What is half taken back has other errors than the network predicts.
  if not chain.predicts_errors or not work.options.whole:
    return {}
  measured = {'confidence': work.predicted_errors.describe(work.hole)}
  if outputs.confidence_map:
    work.predicted_errors.save(outputs.confidence_map, work.hole)
    measured['confidence_map'] = (
      '1 level = 1/255, not exceeded with a probability of 80 %; filled: white'
    )
  return measured


def _needs_nothing(source, change, chain, work, output):
  """Whether a picture should be left unchanged; never one that was filled."""
  return (
    change < work.options.least_change
    and (work.hole is None or not work.hole.any())
    and chain.scale == 1
    and not work.options.strip_metadata
    and os.path.splitext(source)[1] == os.path.splitext(output)[1]
  )


def _save_masks(work, outputs):
  """Writes the damage found and the mask; returns their shares of the area."""
  measured, missing, hole = {}, work.mask, work.hole
  if hole is not None:
    measured['filled'] = round(float(hole.mean()), 6)
  if missing.probabilities is not None:
    measured['damage'] = missing.describe()
    if hole is None and outputs.mask:
      hole = missing.damaged()
    if outputs.damage_map:
      image_writer.save(vips.image(missing.probabilities), outputs.damage_map)
  if outputs.mask and hole is not None:
    image_writer.save_grey(np.uint8(hole) * np.uint8(255), outputs.mask)
  return measured
