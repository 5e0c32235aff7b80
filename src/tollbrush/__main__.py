"""`python -m tollbrush`."""

from tollbrush.cli import main

main()
