"""Painted by rule: backdrops, another sky, weather."""
