"""What every room of the studio works with: light, palettes, regions, cuts, compiled loops."""
