"""What one does with z: draw it, go from one to another, move it until it decodes to a given tune.

Arrays in, arrays out, by a model that is a `Codec`, whatever computes it; where a function goes from tunes to tunes, it
says so. Everything a user asks for starts from a posterior's mean or from a draw of the latent density.
"""
