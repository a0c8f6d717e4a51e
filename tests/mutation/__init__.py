"""Breaks the heart of the engine on purpose, one small change at a time, and asks which tests notice."""
