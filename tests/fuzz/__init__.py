"""Fuzzing of the importers."""
