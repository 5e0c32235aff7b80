"""What edits are made by, and the models of one's own that they serve."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from tollbrush.settings.part import Part


class UpstreamSettings(Part):
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


class OpenAISettings(Part):
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


class WeightsSettings(Part):
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


class ModelSettings(Part):
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


class GoogleSettings(Part):
    api_key: SecretStr = SecretStr("")
    base_url: str = "https://generativelanguage.googleapis.com/v1beta"
    timeout_seconds: float = Field(default=200.0, gt=0)


class StudioSettings(Part):
    enabled: bool = True
    workers: int = Field(default=2, ge=1, le=64)
    """Processes that edit."""
    timeout_seconds: float = Field(default=25.0, gt=0)


class DiffusionSettings(Part):
    """Open models on this machine's own GPUs."""

    enabled: bool = False
    """Sell them. Models of one's own with `engine = "diffusion"` are sold without it too."""
    models: tuple[str, ...] = ()
    """The built-in ones for sale: `tollbrush models list`; empty: black-forest-labs/flux.2-klein-4b, when enabled."""
    revisions: dict[str, str] = Field(default={})
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
    warm_up_seconds: float = Field(default=600.0, gt=0)
    """An edit of a GPU's warm-up that takes longer hangs: its process is replaced by one that tries less."""
    fp8: bool = False
    """Faster on some GPUs, and not the same pixels: look at its results first."""
    attention: str = ""
    """diffusers' name of an attention backend; empty: the best one present."""


class RaySettings(Part):
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


class EngineSettings(Part):
    openai: OpenAISettings = OpenAISettings()
    google: GoogleSettings = GoogleSettings()
    studio: StudioSettings = StudioSettings()
    diffusion: DiffusionSettings = DiffusionSettings()
    ray: RaySettings = RaySettings()
