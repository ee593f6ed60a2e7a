"""Parts of Deep Image Prior: the fit, and the area that it is fitted to."""
