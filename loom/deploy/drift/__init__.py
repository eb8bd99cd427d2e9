"""Drift: two profiles compared by meaning, and what programs run compared with what was rendered."""
