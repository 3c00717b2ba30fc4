"""Tests of the training programs in benchmarks/programs."""
