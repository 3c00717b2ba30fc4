"""The textbook definition of each operation, forward and gradient, one element at a time.

Read a file here to learn what an operation *is*; read its namesake in `minitorch/ops` to learn how
it is computed fast. A test holds every fast version to the definition in this folder.

Three rules keep the definitions easy to trust:

* plain Python loops over single numbers, with NumPy arrays only as the container of those numbers;
* arrays are float64 (class indices and flat positions: int64); nothing a caller passes in is changed;
* `<name>(...)` is the operation and `<name>_gradient(grad_output, ...)` its gradient: given
  ∂loss/∂output it returns ∂loss/∂input, one array for each differentiable input.

Pairs such as `stride` are always given as tuples `(height, width)`; checking a caller's arguments
is the library's business, not the definition's.
"""
