"""`python -m simulation SEED` tells one history; `python -m simulation FIRST COUNT` runs many on every core.

From tests/, with PYTHONPATH=../src.
"""

from __future__ import annotations

import sys
import time

from simulation.many import histories, surprises
from simulation.world import World


def main(args: list[str]) -> int:
    if len(args) == 2:
        began = time.perf_counter()
        found = histories(int(args[0]), int(args[1]))
        seconds = time.perf_counter() - began
        for seed, wrong in found[:20]:
            print(seed, *wrong, sep="\n  ")
        print(f"{args[1]} histories in {seconds:.1f} s, {len(found)} wrong")
        return bool(found)
    world = World(int(args[0]), tell=True)
    with surprises() as seen:
        wrong = world.run() + seen
    print(*world.story.lines, *wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
