"""Published networks that spandrel has not, written in PyTorch for tests.

Made of functions and a state_dict of the published names.
"""

try:
  import torch
  from torch.nn import functional
except ImportError:  # tests that need it are skipped
  torch = functional = None


class _Network:
  """Named tensors, and `conv` by their names."""

  def __init__(self, shapes):
    self.tensors = {name: torch.zeros(shape) for name, shape in shapes.items()}

  def state_dict(self):
    return self.tensors

  def load_state_dict(self, tensors):
    self.tensors = tensors

  def eval(self):
    return self

  def conv(self, name, x, groups=1):
    weight = self.tensors[f'{name}.weight']
    bias = self.tensors.get(f'{name}.bias')
    side = weight.shape[-1]
    return functional.conv2d(x, weight, bias, padding=side // 2, groups=groups)


def _layer(name, outputs, inputs, side=3, bias=True):
  shapes = {f'{name}.weight': (outputs, inputs, side, side)}
  return shapes | ({f'{name}.bias': (outputs,)} if bias else {})


class SPANF(_Network):
  """https://github.com/Amazingren/NTIRE2025_ESR, team 24."""

  def __init__(self, features, tail):
    shapes = _layer('conv_near', 48, 1, bias=False)
    for i in range(1, 6):
      for j in (1, 2, 3):
        inputs = 3 if i == j == 1 else features
        shapes |= _layer(f'block_{i}.c{j}_r.eval_conv', features, inputs)
    shapes |= _layer('conv_cat', tail, 2 * features + 48, 1)
    super().__init__(shapes | _layer('conv_2.eval_conv', 48, tail))

  def __call__(self, x):
    y, kept = x, [self.conv('conv_near', x, 3)]
    for i in range(1, 6):
      conv = lambda j, z, i=i: self.conv(f'block_{i}.c{j}_r.eval_conv', z)
      silu = functional.silu
      z = conv(3, silu(conv(2, silu(conv(1, y)))))
      y = z if i == 1 else (z + y) * (torch.sigmoid(z) - 0.5)
      kept += [y] if i in (1, 5) else []
    near, first, last = kept
    y = self.conv('conv_cat', torch.cat([near, last, first], 1))
    return functional.pixel_shuffle(self.conv('conv_2.eval_conv', y), 4)


class SPANV2(_Network):
  """https://github.com/Amazingren/NTIRE2026_ESR, team 22."""

  def __init__(self, features):
    shapes = _layer('conv_near', 48, 1, bias=False)
    for i in range(1, 6):
      for j in (1, 2, 3):
        inputs = 3 if i == j == 1 else features
        shapes |= _layer(f'block_{i}.c{j}.conv', features, inputs, bias=False)
      if i > 1:
        name = f'block_{i}.guidance_map_conv'
        shapes |= _layer(name, features, features, 1)
    shapes |= _layer('depthwise_conv', 48 + features, 1, bias=False)
    super().__init__(
      shapes | _layer('pointwise_conv', 48, 48 + features, 1, bias=False)
    )

  def __call__(self, x):
    y = x
    for i in range(1, 6):
      conv = lambda j, z, i=i: self.conv(f'block_{i}.c{j}.conv', z)
      z = conv(3, conv(2, conv(1, y).relu()).relu())
      if i == 1:
        y = z.relu()
      else:
        y = (y + z) * self.conv(f'block_{i}.guidance_map_conv', z)
    y = torch.cat([self.conv('conv_near', x, 3), y], 1)
    y = self.conv('depthwise_conv', y, y.shape[1])
    return functional.pixel_shuffle(self.conv('pointwise_conv', y), 4)


class FFDNet(_Network):
  """https://github.com/cszn/KAIR; of colour."""

  def __init__(self, features, convs):
    self.convs, shapes = convs, {}
    for i in range(convs):
      inputs, outputs = 13 if i == 0 else features, features
      outputs = 12 if i == convs - 1 else outputs
      shapes |= _layer(f'model.{2 * i}', outputs, inputs)
    super().__init__(shapes)

  def __call__(self, x, sigma):
    height, width = x.shape[-2:]
    x = functional.pad(x, (0, width % 2, 0, height % 2), mode='replicate')
    y = functional.pixel_unshuffle(x, 2)
    y = torch.cat([y, torch.full_like(y[:, :1], sigma)], 1)
    for i in range(self.convs):
      y = self.conv(f'model.{2 * i}', y)
      y = y.relu() if i < self.convs - 1 else y
    return functional.pixel_shuffle(y, 2)[..., :height, :width]


class MIGAN(_Network):
  """https://github.com/Picsart-AI-Research/MI-GAN, with composition."""

  def __init__(self, features):
    self.sides = [4 * 2**i for i in range(len(features))]  # coarsest first
    self.blur = torch.outer(*2 * [torch.tensor([1.0, 3, 3, 1]) / 8])
    channels = dict(zip(self.sides, reversed(features)))
    finest = self.sides[-1]
    shapes = _layer(f'encoder.b{finest}.fromrgb', channels[finest], 4, 1)

    def separable(name, inputs, outputs):
      return _layer(f'{name}.conv1', inputs, 1) | _layer(
        f'{name}.conv2', outputs, inputs, 1, bias=False
      )

    for side, here in channels.items():
      coarser = channels.get(side // 2, here)
      enc, dec = f'encoder.b{side}', f'synthesis.b{side}'
      shapes |= separable(f'{enc}.conv1', here, here)
      shapes |= separable(f'{enc}.conv2', here, coarser)
      shapes |= separable(f'{dec}.conv1', coarser, here)
      shapes |= separable(f'{dec}.conv2', here, here)
      shapes |= _layer(f'{dec}.torgb', 3, here, 1)
      if side == 4:
        continue
      shapes[f'{enc}.conv2.downsample.filter.weight'] = (here, 1, 4, 4)
      for name, count in ((f'{dec}.conv1', here), (dec, 3)):
        shapes[f'{name}.upsample.filter.weight'] = (count, 1, 4, 4)
        shapes[f'{name}.upsample.insert_zeros.weight'] = (count, 1, 2, 2)
      for i in (1, 2):
        shapes[f'{dec}.conv{i}.noise_const'] = (side, side)
        shapes[f'{dec}.conv{i}.noise_strength'] = ()
    super().__init__(shapes)

  def active(self, y):
    return (functional.leaky_relu(y, 0.2) * 2**0.5).clamp(-256, 256)

  def up(self, name, y):
    zeros = self.tensors[f'{name}.upsample.insert_zeros.weight']
    y = functional.conv_transpose2d(y, zeros, stride=2, groups=len(zeros))
    kernel = self.tensors[f'{name}.upsample.filter.weight']
    y = functional.pad(y, (2, 1, 2, 1))
    return functional.conv2d(y, kernel, groups=len(kernel))

  def separable(self, name, y, down=False, up=False):
    y = self.active(self.conv(f'{name}.conv1', y, y.shape[1]))
    if down:
      kernel = self.tensors[f'{name}.downsample.filter.weight']
      y = functional.conv2d(y, kernel, stride=2, padding=1, groups=len(kernel))
    y = self.conv(f'{name}.conv2', y)
    y = self.up(name, y) if up else y
    if f'{name}.noise_const' in self.tensors:
      strength = self.tensors[f'{name}.noise_strength']
      y = y + self.tensors[f'{name}.noise_const'] * strength
    return self.active(y)

  def __call__(self, x):
    picture, known = x[:, :3], 1 - x[:, 3:]
    y = torch.cat([known - 0.5, (2 * picture - 1) * known], 1)
    y = self.active(self.conv(f'encoder.b{self.sides[-1]}.fromrgb', y))
    skips = {}
    for side in reversed(self.sides):
      skips[side] = self.separable(f'encoder.b{side}.conv1', y)
      y = self.separable(f'encoder.b{side}.conv2', skips[side], side > 4)
    found = None
    for side in self.sides:
      name = f'synthesis.b{side}'
      y = self.separable(f'{name}.conv1', y, up=side > 4) + skips[side]
      y = self.separable(f'{name}.conv2', y)
      rgb = self.conv(f'{name}.torgb', y)
      found = rgb if found is None else self.up(name, found) + rgb
    return picture * known + (found / 2 + 0.5) * (1 - known)
