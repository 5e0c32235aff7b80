"""Many GPUs: the diffusion engine as an application of Ray Serve, and the gateway's way to it.

    gateway: engine ─ proxy ══ HTTP, framed msgpack ══ Serve's proxy ─ replica ─ Models      (ADR 16)

The gateway's half imports neither Ray nor torch.
"""
