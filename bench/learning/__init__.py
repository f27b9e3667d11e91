"""Benchmarks of what is learnt, and of models that take the place of others."""
