"""Trends for officials: what is rising, where and why, every number with its cases."""
