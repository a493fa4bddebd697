"""A trained model at work, in NumPy alone: tokens → (μ, σ), z → tokens, and the gradient of what is said of z's logits.

codec.py     what a model can do for those who use it, whatever computes it: arrays in, arrays out
config.py    the sizes of a model                stored.py   a model's file → arrays and what is known about it
runtime.py   the model from its arrays           encoder.py decoder.py ensemble.py conductor.py   its parts
playing.py   decoding, a step after the other    grammar.py    what may follow what
lstm.py      the recurrence, forwards and back   positions.py  places in the meter, and their views of z
density.py   where the z of a corpus lie         noise.py      z that is known only roughly

Loading torch takes longer than everything that is done here, so nothing here needs it. `model/` has the same network to
be trained; tests hold the two equal, to the token.
"""
