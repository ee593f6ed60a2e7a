"""Exports the weights of a run as one .safetensors file, for others to use.

  python scripts/export.py --workdir=runs/unet \
      --output=pretrained/unet.safetensors --dtype=float16

The file carries its model's configuration. Beside it, `manifest.json` gets an
entry: sha256, configuration, training set, and the figures given as
`--figures=FILE`, the JSON lines that `--mode=evaluate` printed.
"""
import argparse
import json
import os
import pathlib
import sys

# Run as a script, Python looks for `artjax` beside this file, not above it.
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))


def main():
  """Parses the command line, writes file and manifest."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--workdir', required=True)
  parser.add_argument('--step', type=int, help='default: the best one')
  parser.add_argument('--output', required=True)
  parser.add_argument('--dtype', choices=['float32', 'float16'],
                      default='float32')
  parser.add_argument('--training_set', default='',
                      help='what it was trained on, with its licence')
  parser.add_argument('--figures', help='file of JSON lines')
  args = parser.parse_args()
  try:
    result = export(args)
  except (ValueError, FileNotFoundError) as error:
    sys.exit(f'export: {error}')
  print(json.dumps(result))


def export(args):
  """Writes the weights file and its entry in the manifest."""
  from artjax import checkpoint
  from artjax import files
  from artjax import weights
  if not args.output.endswith('.safetensors'):
    raise ValueError(f'--output={args.output} must end in .safetensors')
  figures = None
  if args.figures:
    with open(args.figures) as file:
      figures = [json.loads(line) for line in file if line.startswith('{')]
  config, params, step = checkpoint.load_generator(args.workdir, args.step)
  os.makedirs(os.path.dirname(args.output) or '.', exist_ok=True)
  weights.save(args.output, params, config, dtype=args.dtype, step=step)

  manifest = os.path.join(os.path.dirname(args.output), 'manifest.json')
  entries = {}
  if os.path.exists(manifest):
    with open(manifest) as file:
      entries = json.load(file)
  name = os.path.basename(args.output)
  entries[name] = {
      'sha256': weights.file_sha256(args.output),
      'bytes': os.path.getsize(args.output),
      'dtype': args.dtype,
      'step': step,
      'task': config.task,
      'model': config.model.to_dict(),
      'data': {'ops': config.data.ops, 'batch_size': config.batch_size},
      'losses': {k: v for k, v in config.losses.items() if v},
      'training_set': args.training_set,
      'figures': figures,
  }
  files.write_text(manifest, json.dumps(entries, indent=2) + '\n')
  return {'output': args.output, **{
      k: entries[name][k] for k in ('sha256', 'bytes', 'step')}}


if __name__ == '__main__':
  main()
