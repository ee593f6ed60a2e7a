"""Names of the engines, and which of them can be used; imports none."""

import functools
import importlib.metadata
import importlib.util
import pathlib

JAX, ONNX, OPENVINO, AUTO = 'jax', 'onnx', 'openvino', 'auto'
OPENVINO_BF16 = 'openvino-bf16'  # in bfloat16, where the processor has it
# Engine -> the packages that it needs, besides those of artjax.
_PACKAGES = {
  JAX: (),
  ONNX: ('onnxruntime', 'onnx'),
  OPENVINO: ('openvino', 'onnx'),
  OPENVINO_BF16: ('openvino', 'onnx'),
}
_PROCESSOR = 'a processor that computes in bfloat16 (AVX512-BF16 or AMX)'
ENGINES = tuple(_PACKAGES)
CHOICES = (*ENGINES, AUTO)


def missing(engine: str) -> list[str]:
  """The packages that an engine lacks, and the processor."""
  lacking = [
    name for name in _PACKAGES[engine] if not importlib.util.find_spec(name)
  ]
  if engine == OPENVINO_BF16 and not _has_bfloat16():
    lacking.append(_PROCESSOR)
  return lacking


def installed() -> tuple[str, ...]:
  """The engines that can be used; JAX is the first."""
  return tuple(engine for engine in ENGINES if not missing(engine))


def offered() -> tuple[str, ...]:
  """What can be chosen here: 'auto' needs several."""
  found = installed()
  return (*found, AUTO) if len(found) > 1 else found


def check(engine: str) -> None:
  """Raises ValueError, one line, if an engine of `CHOICES` is not installed."""
  if engine == AUTO:
    return
  if lacking := missing(engine):
    cure = (
      'engine=openvino needs none'
      if _PROCESSOR in lacking
      else f'pip install "artjax[{engine.removesuffix("-bf16")}]"'
    )
    raise ValueError(f'engine={engine} needs {" and ".join(lacking)}: {cure}')


def called(engine: str) -> str:
  """An engine with its version, for records: 'openvino 2026.4.1'."""
  package = (_PACKAGES[engine] or (JAX,))[0]
  return f'{engine} {importlib.metadata.version(package)}'


@functools.cache
def _has_bfloat16() -> bool:
  """Whether this processor computes in bfloat16, as Linux says."""
  try:
    flags = pathlib.Path('/proc/cpuinfo').read_text().split()
  except OSError:
    return False
  return 'avx512_bf16' in flags or 'amx_bf16' in flags
