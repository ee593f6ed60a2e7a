"""The chain of weights that runs by default.

It finds damage, fills what is opaque or thin, undoes stains, removes noise,
blur and remaining cracks, and finally corrects the tones of the whole picture.
"""

WEIGHTS = 'detect,inpaint,stains,structure,tone'
