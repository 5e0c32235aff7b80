"""Settings: the only reader of the environment and of TOML files.

Order: arguments > environment (`TOLLBRUSH_…`, nested with `__`) > `./tollbrush.toml` > the user's `config.toml`.
A network's settings are keyed by its v1 name: `TOLLBRUSH_NETWORKS__BASE_SEPOLIA__PAY_TO=0x…`.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tollbrush.settings.engines import (
    DiffusionSettings,
    EngineSettings,
    GoogleSettings,
    ModelSettings,
    OpenAISettings,
    RaySettings,
    StudioSettings,
    UpstreamSettings,
    WeightsSettings,
)
from tollbrush.settings.gateway import GatewaySettings, LimitSettings, NetworkSettings
from tollbrush.settings.router import RouterSettings, SpendingSettings, WalletSettings

__all__ = [
    "DiffusionSettings",
    "EngineSettings",
    "GatewaySettings",
    "GoogleSettings",
    "LimitSettings",
    "ModelSettings",
    "NetworkSettings",
    "OpenAISettings",
    "RaySettings",
    "RouterSettings",
    "Settings",
    "SpendingSettings",
    "StudioSettings",
    "UpstreamSettings",
    "WalletSettings",
    "WeightsSettings",
]

USER_CONFIG = Path(platformdirs.user_config_dir("tollbrush")) / "config.toml"


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
