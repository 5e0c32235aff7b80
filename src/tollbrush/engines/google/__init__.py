"""Google's image models: Nano Banana (Gemini 2.5 Flash Image) and Nano Banana Pro (Gemini 3 Pro Image)."""

from tollbrush.engines.google.engine import GoogleEngine

__all__ = ["GoogleEngine"]
