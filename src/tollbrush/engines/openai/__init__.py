"""OpenAI's image models, and whatever speaks their API at another base URL."""

from tollbrush.engines.openai.engine import OpenAIEngine, Served

__all__ = ["OpenAIEngine", "Served"]
