"""Converts published weights to a file for artjax.

  artjax import-weights RealESRGAN_x4plus.pth --licence=BSD-3-Clause

From .pth, .pt, .ckpt, .safetensors or .npz, without torch; nothing in a file is
run. The names of the tensors determine the architecture: ESRGAN of all forms,
Compact, SPAN, SPANF, SPANV2, RealPLKSR, PLKSR, SwinIR, HAT, DAT, Restormer,
NAFNet, DnCNN, FFDNet, DRUNet, FBCNN, SCUNet, MSRResNet, LaMa, MI-GAN. The
result is written to your own folder of weights, see `artjax weights`, and can
be used like any other. It records its source: name and sha256 of the file, and
the licence that you give.

torchvision's ResNet-18 and 34 become an encoder, with which a ResUNet starts:
  artjax train --config=sketch2image --workdir=... \
      --config.model.args.norm=batch --config.model.args.width=64 \
      --config.init_from=encoder.safetensors
"""

import argparse
from collections.abc import Sequence
import json
import os
import pathlib
import sys


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the file and prints a description; returns the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('weights', help='the published file')
  parser.add_argument(
    '--output',
    help='a .safetensors file; default: of the same name in your own folder',
  )
  parser.add_argument(
    '--licence',
    help='of the weights, as their authors say it; kept in the file; default: '
    'the one that `artjax fetch-weights` has found, else "not stated"',
  )
  parser.add_argument(
    '--dtype', choices=['float32', 'float16'], default='float32'
  )
  args = parser.parse_args(argv)
  import ml_collections

  from artjax.inference import weights
  from artjax.interop import fetched
  from artjax.interop import published
  from artjax.interop import safetensors_io
  from artjax.interop import tensor_files
  from artjax.interop import torchvision

  output = args.output or str(
    weights.user_folder() / f'{pathlib.Path(args.weights).stem}.safetensors'
  )
  try:
    if not output.endswith('.safetensors'):
      raise ValueError(f'--output={output} must end in .safetensors')
    if os.path.exists(output) and os.path.samefile(output, args.weights):
      raise ValueError(f'{output}: is the published file itself')
    tensors = tensor_files.read(args.weights)
    resnet = 'layer1.0.conv1.weight' in tensors
    read = torchvision.resnet_encoder if resnet else published.recognise
    model, params = read(tensors, args.weights)
    task = 'sketch2image' if resnet else published.task(model)
    config = ml_collections.ConfigDict({'task': task, 'model': model})
    folder, file = os.path.split(args.weights)
    licence = fetched.Fetched(folder).source(file).get('licence', 'not stated')
    source = {
      'file': file,
      'sha256': safetensors_io.file_sha256(args.weights),
      'licence': args.licence or licence,
    }
    safetensors_io.save(output, params, config, dtype=args.dtype, source=source)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax import-weights: {error}')
  trained = safetensors_io.variables(params)['params']
  count = sum(value.size for value in safetensors_io.flatten(trained).values())
  print(
    json.dumps(
      {
        'output': output,
        'model': model,
        'parameters': count,
        'sha256': safetensors_io.file_sha256(output),
        'source': source,
      }
    )
  )
  return 0
