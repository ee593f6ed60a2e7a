"""Collections of pictures with random access, checked before a run starts.

  folder:PATH[,PATH...]     all JPEG, PNG, TIFF and WebP files below folders
  pairs:TARGETS,INPUTS      two folders, matched by path without suffix, or
                            patterns such as HR/*_HR.png, matched by path and
                            the text that the asterisk stands for
  tfds:NAME[:VERSION][@DATA_DIR][:SPLIT]
                            feature 'image' of a TFDS dataset prepared as
                            array_record; SPLIT in TFDS's syntax, 'train'
  tfds:ImageFolder@PATH[:SPLIT]
                            PATH/SPLIT/CLASS/picture.jpg, with labels
  idx:DIR[:test]            training or test digits of the four idx.gz files in
                            a folder
  sample                    eight photographs that come with scikit-image

`load(spec)` reads and decodes every picture once, in threads. Pictures that
cannot be used are left out, logged with the reason, and listed in
`source.rejected`; `source.provenance` has what `artjax collect` noted of them.
"""

from artjax.data.sources.base import load
from artjax.data.sources.base import parse
from artjax.data.sources.base import part_of
from artjax.data.sources.base import provenance_of
from artjax.data.sources.base import report
from artjax.data.sources.base import Source
from artjax.data.sources.base import split
from artjax.data.sources.decode import Unreadable

__all__ = [
  'Source',
  'Unreadable',
  'load',
  'parse',
  'part_of',
  'provenance_of',
  'report',
  'split',
]
