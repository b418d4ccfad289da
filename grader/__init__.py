"""The engine: manifest, release, judge, boxes and records. It knows no course by name."""
