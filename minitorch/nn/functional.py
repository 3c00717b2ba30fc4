"""``nn.functional``: the layers' mathematics as plain functions; re-exports from ``ops``, no logic."""

# ruff: noqa: I001 (the blocks follow the families, not the alphabet)

# activations: ops/activation.py

# convolution and pooling: ops/conv2d.py, ops/max_pool2d.py, …

# linear and embedding: ops/linear.py

# normalisation and dropout: ops/batch_norm.py, ops/dropout.py

# softmax and losses: ops/softmax.py, ops/nll_loss.py, ops/cross_entropy.py, ops/mse_loss.py
