"""A user's notes on PyTorch as tests: each example runs in minitorch and in torch and must come out the same.

One file a topic. A test's program takes the package, so that the very same lines run in both libraries
(tests/harness/both.py). Where notes of this kind print a result that does not depend on chance, the test states
that text, too; where they were written for an older torch, torch 2.13 is right and a comment says what changed.
"""
