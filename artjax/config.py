"""Every field of every configuration, with its default and its meaning.

A configuration file calls `get_config` here, overrides what it needs and
returns the result locked: a mistyped field or a value of the wrong type on the
command line is an error.
"""

import ml_collections


def get_config() -> ml_collections.ConfigDict:
  """The defaults, still unlocked so that a task can add its model's fields."""
  config = ml_collections.ConfigDict()

  # The task and the network.
  config.task = 'restore'  # a file in artjax/tasks, or 'my_package.file:Class'
  # Modules outside of this package whose ops, losses and metrics can be named:
  # ('my_package.file',).
  config.modules = ()
  config.model = ml_collections.ConfigDict()
  # '<file>.<class>' in artjax/models, 'unet.UNet', or 'my_package.file:Class'.
  config.model.name = ''
  config.model.args = ml_collections.ConfigDict()  # its fields
  # Start from the weights of these workdirs or .safetensors files, separated by
  # commas; a tensor is taken from the first that has it in the same shape.
  config.init_from = ''

  # Length, batches and precision.
  config.seed = 0  # of weights, order of pictures, random damage
  config.steps = 10_000  # total, including those before a restart
  config.batch_size = 8  # examples per step, over all devices and processes
  # Number of parts of a batch that are computed one after the other, if the
  # whole batch does not fit into memory; its gradient is the same.
  config.accumulate = 1
  config.dtype = 'float32'  # compute: 'float32' | 'bfloat16'; weights: float32
  config.max_bad_steps = 10  # non-finite steps in a row that end the run

  config.data = ml_collections.ConfigDict()
  # folder:PATH[,PATH] | pairs:A,B | tfds:NAME | idx:DIR | sample; no default.
  config.data.source = ''
  config.data.validation = 0.2  # share held out by content hash, 0 = none
  config.data.ops = ''  # turn a clean picture into a training example
  config.data.min_size = 32  # px; pictures with a shorter side are left out
  config.data.loader = 'tf'  # tf (tf.data) | threads | processes
  config.data.workers = 0  # examples made in parallel, 0 = one per core
  config.data.cache_mb = 1024  # decoded pictures kept in memory, MiB
  config.data.prefetch = 4  # batches made ahead

  # Weights of losses by name; 0 = not computed. See artjax/losses.
  config.losses = ml_collections.ConfigDict()
  config.losses.l1 = 0.0  # mean absolute error
  config.losses.hole_l1 = 0.0  # l1 of missing pixels, and partly of the rest
  config.losses.hole_psnr = 0.0  # dB below 40 in missing pixels
  config.losses.charbonnier = 0.0  # smooth l1
  config.losses.mse = 0.0  # mean squared error
  config.losses.detail = 0.0  # charbonnier of errors minus their block mean
  config.losses.tone = 0.0  # l1 of the means of blocks: no shift of tones
  config.losses.lab = 0.0  # distance in CIE Lab, over 100
  config.losses.harm = 0.0  # dB by which the result is worse than the input
  config.losses.psnr = 0.0  # dB below 40: relative error
  config.losses.ssim = 0.0  # 1 - SSIM
  config.losses.bce = 0.0  # binary cross-entropy of masks
  config.losses.dice = 0.0  # 1 - soft overlap of masks
  config.losses.ab = 0.0  # a and b of CIE Lab, in its units
  config.losses.perceptual = 0.0  # VGG16 features
  config.losses.lpips = 0.0  # LPIPS
  config.losses.confidence = 0.0  # likelihood of errors, given their scale

  # Options of losses that have some.
  config.loss_options = ml_collections.ConfigDict()
  config.loss_options.bce = ml_collections.ConfigDict()
  config.loss_options.bce.gamma = 0.0  # above 0: focal
  config.loss_options.bce.positive = 1.0  # weight of pixels that are damaged
  config.loss_options.hole_l1 = ml_collections.ConfigDict()
  config.loss_options.hole_l1.known = 0.1  # weight of the known pixels
  config.loss_options.ab = ml_collections.ConfigDict()
  config.loss_options.ab.rare = 0.5  # weight of grey over that of vivid colours
  config.loss_options.lpips = ml_collections.ConfigDict()
  config.loss_options.lpips.net = 'vgg16'  # 'vgg16' | 'alexnet'
  config.loss_options.perceptual = ml_collections.ConfigDict()
  config.loss_options.perceptual.net = 'vgg16'  # 'vgg19:FILE', torchvision's
  config.loss_options.perceptual.distance = 'l1'  # 'l1' | 'mse'
  config.loss_options.perceptual.layers = ml_collections.ConfigDict(
    {
      'conv1_2': 0.1,
      'conv2_2': 0.1,
      'conv3_3': 1.0,
      'conv4_3': 1.0,
      'conv5_3': 1.0,
      'conv3_4': 0.0,
      'conv4_4': 0.0,
      'conv5_4': 0.0,  # only in VGG19
    }
  )  # before activation: weight of each

  # Other weights whose results are matched beside the truth, by a restorer.
  config.teacher = ml_collections.ConfigDict()
  # As for `artjax restore`: a name, a file (.pth too), a workdir; '' = none.
  config.teacher.weights = ''
  config.teacher.loss = 'l1'  # a name of config.losses
  config.teacher.weight = 1.0  # of this loss, in addition to config.losses

  config.optimizer = _optimizer()  # of the generator
  config.ema_decay = 0.999  # of the averaged weights that are evaluated

  # A discriminator that the generator learns to please; none by default.
  config.adversary = ml_collections.ConfigDict()
  config.adversary.name = ''  # '<file>.<class>' in artjax/models, '' = none
  config.adversary.args = ml_collections.ConfigDict()  # its fields
  config.adversary.size = 128  # side of its input, that of the crop, px
  config.adversary.condition = False  # whether it also sees the input
  # 'vanilla' | 'least_squares' | 'hinge' | 'relativistic', see adversarial.py.
  config.adversary.loss = 'vanilla'
  config.adversary.weight = 0.0  # of this loss, in addition to config.losses
  config.adversary.feature_matching = 0.0  # weight of a loss of its features
  config.adversary.r1 = 0.0  # weight of the penalty on its gradient
  config.adversary.optimizer = _optimizer()  # of the discriminator

  # Saving and reporting, in steps.
  config.log_every = 50  # losses, learning rate, norm of the gradient
  # Trackers beside TensorBoard: 'mlflow' | 'wandb', where they are installed.
  config.loggers = ()
  # Steps to trace for TensorBoard, such as '20-25'.
  config.profile_steps = ''
  config.eval_every = 1_000  # also at the end of the run; 0 = never
  config.checkpoint_every = 1_000  # also at the end of the run
  config.keep_checkpoints = 2  # so many of the latest, and the best one
  # The figure that decides which checkpoint is the best; '' = the default of
  # the task's evaluator. It is an error if the evaluator does not measure it.
  config.best_metric = ''
  config.best_mode = ''  # 'max' | 'min'; '' = follows from the figure

  config.eval = ml_collections.ConfigDict()
  config.eval.source = ''  # '' = the held-out part of data.source
  # Further sets of pictures to evaluate, by name: ('films=folder:A', ...).
  config.eval.sets = ()
  config.eval.split = ''  # train | validation | all; '' = fits the source
  config.eval.ops = ''  # turn a picture into an evaluation example
  config.eval.max_pictures = 0  # 0 = all
  config.eval.min_size = 32  # px; pictures with a shorter side are left out
  config.eval.crop = 0  # border left out of every metric, px
  config.eval.threshold = 0.5  # of detect: probability that counts as damaged
  config.eval.self_ensemble = False  # mean over 8 flips and rotations
  config.eval.engine = 'jax'  # what runs the network, see docs/restore.md
  config.eval.worst = 4  # so many of the worst pictures are shown too
  config.eval.panels = 8  # pictures shown in TensorBoard and in the report
  # Metrics, see metrics.py; () = those of the task's evaluator, such as
  # ('psnr_rgb', 'psnr_y', 'ssim_rgb', 'ssim_y', 'lpips', 'mae', 'accuracy').
  config.eval.metrics = ()
  config.eval.baselines = True  # measure methods without training, too
  # The baselines of inpainting, see baselines.py; 'deep_image_prior' takes
  # minutes per picture.
  config.eval.fills = ('telea', 'navier_stokes', 'biharmonic', 'mean_fill')

  # Every eval_every steps a training run evaluates like --mode=evaluate, on the
  # same pictures. These three fields can save time there.
  config.eval.training_pictures = 0  # at most so many, 0 = as max_pictures
  config.eval.training_baselines = False  # instead of eval.baselines
  config.eval.training_skip = ('lpips',)  # metrics left out, except best_metric
  return config


def make_quick(config: ml_collections.ConfigDict) -> None:
  """Shortens a run to about one CPU minute on the bundled photographs.

  Changes `config` in place; the size of the network and of the crops is left
  to its own file.
  """
  config.data.source = 'sample'
  config.steps = 20
  config.batch_size = 4
  config.log_every = 5
  config.eval_every = config.checkpoint_every = 10
  config.optimizer.warmup_steps = 5
  config.adversary.optimizer.warmup_steps = 5
  config.ema_decay = 0.9


def _optimizer():
  config = ml_collections.ConfigDict()
  config.name = 'adam'  # 'adam' | 'adamw' | 'lion' | 'muon'
  config.learning_rate = 4e-4  # at its peak
  # What follows the warm-up: 'cosine' | 'constant' | 'wsd', which is constant
  # until its decay, so that a run can be extended from before that.
  config.schedule = 'cosine'
  config.decay_share = 0.2  # of the steps, over which 'wsd' falls linearly
  config.warmup_steps = 200  # linear from 0 to the peak
  config.final_fraction = 0.01  # of the peak, where cosine and wsd end
  config.b1 = 0.9  # decay of the average of gradients
  config.b2 = 0.99  # decay of the average of their squares
  config.weight_decay = 0.0  # of kernels alone; not with adam
  config.clip_norm = 1.0  # of the global gradient, 0 = no clipping
  return config
