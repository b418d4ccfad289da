"""Builds the image of the labs as any host does, and tests the labs in it."""
