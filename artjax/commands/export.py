"""Exports weights: as a file for artjax, with PyTorch names, or as ONNX.

  artjax export --workdir=runs/unet \
      --output=pretrained/unet.safetensors --dtype=float16
  artjax export --weights=unet --output=unet.onnx
  artjax export --weights=runs/esrgan --names=published \
      --output=esrgan.safetensors
  artjax export --workdir=runs/detect --coarse=runs/detect_coarse \
      --output=pretrained/detect.safetensors --dtype=float16

A .safetensors file contains its model's configuration, and `manifest.json`
beside it gets an entry: sha256, configuration, training set, and the figures
given as `--figures=FILE`, the JSON lines that `--mode=evaluate` printed. With
--names=published the tensors have the names of BasicSR and Real-ESRGAN instead,
by which spandrel and the programs that use it recognize the architecture
(RRDBNet, SRVGGNetCompact, MSRResNet); such a file gets no entry. An .onnx file
takes pictures of any size: f32[N, 3, H, W], RGB in [0, 1]; it needs the extra
`export`.
"""

import argparse
from collections.abc import Sequence
import json
import os
import sys
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the file and prints a description; returns the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  source = parser.add_mutually_exclusive_group(required=True)
  source.add_argument('--weights', help='a name, a file, a workdir or a blend')
  source.add_argument('--workdir', dest='weights', help='the same')
  parser.add_argument(
    '--step', type=int, help='of a workdir; default: the best one'
  )
  parser.add_argument(
    '--coarse',
    help='a second detector, of the whole picture '
    'shrunk:\nboth in one file, see artjax/inference/detector_parts.py',
  )
  parser.add_argument(
    '--output', required=True, help='a .safetensors or .onnx file'
  )
  parser.add_argument(
    '--names',
    choices=['artjax', 'published'],
    default='artjax',
    help='of tensors; default %(default)s',
  )
  parser.add_argument(
    '--dtype', choices=['float32', 'float16'], default='float32'
  )
  parser.add_argument(
    '--training_set',
    default='',
    help='what it was trained on, with its licence',
  )
  parser.add_argument('--figures', help='file of JSON lines')
  parser.add_argument(
    '--card',
    action='store_true',
    help='write a model card too, OUTPUT.md: training, figures, and the\n'
    'licences of the pictures where `artjax collect` noted them',
  )
  args = parser.parse_args(argv)
  try:
    result = export(args)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax export: {error}')
  print(json.dumps(result))
  return 0


def export(args: argparse.Namespace) -> dict[str, Any]:
  """Writes one file; returns its description for the last line of stdout.

  Raises:
    ValueError: options that contradict each other, or weights that cannot be
      written in this format.
  """
  suffix = os.path.splitext(args.output)[1]
  if suffix not in ('.safetensors', '.onnx'):
    raise ValueError(
      f'--output={args.output} must end in .safetensors or .onnx'
    )
  described = args.training_set or args.figures or args.card
  if described and (suffix == '.onnx' or args.names == 'published'):
    raise ValueError(
      '--training_set, --figures and --card go with the manifest, which '
      'only files with --names=artjax have'
    )
  if suffix == '.onnx' and (args.dtype, args.names) != ('float32', 'artjax'):
    raise ValueError('--dtype and --names are for .safetensors files')
  figures = read_figures(args.figures) if args.figures else None

  from artjax import atomic_files
  from artjax.interop import card
  from artjax.interop import manifest
  from artjax.interop import safetensors_io

  config, params, step = load(args.weights, args.step)
  coarse = None
  if args.coarse:
    from artjax.inference import detector_parts

    coarse, more, _ = load(args.coarse)
    config, params = detector_parts.join((config, params), (coarse, more))
  if suffix == '.onnx':
    from artjax.interop import onnx

    proto = onnx.convert(config, params, step)
    atomic_files.write_bytes(args.output, proto.SerializeToString())
  elif args.names == 'published':
    from artjax.interop import published

    published.save(args.output, config.model.to_dict(), params, args.dtype)
  else:
    safetensors_io.save(
      args.output, params, config, dtype=args.dtype, step=step
    )
    manifest.write(
      args.output,
      dtype=args.dtype,
      step=step,
      task=config.task,
      model=config.model.to_dict(),
      **training(config, args.weights),
      **({'coarse': training(coarse, args.coarse)} if coarse else {}),
      training_set=args.training_set,
      figures=figures,
    )
    if args.card:
      name = os.path.basename(args.output)
      text = card.text(name, manifest.entry(args.output))
      atomic_files.write_text(f'{args.output.removesuffix(suffix)}.md', text)
  return {
    'output': args.output,
    'sha256': safetensors_io.file_sha256(args.output),
    'bytes': os.path.getsize(args.output),
    'step': step,
  }


def read_figures(path: str) -> list[dict[str, Any]]:
  """The JSON lines of a file; other lines are ignored."""
  with open(path) as file:
    return [json.loads(line) for line in file if line.startswith('{')]


def load(where: str, step: int | None = None) -> tuple[Any, Any, int]:
  """(config, weights, step) of --weights."""
  from artjax.inference import loading
  from artjax.training import checkpoint

  if os.path.isdir(where):
    return checkpoint.load_generator(where, step)
  if step is not None:
    raise ValueError(f'--step={step}: {where} is not a workdir')
  return *loading.load_checked(where), 0


def training(config: Any, where: str) -> dict[str, Any]:
  """How weights were trained, for the manifest, or where they are from."""
  if 'data' not in config:  # not a run's
    from artjax.inference import weights
    from artjax.interop import manifest

    source = weights.single(where).sources[0]
    path = source.where
    entry = manifest.entry(path)
    if source.part == 'coarse':
      entry = entry.get('coarse', {})
    return {
      key: entry[key]
      for key in ('data', 'losses', 'adversary', 'pictures')
      if key in entry
    } or {'source': where}
  from artjax.training import workdir

  pictures = workdir.read_pictures(where)
  found = {
    **({'pictures': pictures} if pictures else {}),
    'data': {'ops': config.data.ops, 'batch_size': config.batch_size},
    'losses': {k: v for k, v in config.losses.items() if v},
  }
  if config.get('adversary') and config.adversary.name:
    found['adversary'] = config.adversary.to_dict()
  return found
