"""Converts published weights to a file for artjax.

  artjax import-weights RealESRGAN_x4plus.safetensors \
      --output=pretrained/realesrgan.safetensors

RRDBNet (Real-ESRGAN, BasicSR, ESRGAN old and new), SRVGGNetCompact and
MSRResNet, from .safetensors and .npz, and from .pth if torch is installed. The
names of the tensors determine the architecture. The result can be used like any
other weights.

torchvision's ResNet-18 and 34 become an encoder, with which a ResUNet starts:
  artjax train --config=sketch2image --workdir=... \
      --config.model.args.norm=batch --config.model.args.width=64 \
      --config.init_from=encoder.safetensors
"""

import argparse
from collections.abc import Sequence
import json
import sys


def main(argv: Sequence[str] | None = None) -> int:
  """Writes the file and prints a description; returns the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('weights', help='the published file')
  parser.add_argument('--output', required=True, help='a .safetensors file')
  parser.add_argument(
    '--dtype', choices=['float32', 'float16'], default='float32'
  )
  args = parser.parse_args(argv)
  import ml_collections

  from artjax.interop import published
  from artjax.interop import safetensors_io
  from artjax.interop import tensor_files
  from artjax.interop import torchvision

  try:
    if not args.output.endswith('.safetensors'):
      raise ValueError(f'--output={args.output} must end in .safetensors')
    tensors = tensor_files.read(args.weights)
    resnet = 'layer1.0.conv1.weight' in tensors
    read = torchvision.resnet_encoder if resnet else published.recognise
    model, params = read(tensors, args.weights)
    task = 'sketch2image' if resnet else 'restore'
    config = ml_collections.ConfigDict({'task': task, 'model': model})
    safetensors_io.save(args.output, params, config, dtype=args.dtype)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax import-weights: {error}')
  count = sum(value.size for value in safetensors_io.flatten(params).values())
  print(
    json.dumps(
      {
        'output': args.output,
        'model': model,
        'parameters': count,
        'sha256': safetensors_io.file_sha256(args.output),
      }
    )
  )
  return 0
