"""The embedded engine: prompt → plan (words) → operations (pixels), in worker processes."""
