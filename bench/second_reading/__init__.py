"""Learn the studio's second reading: `python -m bench.second_reading`."""
