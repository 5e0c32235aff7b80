"""Unfinished pictures: latents made small, then decoded. About a sixteenth of a full decode at 1024²."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tollbrush.engines.interface import Pixels


SIDE: Final = 256
"""Of an unfinished picture, at most."""


def picture(pipe: Any, form: str, latents: Any, index: int, shape: float) -> Pixels:
    """`latents`: clean, of a batch, as the pipeline steps them; `form` is the adapter's; `shape`: height by width of
    what is made. H×W×3."""
    import torch

    one = _unpacked(pipe, form, latents[index : index + 1].float(), shape)
    scale = min(1.0, SIDE / (max(one.shape[-2:]) * pipe.vae_scale_factor))
    rows, columns = (max(1, round(side * scale)) for side in one.shape[-2:])
    small = torch.nn.functional.interpolate(one, size=(rows, columns), mode="area").to(pipe.vae.dtype)
    with torch.no_grad():
        if form == "qwen":
            decoded = pipe.vae.decode(small.unsqueeze(2), return_dict=False)[0][:, :, 0]
        else:
            decoded = pipe.vae.decode(small, return_dict=False)[0]
    pixels: Pixels = to_bytes(decoded / 2 + 0.5)[0].cpu().numpy()
    return pixels


def to_bytes(images: Any) -> Any:
    """B×3×H×W in 0…1 to B×H×W×3 uint8, where it is: only bytes travel from a GPU."""
    import torch

    return (images.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _unpacked(pipe: Any, form: str, latents: Any, shape: float) -> Any:
    """1×C×h×w, scaled as the VAE decodes them."""
    import torch

    config = pipe.vae.config
    if form == "spatial":
        return _scaled(config, latents)
    rows, columns = _grid(latents.shape[1], shape)
    if form == "flux2":
        norm = pipe.vae.bn
        grid = latents.permute(0, 2, 1).reshape(1, latents.shape[2], rows, columns)
        spread = torch.sqrt(norm.running_var.view(1, -1, 1, 1).float() + config.batch_norm_eps)
        return pipe._unpatchify_latents(grid * spread + norm.running_mean.view(1, -1, 1, 1).float())
    factor = pipe.vae_scale_factor * 2
    unpacked = pipe._unpack_latents(latents, rows * factor, columns * factor, pipe.vae_scale_factor)
    if form == "packed":
        return _scaled(config, unpacked)
    mean, spread = (torch.tensor(values, device=latents.device) for values in (config.latents_mean, config.latents_std))
    return unpacked[:, :, 0] * spread.view(1, -1, 1, 1) + mean.view(1, -1, 1, 1)


def _scaled(config: Any, latents: Any) -> Any:
    return latents / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)


def _grid(tokens: int, shape: float) -> tuple[int, int]:
    """Rows and columns of so many tokens, nearest to `shape`."""
    target = (tokens * shape) ** 0.5
    rows = min((r for r in range(1, tokens + 1) if tokens % r == 0), key=lambda r: abs(r - target))
    return rows, tokens // rows
