"""Settings: the only reader of the environment and of TOML files.

Order: arguments > environment (`TOLLBRUSH_…`, nested with `__`) > `./tollbrush.toml` > the user's `config.toml`.
A network's settings are keyed by its v1 name: `TOLLBRUSH_NETWORKS__BASE_SEPOLIA__PAY_TO=0x…`.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

USER_CONFIG = Path(platformdirs.user_config_dir("tollbrush")) / "config.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkSettings(_Part):
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


class LimitSettings(_Part):
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


class GatewaySettings(_Part):
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


class UpstreamSettings(_Part):
    """One server that speaks OpenAI's image API. What is left out is as its profile says."""

    url: str
    """Up to and with its version: http://127.0.0.1:8000/v1."""
    api_key: SecretStr = SecretStr("")
    profile: Literal["openai", "vllm-omni", "sdcpp", "sglang", "localai", "generic"] = "generic"
    """What kind of server it is: which fields it reads, and how it takes a mask."""
    model: str = ""
    """Its own name for the model; empty: the model's."""
    mask: bool | None = None
    """Whether it honours masks."""
    sizes: tuple[str, ...] | None = None
    """The only sizes that it works at; empty: any."""
    most: int | None = Field(default=None, ge=1, le=10)
    """Pictures that it makes in one answer; more are asked for one by one."""
    max_sources: int | None = Field(default=None, ge=1, le=16)
    width: int = Field(default=16, ge=1, le=1024)
    """Edits that it works on at a time."""
    price: Decimal | None = Field(default=None, ge=0)
    """Dollars that a picture costs here; it gets none that was sold for less."""


class OpenAISettings(_Part):
    api_key: SecretStr = SecretStr("")
    base_url: str = "https://api.openai.com/v1"
    quality: Literal["low", "medium", "high", "auto"] = "low"
    """What the catalog's base prices cover, and the best that a caller may ask for; raise `prices` with it."""
    input_fidelity: Literal["", "low", "high"] = ""
    """How closely gpt-image-1 keeps to faces and details; high costs more. Empty: not said."""
    previews: int = Field(default=1, ge=0, le=3)
    """Unfinished pictures of each image that the base prices cover: OpenAI bills each as 100 output tokens."""
    timeout_seconds: float = Field(default=200.0, gt=0)
    upstreams: tuple[UpstreamSettings, ...] = ()
    """Servers of OpenAI's models, instead of `base_url` with `api_key`."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further tries of a request that no upstream worked on."""
    patience_seconds: float = Field(default=20.0, ge=0)
    """The longest wait for an upstream that says when it will take the next request."""
    stalled_seconds: float = Field(default=30.0, gt=0)
    """An answer that has begun must go on within this."""
    health_seconds: float = Field(default=30.0, ge=0)
    """How often upstreams are asked whether they are well; 0: never."""

    def common(self) -> tuple[UpstreamSettings, ...]:
        """Where OpenAI's own models are served: nowhere without a key or a list."""
        if self.upstreams or not self.api_key.get_secret_value():
            return self.upstreams
        return (UpstreamSettings(url=self.base_url, api_key=self.api_key, profile="openai", width=64),)


class WeightsSettings(_Part):
    """An open model for this machine's own GPUs, and how it is run. What is left out is as its family does it."""

    source: str
    """A hub id, OWNER/NAME, or a folder in diffusers' layout."""
    revision: str = ""
    """The commit of a hub id; empty: the one that `tollbrush models pull` found."""
    pipeline: str = ""
    """diffusers' class, where its `model_index.json` must not decide."""
    variant: str = ""
    """Which files: fp16 reads `*.fp16.safetensors`."""
    steps: int | None = Field(default=None, ge=1, le=200)
    guidance: float | None = Field(default=None, ge=0, le=100)
    strength: float | None = Field(default=None, gt=0, le=1)
    """How much of the picture is painted anew, where the family takes it."""
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    pixels: int | None = Field(default=None, ge=4096)
    """The largest area it works at; what is larger is made at that area and enlarged."""
    batch: int = Field(default=1, ge=1, le=16)
    """Pictures made together; 1 is exact to the bit."""
    offload: bool = False
    """Weights wait in main memory, for a GPU that cannot hold them all."""


class ModelSettings(_Part):
    """A model of one's own, sold under a name of one's choice: what a server that speaks OpenAI's image API serves, or
    open weights on this machine's GPUs."""

    engine: Literal["openai", "diffusion"] = "openai"
    upstream: str = ""
    """The servers' name for it; empty: the part of its id after the slash."""
    sizes: dict[str, Annotated[Decimal, Field(gt=0)]]
    """Size → base price in dollars."""
    licence: str
    """Under which its weights and results are sold, for all to read."""
    name: str = ""
    description: str = ""
    mask: bool = False
    max_sources: int = Field(default=1, ge=1, le=16)
    aliases: tuple[str, ...] = ()
    upstreams: tuple[UpstreamSettings, ...] = ()
    """Where it is served; empty: where OpenAI's models are."""
    weights: WeightsSettings | None = None
    """With `engine = "diffusion"`: what is run."""


class GoogleSettings(_Part):
    api_key: SecretStr = SecretStr("")
    base_url: str = "https://generativelanguage.googleapis.com/v1beta"
    timeout_seconds: float = Field(default=200.0, gt=0)


class StudioSettings(_Part):
    enabled: bool = True
    workers: int = Field(default=2, ge=1, le=64)
    """Processes that edit."""
    timeout_seconds: float = Field(default=25.0, gt=0)


class DiffusionSettings(_Part):
    """Open models on this machine's own GPUs."""

    enabled: bool = False
    """Sell them. Models of one's own with `engine = "diffusion"` are sold without it too."""
    models: tuple[str, ...] = ()
    """The built-in ones for sale: `tollbrush models list`; empty: black-forest-labs/flux.2-klein-4b, when enabled."""
    revisions: dict[str, str] = {}
    """Built-in model → commit; others are what `tollbrush models pull` found."""
    devices: tuple[str, ...] = ()
    """A worker process for each, as torch names them: cuda:0, cuda:1, mps, cpu. Empty: the first GPU."""
    load: Literal["start", "first-use"] = "start"
    """When weights are read."""
    cache: Path | None = None
    """The hub cache; empty: where Hugging Face's tools keep it."""
    offline: bool = False
    """Never ask the hub: only what the cache holds."""
    token: SecretStr = SecretStr("")
    """Of Hugging Face, for models that ask for an agreement."""
    timeout_seconds: float = Field(default=200.0, gt=0)
    """For one picture."""
    stalled_seconds: float = Field(default=300.0, gt=0)
    """A worker at work that says nothing for longer is replaced."""
    memory: float | None = Field(default=None, gt=0)
    """GiB of each device for all models' weights, on a CPU too; empty: what a GPU has free, less a part for the work.
    A model that does not fit beside the others takes the place of the one used longest ago."""
    compile: bool = True
    beside: bool = True
    """Reading a request and decoding another while a third one is made."""
    fp8: bool = False
    """Faster on some GPUs, and not the same pixels: look at its results first."""
    attention: str = ""
    """diffusers' name of an attention backend; empty: the best one present."""


class RaySettings(_Part):
    """The diffusion engine on a Ray cluster: how a gateway reaches it, and how `tollbrush ray deploy` sets it up."""

    addresses: tuple[str, ...] = ()
    """ray://HOST:PORT of Serve's HTTP proxies, in a private network; empty: models run on this machine."""
    secret: SecretStr = SecretStr("")
    """What the gateway shows the cluster, the same on both; empty: whoever reaches the proxies may use them."""
    width: int = Field(default=64, ge=1, le=4096)
    """Edits asked for at a time; more than the cluster does at once, so that it sees a queue and grows."""
    timeout_seconds: float = Field(default=200.0, gt=0)
    """For one picture, waiting in the cluster included."""
    stalled_seconds: float = Field(default=30.0, gt=0)
    """A replica at work that says nothing for longer is given up."""
    health_seconds: float = Field(default=15.0, ge=0)
    """How often the proxies are asked whether they are well; 0: never."""
    replicas: int = Field(default=1, ge=0)
    """Copies of the engine at least; 0 frees every GPU when there is nothing to do."""
    most_replicas: int = Field(default=1, ge=1)
    """Copies of the engine at most."""
    ongoing: float = Field(default=2.0, gt=0)
    """Edits at hand for each copy, queued ones included, that the cluster grows and shrinks to."""
    most_ongoing: int = Field(default=4, ge=1)
    """Edits that one copy accepts at a time."""
    queued: int = Field(default=256, ge=1)
    """Edits that wait at one proxy; beyond it 503."""
    gpus: float = Field(default=1.0, ge=0)
    """Of each copy; 0 runs on the CPU."""
    cpus: float = Field(default=1.0, ge=0)
    models_per_replica: int = Field(default=0, ge=0)
    """Models in one GPU's memory; the least recently used goes first. 0: as many as fit."""
    idle_seconds: float = Field(default=600.0, ge=0)
    """How long a copy too many is kept."""
    drain_seconds: float = Field(default=240.0, ge=0)
    """How long a copy that is replaced may take to finish its edits."""


class EngineSettings(_Part):
    openai: OpenAISettings = OpenAISettings()
    google: GoogleSettings = GoogleSettings()
    studio: StudioSettings = StudioSettings()
    diffusion: DiffusionSettings = DiffusionSettings()
    ray: RaySettings = RaySettings()


class SpendingSettings(_Part):
    """Caps in dollars, enforced before signing."""

    per_call: Decimal = Decimal("0.50")
    per_hour: Decimal = Decimal("5")
    per_day: Decimal = Decimal("20")
    lifetime: Decimal = Decimal("200")
    confirm_above: Decimal = Decimal("0.10")
    """A terminal asks before spending more than this."""


class RouterSettings(_Part):
    host: str = "127.0.0.1"
    port: int = Field(default=8402, ge=0, le=65535)
    gateway_url: str = "http://127.0.0.1:8401"
    gateways: dict[str, str] = {}
    """More gateways to buy from, name → URL; with any here, `gateway_url` counts only when it is set too."""
    gateway: str = ""
    """The name of the one to buy from; empty: whichever quotes the lowest price. A request may name another."""
    network: str = ""
    """Network to pay on, v1 name or CAIP-2 id; empty: the first offered one that is configured and funded."""
    allowed_roots: tuple[Path, ...] = ()
    """Folders whose images may be read; empty: home, the working folder and the temporary folder."""
    extra_hosts: tuple[str, ...] = ()
    """host:port that may be fetched from although it is not a public address."""
    pay_to: tuple[str, ...] = ()
    """Recipients this wallet may pay; empty: each gateway's are pinned on first use."""
    quota_bytes: int = 2 * 2**30
    """Saved results kept; the oldest go first."""
    spending: SpendingSettings = SpendingSettings()


class WalletSettings(_Part):
    mnemonic: SecretStr = SecretStr("")
    """BIP-39 words; they win over any stored wallet."""
    evm_key: SecretStr = SecretStr("")
    solana_key: SecretStr = SecretStr("")
    passphrase: SecretStr = SecretStr("")
    """Opens the encrypted keystore."""
    store: str = "plain"
    """Where `wallet new` keeps the words: plain (file, mode 0600), keystore (scrypt) or keyring."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="TOLLBRUSH_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=None
    )

    data_dir: Path = Path(platformdirs.user_data_dir("tollbrush"))
    """All state: database, pictures, wallet, history."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    margin: Decimal = Field(default=Decimal("0.05"), ge=0, le=10)
    """Added to every base price: 0.05 is 5 %."""
    prices: dict[str, dict[str, Annotated[Decimal, Field(gt=0)]]] = {}
    """Base prices in dollars that replace the catalog's: model id → size → price."""
    models: dict[str, ModelSettings] = {}
    """Models of one's own, by id: `[models."acme/qwen-edit"]`."""
    disabled_models: tuple[str, ...] = ()
    """Models not for sale here."""
    licensed: tuple[str, ...] = ()
    """Models for sale although their public licence forbids it, because you hold another of their owner's."""
    stand_in: bool = False
    """Test networks only: the studio answers for openai/gpt-image-1 at its price, and says so."""
    networks: dict[str, NetworkSettings] = {}
    gateway: GatewaySettings = GatewaySettings()
    engines: EngineSettings = EngineSettings()
    router: RouterSettings = RouterSettings()
    wallet: WalletSettings = WalletSettings()

    @field_validator("networks", mode="before")
    @classmethod
    def _network_names(cls, value: Any) -> Any:
        # Environment variables cannot hold a dash: BASE_SEPOLIA means base-sepolia.
        if isinstance(value, dict):
            return {str(k).lower().replace("_", "-"): v for k, v in value.items()}
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        project = TomlConfigSettingsSource(settings_cls, Path("tollbrush.toml"))
        user = TomlConfigSettingsSource(settings_cls, USER_CONFIG)
        return (init_settings, env_settings, project, user)
