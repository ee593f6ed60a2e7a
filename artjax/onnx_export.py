"""A generator as an ONNX file, for runtimes and tools that have no JAX.

  proto = onnx_export.convert(config, params)

`input` f32[N, 3, H, W], RGB in [0, 1], of any N, H and W -> `output`
f32[N, 3, H * scale, W * scale], nominally in [0, 1], not clipped: what tools
for super-resolution expect. A model that looks at the whole picture has a
second input, `context` f32[N, 3, 64, 64]: a thumbnail of it (see
`resize.thumbnail`), or of the picture itself where it is not a tile.

The model is traced with symbolic sizes, and each JAX primitive becomes an ONNX
operator (https://onnx.ai/onnx/operators/). jax2onnx does this for much more of
JAX, but traces neither loops nor padding with symbolic sizes, and holds Orbax
back. A new model may need a primitive that is not here yet: one method, or one
line in `_ELEMENTWISE`.
"""
import ast
import json

import jax
from jax import export as jax_export
import jax.numpy as jnp
import numpy as np

from artjax import inference
from artjax import lookup
from artjax import tasks

OPSET = 17
_NCHW, _NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_ELEMENTWISE = {'add': 'Add', 'sub': 'Sub', 'mul': 'Mul', 'div': 'Div',
                'max': 'Max', 'ge': 'GreaterOrEqual', 'gt': 'Greater'}


def convert(config, params, step=0):
  """The generator of `config` (task, model) as an onnx.ModelProto.

  Raises:
    ValueError: onnx is not installed, or the model cannot be converted.
  """
  try:
    import onnx
  except ImportError as error:
    raise ValueError('an .onnx file needs onnx, which is not installed: '
                     'pip install onnx') from error
  task = tasks.get(config.task)
  if task.channels != 3:
    raise ValueError(f'task {config.task} cannot be written as ONNX: it sees '
                     'more than a picture')
  described = {'task': config.task, 'model': config.model.to_dict()}
  model = lookup.model(config).clone(dtype=jnp.float32)
  scale, multiple = getattr(model, 'scale', 1), model.multiple
  batch, height, width = jax_export.symbolic_shape(
      f'n, {multiple}*h, {multiple}*w')
  graph = _Graph()
  picture = graph.padded_input(multiple, (batch, height, width, 3))
  side = inference.CONTEXT
  context = _Tensor('context', (batch, side, side, 3), nchw=True)

  def run(picture, context):
    # Tasks take what batches hold, values up to 255.
    seen = {'image': picture * 255}
    y = model.apply({'params': params}, task.inputs(seen, None),
                    context=task.inputs({'image': context * 255}, None))
    return task.picture(seen, y)

  traced = jax.make_jaxpr(run)(
      *(jax.ShapeDtypeStruct(x.shape, np.float32) for x in (picture, context)))
  try:
    y, = graph.run(traced.jaxpr, traced.consts, [picture, context])
  except NotImplementedError as error:
    raise ValueError(f'{config.model.name} cannot be written as ONNX: '
                     f'{error}') from error
  graph.cropped_output(y, scale)
  proto = graph.finish(config.model.name, {
      'artjax': json.dumps({'config': described, 'step': step}),
      'scale': str(scale), 'layout': 'NCHW, float32, RGB, 0 to 1'})
  onnx.checker.check_model(proto)
  return proto


class _Tensor:
  """A value of the graph: its name, its shape as JAX sees it, its layout."""

  def __init__(self, name, shape, nchw=False, source=None):
    self.name = name
    self.shape = tuple(shape)  # NHWC, however it lies in the graph
    self.nchw = nchw  # 4-D, and lies in the graph as NCHW
    self.source = source  # what it is a reshape or a transpose of


class _Graph:
  """Primitives in, ONNX nodes out.

  A value is a numpy array where it is known, else a `_Tensor`. Pictures lie as
  NCHW from one convolution to the next.
  """

  def __init__(self):
    import onnx
    self._onnx = onnx
    self._nodes = []
    self._constants = {}  # name -> array
    self._made = {}  # name -> (op, inputs, attributes) that made it
    self._known = {}  # (op, inputs, attributes) or constant -> names: once each
    self._sizes = {}  # 'n', 'h', 'w' -> name of an i64[1]

  # The border of the graph.

  def padded_input(self, multiple, shape):
    """`input`, extended by reflection at bottom and right to a multiple."""
    sizes = self._op('Shape', 'input')
    n, height, width = (self._op('Gather', sizes, np.array([i]), axis=0)
                        for i in (0, 2, 3))
    self._real = height, width
    self._sizes = {'n': n, 'h': height, 'w': width}
    x = 'input'
    if multiple > 1:
      for axis, name, size in ((2, 'h', height), (3, 'w', width)):
        x, self._sizes[name] = self._reflect(x, axis, size, multiple)
    return _Tensor(x, shape, nchw=True)

  def _reflect(self, x, axis, size, multiple):
    """As layers.pad_to_multiple does; also how many multiples there are."""
    one, many = np.array([1]), np.array([multiple])
    count = self._op('Div', self._op('Add', size, many - 1), many)
    scalar = lambda name: self._op('Squeeze', name, np.array([0]))
    places = self._op('Range', np.array(0),
                      scalar(self._op('Mul', count, many)), np.array(1))
    last = self._op('Sub', size, one)
    period = self._op('Max', self._op('Mul', last, np.array([2])), one)
    away = self._op('Abs', self._op(
        'Sub', self._op('Mod', places, period), last))
    return self._op('Gather', x, self._op('Sub', last, away), axis=axis), count

  def cropped_output(self, y, scale):
    """`output`: what belongs to the picture, not to what it was padded by."""
    ends = [self._op('Mul', size, np.array([scale])) for size in self._real]
    self._nodes.append(self._onnx.helper.make_node(
        'Slice', [self._lying(y, nchw=True), self._array(np.array([0, 0])),
                  self._op('Concat', *ends, axis=0),
                  self._array(np.array([2, 3]))], ['output']))

  def finish(self, name, metadata):
    """The ModelProto, without what does not lead to the output."""
    helper, onnx = self._onnx.helper, self._onnx
    needed, nodes = {'output'}, []
    for node in reversed(self._nodes):
      if needed & set(node.output):
        needed |= set(node.input)
        nodes.append(node)
    declare = lambda name, sides: helper.make_tensor_value_info(
        name, onnx.TensorProto.FLOAT, ['batch', 3, *sides])
    side = inference.CONTEXT
    inputs = [declare('input', ['height', 'width'])]
    if 'context' in needed:
      inputs.append(declare('context', [side, side]))
    graph = helper.make_graph(
        nodes[::-1], name, inputs,
        [declare('output', ['out_height', 'out_width'])],
        [onnx.numpy_helper.from_array(value, key)
         for key, value in self._constants.items() if key in needed])
    proto = helper.make_model(
        graph, producer_name='artjax', ir_version=8,  # what opset 17 came with
        opset_imports=[helper.make_opsetid('', OPSET)])
    helper.set_model_props(proto, metadata)
    return proto

  # Values and nodes.

  def _op(self, op, *inputs, outputs=1, **attributes):
    """Adds a node (of tensors' names and arrays) once; its output's name."""
    inputs = tuple(self._array(x) if isinstance(x, np.ndarray) else x
                   for x in inputs)
    key = op, inputs, tuple(sorted((k, str(v)) for k, v in attributes.items()))
    if key not in self._known:
      names = tuple(f'{op.lower()}_{len(self._nodes)}'
                    + (f'_{i}' if outputs > 1 else '') for i in range(outputs))
      self._nodes.append(self._onnx.helper.make_node(
          op, inputs, names, **attributes))
      for name in names:
        self._made[name] = op, inputs, attributes
      self._known[key] = names
    names = self._known[key]
    return names if outputs > 1 else names[0]

  def _array(self, value):
    """Name of a constant, held once."""
    value = np.ascontiguousarray(value).reshape(np.shape(value))
    if value.dtype == np.int32:
      value = value.astype(np.int64)  # as all of ONNX's own sizes
    key = value.dtype.str, value.shape, value.tobytes()
    if key not in self._known:
      self._known[key] = f'constant_{len(self._constants)}'
      self._constants[self._known[key]] = value
    return self._known[key]

  def _lying(self, x, nchw=False):
    """Name of a value in the layout asked for; only 4-D ones can be NCHW."""
    if isinstance(x, np.ndarray):
      return self._array(x.transpose(_NCHW) if nchw and x.ndim == 4 else x)
    if x.nchw == nchw:
      return x.name
    # One layout made of the other is known already.
    op, inputs, attributes = self._made.get(x.name, ('', (), {}))
    order = _NCHW if nchw else _NHWC
    if op == 'Transpose' and tuple(attributes['perm']) == (
        _NHWC if nchw else _NCHW):
      return inputs[0]
    return self._op('Transpose', x.name, perm=order)

  def _size(self, dim):
    """Name of an i64[1] that holds a size, which may be symbolic."""
    return self._expression(ast.parse(str(dim), mode='eval').body)

  def _expression(self, tree):
    if isinstance(tree, ast.Constant):
      return self._array(np.array([tree.value]))
    if isinstance(tree, ast.Name):
      return self._sizes[tree.id]
    ops = {ast.Add: 'Add', ast.Sub: 'Sub', ast.Mult: 'Mul'}
    if isinstance(tree, ast.BinOp) and type(tree.op) in ops:
      return self._op(ops[type(tree.op)], self._expression(tree.left),
                      self._expression(tree.right))
    raise NotImplementedError(f'the size {ast.unparse(tree)}')

  def _sizes_of(self, dims):
    """Name of an i64[len(dims)]."""
    if all(isinstance(dim, int) for dim in dims):
      return self._array(np.array(dims, np.int64))
    return self._op('Concat', *map(self._size, dims), axis=0)

  def _reshaped(self, x, shape):
    """Name of a value in another shape, in JAX's layout."""
    if not isinstance(x, np.ndarray) and x.shape == tuple(shape):
      return self._lying(x)
    # 0 is ONNX's word for a size that stays, -1 for the one that is left.
    kept = [0 if i < len(x.shape) and dim == x.shape[i]
            and not isinstance(dim, int) else dim
            for i, dim in enumerate(shape)]
    symbolic = [i for i, dim in enumerate(kept) if not isinstance(dim, int)]
    if len(symbolic) == 1:
      kept[symbolic[0]] = -1
    return self._op('Reshape', self._lying(x), self._sizes_of(kept))

  # Running a traced function.

  def run(self, jaxpr, consts, inputs):
    """The outputs of a jaxpr, as values."""
    values = dict(zip(jaxpr.constvars, map(np.asarray, consts)))
    values |= zip(jaxpr.invars, inputs)
    read = lambda v: np.asarray(v.val) if hasattr(v, 'val') else values[v]
    for eqn in jaxpr.eqns:
      values |= zip(eqn.outvars, self._run(eqn, list(map(read, eqn.invars))))
    return list(map(read, jaxpr.outvars))

  def _run(self, eqn, inputs):
    """The outputs of one primitive."""
    name, params = eqn.primitive.name, eqn.params
    called = params.get('jaxpr' if name in ('jit', 'scan') else 'call_jaxpr')
    if name == 'scan':
      return self._scan(params, inputs)
    if called is not None:  # a function within: jit, custom gradients
      return self.run(called.jaxpr, called.consts, inputs)
    shapes = [v.aval.shape for v in eqn.outvars]
    if all(isinstance(x, np.ndarray) for x in inputs) and all(
        isinstance(dim, int) for shape in shapes for dim in shape) and (
            name != 'dim_as_value'):
      found = eqn.primitive.bind(*inputs, **params)
      return [np.asarray(x) for x in (
          found if eqn.primitive.multiple_results else [found])]
    if name in _ELEMENTWISE:
      return [self._elementwise(_ELEMENTWISE[name], inputs, shapes[0])]
    method = getattr(self, f'_do_{name}', None)
    if method is None:
      raise NotImplementedError(f'no operator for {name} yet')
    if eqn.primitive.multiple_results:
      return method(inputs, shapes, params)
    found = method(*inputs, shapes[0], params)
    return [found if isinstance(found, _Tensor) else _Tensor(found, shapes[0])]

  def _scan(self, params, inputs):
    """A loop, written out."""
    body, consts = params['jaxpr'], params['num_consts']
    first = consts + params['num_carry']
    carry = inputs[consts:first]
    if params['reverse'] or len(body.out_avals) > len(carry):
      raise NotImplementedError('a loop that runs backwards or collects')
    for i in range(params['length']):
      carry = self.run(body.jaxpr, body.consts, [
          *inputs[:consts], *carry, *(x[i] for x in inputs[first:])])
    return carry

  # One method a primitive: (inputs, output shape, params) -> output.

  def _elementwise(self, op, inputs, shape):
    nchw = len(shape) == 4 and any(getattr(x, 'nchw', False) for x in inputs)
    return _Tensor(
        self._op(op, *(self._lying(x, nchw) for x in inputs)), shape, nchw)

  def _do_select_n(self, which, no, yes, shape, params):
    del params
    y = self._elementwise('Where', (which, yes, no), shape)
    # x where x > 0, else slope * x, has an operator of its own.
    names = self._made[y.name][1]
    test, tested = self._made.get(names[0], ('', (), {}))[:2]
    op, factors = self._made.get(names[2], ('', (), {}))[:2]
    if (test in ('Greater', 'GreaterOrEqual') and op == 'Mul'
        and tested[0] == names[1] in factors
        and not self._constants.get(tested[1], np.ones(1)).any()):
      slope = factors[factors[0] == names[1]]
      if slope in self._constants:
        value = self._constants[slope]
        y.name = (self._op('LeakyRelu', names[1], alpha=float(value))
                  if value.ndim == 0 else self._op('PRelu', names[1], slope))
    return y

  def _do_square(self, x, shape, params):
    del params
    return self._elementwise('Mul', (x, x), shape)

  def _do_rsqrt(self, x, shape, params):
    del params
    root = self._elementwise('Sqrt', (x,), shape)
    return self._elementwise('Reciprocal', (root,), shape)

  def _do_stop_gradient(self, x, shape, params):
    del shape, params
    return x

  def _do_convert_element_type(self, x, shape, params):
    kind = self._onnx.helper.np_dtype_to_tensor_dtype(
        np.dtype(params['new_dtype']))
    return _Tensor(self._op('Cast', x.name, to=kind), shape, x.nchw)

  def _do_conv_general_dilated(self, x, kernel, shape, params):
    numbers = params['dimension_numbers']
    if (not isinstance(kernel, np.ndarray)
        or numbers.lhs_spec != _NCHW or numbers.out_spec != _NCHW
        or numbers.rhs_spec != (3, 2, 0, 1) or set(params['lhs_dilation']) != {1}
        or params['batch_group_count'] != 1):
      raise NotImplementedError('a convolution other than NHWC, HWIO')
    pads = np.array(params['padding']).T.ravel().tolist()  # tops, then bottoms
    return _Tensor(self._op(
        'Conv', self._lying(x, nchw=True), kernel.transpose(3, 2, 0, 1),
        pads=pads, strides=list(params['window_strides']),
        dilations=list(params['rhs_dilation']),
        group=params['feature_group_count']), shape, nchw=True)

  def _do_dot_general(self, a, b, shape, params):
    (over_a, over_b), (each_a, each_b) = params['dimension_numbers']
    if not each_a and isinstance(b, np.ndarray) and b.ndim == 2 and (
        tuple(over_a), tuple(over_b)) == ((len(a.shape) - 1,), (0,)):
      return self._op('MatMul', self._lying(a), b)
    free = iter('abcdefghijklmnopqrstuvwxyz')
    of_a = [next(free) for _ in a.shape]
    of_b = [next(free) for _ in b.shape]
    for i, j in zip((*over_a, *each_a), (*over_b, *each_b)):
      of_b[j] = of_a[i]
    out = [of_a[i] for i in each_a]
    out += [x for i, x in enumerate(of_a) if i not in (*over_a, *each_a)]
    out += [x for i, x in enumerate(of_b) if i not in (*over_b, *each_b)]
    return self._op(
        'Einsum', self._lying(a), self._lying(b),
        equation=f'{"".join(of_a)},{"".join(of_b)}->{"".join(out)}')

  def _do_reduce_sum(self, x, shape, params):
    del shape
    return self._op('ReduceSum', self._lying(x), np.array(params['axes']),
                    keepdims=0)

  def _do_reduce_max(self, x, shape, params):
    del shape
    return self._op('ReduceMax', self._lying(x), axes=list(params['axes']),
                    keepdims=0)

  def _do_reshape(self, x, shape, params):
    del params
    shuffled = self._pixel_shuffle(x, shape)
    return shuffled or _Tensor(self._reshaped(x, shape), shape, source=x)

  def _pixel_shuffle(self, x, shape):
    """The operator for what layers.pixel_shuffle does, or None."""
    order = self._made.get(x.name, ('', (), {}))[2].get('perm')
    if order != (0, 1, 4, 2, 5, 3) or len(shape) != 4:
      return None
    before = x.source.source  # [B, H, W, C * s * s]
    batch, height, scale, width, _, channels = x.shape
    if before is None or before.shape != (
        batch, height, width, channels * scale**2) or shape != (
            batch, height * scale, width * scale, channels):
      return None
    return _Tensor(self._op(
        'DepthToSpace', self._lying(before, nchw=True), blocksize=scale,
        mode='CRD'), shape, nchw=True)

  def _do_squeeze(self, x, shape, params):
    del params
    return self._reshaped(x, shape)

  def _do_broadcast_in_dim(self, x, *rest):
    shape, params = rest[-2:]  # between them: sizes, where they are traced
    places = params['broadcast_dimensions']
    between = [1] * len(shape)
    for place, dim in zip(places, x.shape):
      between[place] = dim
    y = self._reshaped(x, between)
    if tuple(between) == tuple(shape):
      return y
    return self._op('Expand', y, self._sizes_of(shape))

  def _do_transpose(self, x, shape, params):
    return _Tensor(self._op('Transpose', self._lying(x),
                            perm=params['permutation']), shape, source=x)

  def _do_concatenate(self, *rest):
    *inputs, shape, params = rest
    nchw = len(shape) == 4 and any(getattr(x, 'nchw', False) for x in inputs)
    axis = params['dimension']
    return _Tensor(self._op(
        'Concat', *(self._lying(x, nchw) for x in inputs),
        axis=_NCHW.index(axis) if nchw else axis), shape, nchw)

  def _do_stack(self, *rest):
    *inputs, shape, params = rest
    axis = params['axis']
    one = (*shape[:axis], 1, *shape[axis + 1:])
    return self._op('Concat', *(self._reshaped(x, one) for x in inputs),
                    axis=axis)

  def _do_slice(self, x, shape, params):
    del shape
    return self._sliced(x, params['start_indices'], params['limit_indices'],
                        params['strides'])

  def _sliced(self, x, starts, ends, strides=None):
    axes = np.arange(len(x.shape))
    return self._op('Slice', self._lying(x), self._sizes_of(starts),
                    self._sizes_of(ends), axes,
                    np.array(strides or [1] * len(axes)))

  def _do_split(self, inputs, shapes, params):
    names = self._op('Split', self._lying(inputs[0]), np.array(params['sizes']),
                     axis=params['axis'], outputs=len(shapes))
    return [_Tensor(name, shape) for name, shape in zip(names, shapes)]

  def _do_pad(self, x, value, shape, params):
    del shape
    pads = np.array(params['padding_config'])
    if pads.min() < 0 or pads[:, 2].any():
      raise NotImplementedError('padding between pixels, or less than none')
    return self._op('Pad', self._lying(x), pads[:, :2].T.ravel(), value)

  def _do_sort(self, inputs, shapes, params):
    if len(inputs) > 1:
      raise NotImplementedError('a sort of several arrays')
    axis = params['dimension']
    values, _ = self._op(
        'TopK', self._lying(inputs[0]), np.array([shapes[0][axis]]), axis=axis,
        largest=0, outputs=2)
    return [_Tensor(values, shapes[0])]

  def _do_gather(self, x, places, shape, params):
    numbers, sizes = params['dimension_numbers'], params['slice_sizes']
    mapped, dropped = numbers.start_index_map, numbers.collapsed_slice_dims
    if numbers.operand_batching_dims or not isinstance(places, np.ndarray):
      raise NotImplementedError('a gather from places that are not constant')
    if places.ndim == 1:  # one block
      starts = [0] * len(x.shape)
      for axis, start in zip(mapped, places.tolist()):
        starts[axis] = start
      block = self._sliced(x, starts, [a + b for a, b in zip(starts, sizes)])
      return self._reshaped(_Tensor(block, sizes), shape)
    axis = mapped[0]
    others = tuple(i for i in range(len(shape)) if i != axis)
    if places.shape[1:] != (1,) or dropped != (axis,) or (
        numbers.offset_dims != others):
      raise NotImplementedError('a gather along more than one axis')
    return self._op('Gather', self._lying(x), places[:, 0], axis=axis)

  def _do_dim_as_value(self, shape, params):
    del shape
    return self._op('Squeeze', self._size(params['dim']), np.array([0]))
