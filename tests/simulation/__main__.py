"""`python -m simulation SEED` tells one history; `python -m simulation FIRST COUNT` runs many on every core.

From tests/, with PYTHONPATH=../src.
"""

from __future__ import annotations

import sys

from simulation.many import histories, surprises
from simulation.world import World


def main(args: list[str]) -> int:
    if len(args) == 2:
        tally = histories(int(args[0]), int(args[1]))
        for seed, wrong in tally.found[:20]:
            print(seed, *wrong, sep="\n  ")
        print(tally)
        return bool(tally.found)
    world = World(int(args[0]), tell=True)
    with surprises() as seen:
        wrong = world.run() + seen
    print(*world.story.lines, *wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
