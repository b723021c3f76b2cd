"""Plots as data and SVG: `data(...)` gives frozen values, `svg(data, text)` draws them with classes."""
