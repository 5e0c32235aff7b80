"""How good the studio's pixels are, measured: cut-outs, mattes, fills, and what must stay as it was."""
