"""Names of the engines, and which of them are installed; imports none."""

import importlib.metadata
import importlib.util

JAX, ONNX, OPENVINO, AUTO = 'jax', 'onnx', 'openvino', 'auto'
# Engine -> the packages that it needs, besides those of artjax.
_PACKAGES = {
  JAX: (),
  ONNX: ('onnxruntime', 'onnx'),
  OPENVINO: ('openvino', 'onnx'),
}
ENGINES = tuple(_PACKAGES)
CHOICES = (*ENGINES, AUTO)


def missing(engine: str) -> list[str]:
  """The packages that an engine lacks."""
  return [
    name for name in _PACKAGES[engine] if not importlib.util.find_spec(name)
  ]


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
    raise ValueError(
      f'engine={engine} needs {" and ".join(lacking)}: '
      f'pip install "artjax[{engine}]"'
    )


def called(engine: str) -> str:
  """An engine with its version, for records: 'openvino 2026.4.1'."""
  package = (_PACKAGES[engine] or (JAX,))[0]
  return f'{engine} {importlib.metadata.version(package)}'
