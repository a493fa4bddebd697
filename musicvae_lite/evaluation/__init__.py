"""How good a model is: one metric, one function of arrays, {name: score} out. An undefined score is NaN."""
