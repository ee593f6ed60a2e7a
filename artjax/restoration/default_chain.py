"""The chain of weights that runs by default.

Damage is found, what is opaque or thin is filled, then noise, blur, stains and
what is left of cracks are removed, and at last the tones of the whole picture
are corrected.
"""

WEIGHTS = 'detect,inpaint,structure,tone'
