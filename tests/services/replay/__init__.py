"""Tests of living recorded tickets again."""
