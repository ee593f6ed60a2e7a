"""Writes a generator as an ONNX file, for runtimes and tools without JAX.

  proto = onnx_export.convert(config, params)

`input` f32[N, 3, H, W], RGB in [0, 1], of any N, H and W -> `output`
f32[N, 3, H * scale, W * scale], nominally in [0, 1], not clipped, as tools for
super-resolution expect. jax2onnx traces with symbolic sizes: models that pad
their input or depend on the whole picture cannot be converted.
"""

from collections.abc import Mapping
import json
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

from artjax import registry
from artjax import tasks
from artjax.interop import safetensors_io

OPSET = 17


def convert(
  config: ml_collections.ConfigDict, params: Mapping[str, Any], step: int = 0
) -> Any:
  """The generator of `config` (task, model) as an onnx.ModelProto.

  Raises:
    ValueError: jax2onnx is not installed, or the model cannot be converted.
  """
  try:
    import jax2onnx
    import onnx
  except ImportError as error:
    raise ValueError(
      f'an .onnx file needs jax2onnx: pip install "artjax[export]" ({error})'
    ) from error
  task = tasks.get(config.task)
  described = {'task': config.task, 'model': config.model.to_dict()}
  model = registry.model(config).clone(dtype=jnp.float32)
  if hasattr(model, 'unroll'):
    model = model.clone(unroll=True)

  def run(picture):
    # Tasks take values up to 255, as in batches.
    seen = {'image': picture * 255}
    return task.to_image(
      seen,
      model.apply(safetensors_io.variables(params), task.inputs(seen, None)),
    )

  try:
    with jax.numpy_rank_promotion('allow'):  # its layers rely on it
      proto = jax2onnx.to_onnx(
        run,
        [('N', 'H', 'W', task.channels)],
        opset=OPSET,
        model_name=config.model.name,
        inputs_as_nchw=[0],
        outputs_as_nchw=[0],
        input_names=['input'],
        output_names=['output'],
      )
  except Exception as error:  # many types: it converts a traced program
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(
      f'{config.model.name} cannot be written as ONNX for '
      f'pictures of any size: {reason}'
    ) from error
  onnx.helper.set_model_props(
    proto,
    {
      'artjax': json.dumps({'config': described, 'step': step}),
      'scale': str(getattr(model, 'scale', 1)),
      'layout': 'NCHW, float32, RGB, 0 to 1',
    },
  )
  onnx.checker.check_model(proto)
  return proto
