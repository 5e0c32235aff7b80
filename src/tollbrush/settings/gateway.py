"""What a gateway sells by: the networks that pay it, its doors and its limits."""

from __future__ import annotations

from pydantic import Field, SecretStr

from tollbrush.settings.part import Part


class NetworkSettings(Part):
    """How this gateway takes money on one network, and how this wallet reaches it."""

    pay_to: str = ""
    """Who is paid: an EVM address or a Solana wallet. Empty: the gateway does not offer the network."""
    rpc_url: str = ""
    """JSON-RPC of the chain; empty: the network's public one."""
    settle_key: SecretStr = SecretStr("")
    """Key that pays gas when the gateway settles itself: EVM hex, Solana base58. Or set `facilitator_url`."""
    facilitator_url: str = ""
    """Hosted x402 facilitator that verifies and settles instead of our own key."""
    confirmations: int = Field(default=1, ge=1, le=64)
    """Blocks (EVM) that make a settlement final; Solana: 1 confirmed, more finalized."""


class LimitSettings(Part):
    """What one request may cost us."""

    body_bytes: int = Field(default=64 * 2**20, ge=1)
    """Request body."""
    image_bytes: int = Field(default=20 * 2**20, ge=1)
    """One encoded image."""
    image_pixels: int = Field(default=40_000_000, ge=1)
    """One image, from its header."""
    request_pixels: int = Field(default=80_000_000, ge=1)
    """All images of a request together."""
    header_bytes: int = Field(default=16_384, ge=1)
    """A payment header."""
    open_per_payer: int = Field(default=8, ge=1)
    """Unfinished paid edits of one payer."""
    edits_per_minute: int = Field(default=600, ge=1)
    """Requests of one address to the edit route, a minute."""
    queued_per_engine: int = Field(default=64, ge=0)
    """Paid edits that wait for one engine; beyond it 503."""
    queued: int = Field(default=256, ge=1)
    """Paid edits at hand in all, waiting or at work."""
    body_seconds: float = Field(default=60.0, gt=0)
    """A request body must arrive within this."""
    bodies_bytes: int = Field(default=512 * 2**20, ge=1)
    """Request bodies in memory, all together; beyond it 503."""
    connections: int = Field(default=1024, ge=8)
    """Open at once; beyond it 503, for all but health."""
    head_bytes: int = Field(default=3 * 2**19, ge=1)
    """Request line and headers."""
    header_seconds: float = Field(default=10.0, gt=0)
    """They must arrive within this."""
    idle_seconds: float = Field(default=15.0, gt=0)
    """How long an unused connection stays open."""
    stalled_seconds: float = Field(default=30.0, gt=0)
    """A caller must take something of its response within this."""


class GatewaySettings(Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8401, ge=0, le=65535)
    public_url: str = ""
    """Absolute base of result URLs, for example https://edits.example; empty: the host called, when it is allowed."""
    hosts: tuple[str, ...] = ()
    """Host names answered besides loopback and `public_url`; others get 421."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-* headers are believed."""
    inline_seconds: float = Field(default=30.0, ge=0)
    """An edit that takes longer is answered 202."""
    hard_seconds: float = Field(default=240.0, gt=0, le=500)
    """An edit that takes longer has failed. A payment lives for 600 s from its signature, and must outlive this."""
    grace_seconds: float = Field(default=30.0, ge=0)
    """After SIGTERM, how long running edits may take to finish."""
    lease_seconds: float = Field(default=15.0, ge=1)
    """How long after a crash another process takes over a job."""
    sweep_seconds: float = Field(default=10.0, gt=0)
    """How often unknown settlements, dead jobs and expired results are looked at."""
    uncollected_seconds: float = Field(default=24 * 3600, ge=0)
    """How long a finished, unpaid result waits to be collected."""
    low_settlements: int = Field(default=200, ge=0)
    """`/readyz` warns when the settling account can pay for fewer."""
    metrics_from: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses that may read `/metrics`; others get 404."""
    images_seconds: float = Field(default=30 * 24 * 3600, ge=0)
    """How long a paid result stays hosted; 0 is for ever."""
    limits: LimitSettings = LimitSettings()
