"""tollbrush: pay-per-edit image editing over x402, on Base and on Solana."""

__version__ = "0.1.0"
