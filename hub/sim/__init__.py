"""Simulated channels: real servers that speak as the outside does, for tests and demonstrations."""
