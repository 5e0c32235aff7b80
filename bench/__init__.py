"""Benchmarks: ours against a peer, interleaved in one process, in CPU time. `python -m bench [NAME…]`."""
