"""What one does with z: draw it, go from one to another, move it until it decodes to a given tune.

Tensors in, tensors out; where a function goes from tunes to tunes, it says so. Everything a user asks for starts from a
posterior's mean or from a draw of the latent density.
"""
