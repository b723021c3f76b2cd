"""Metrics, intervals and rankings for health-AI challenges; stands alone on numpy and scipy."""
