"""The simulator refuses what Google documents as wrong: a test that passes against it says something."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from starlette.testclient import TestClient

from support.google_simulator import FLASH, KEY, PRO, create_simulator
from support.pictures import photo

BLOB = {"mimeType": "image/png", "data": base64.b64encode(photo(32, 32)).decode()}
PARTS: list[dict[str, Any]] = [{"text": "a hat"}, {"inlineData": BLOB}]


@pytest.fixture(scope="module")
def upstream() -> TestClient:
    return TestClient(create_simulator())


def ask(upstream: TestClient, body: Any, model: str = FLASH, key: str | None = KEY) -> tuple[int, str]:
    headers = {} if key is None else {"x-goog-api-key": key}
    answer = upstream.post(f"/v1beta/models/{model}:generateContent", json=body, headers=headers)
    return answer.status_code, answer.json().get("error", {}).get("status", "")


def with_parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [{"parts": list(parts)}]}


def with_config(**config: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": PARTS}], "generationConfig": config}


SNAKE = {
    "contents": [{"parts": [{"text": "a"}, {"inline_data": {"mime_type": "image/png", "data": BLOB["data"]}}]}],
    "generation_config": {"response_modalities": ["IMAGE"], "image_config": {"aspect_ratio": "16:9"}},
}


@pytest.mark.parametrize(
    ("body", "model"),
    [(with_parts(*PARTS), FLASH), (SNAKE, FLASH), (with_parts({"text": "no picture at all"}), FLASH),
     (with_config(imageConfig={"imageSize": "2K"}, responseModalities=["TEXT", "IMAGE"], seed=4, topP=1), PRO)],
)  # fmt: skip
def test_what_is_documented_is_taken(upstream: TestClient, body: Any, model: str) -> None:
    assert ask(upstream, body, model) == (200, "")


@pytest.mark.parametrize(
    ("body", "model"),
    [({}, FLASH), ({"contents": []}, FLASH), ([], FLASH), ({"prompt": "a hat"}, FLASH),
     ({"contents": [{"role": "system", "parts": PARTS}]}, FLASH),
     (with_parts({"inlineData": BLOB}), FLASH),
     (with_parts({"text": "a", "inlineData": BLOB}), FLASH),
     (with_parts({"text": 7}, {"inlineData": BLOB}), FLASH),
     (with_parts({"text": "a"}, {"inline_data": {"mimetype": "image/png", "data": ""}}), FLASH),
     (with_parts({"text": "a"}, {"inlineData": BLOB | {"mimeType": "image/tiff"}}), FLASH),
     (with_parts({"text": "a"}, {"inlineData": BLOB | {"mimeType": "image/jpeg"}}), FLASH),
     (with_parts({"text": "a"}, {"inlineData": BLOB | {"data": "%%"}}), FLASH),
     (with_parts({"text": "a"}, *[{"inlineData": BLOB}] * 4), FLASH),
     (with_parts({"text": "a"}, *[{"inlineData": BLOB}] * 15), PRO),
     (with_config(responseModalities=["TEXT"]), FLASH),
     (with_config(responseModalities=["image"]), FLASH),
     (with_config(responseModalities="IMAGE"), FLASH),
     (with_config(imageConfig={"aspectRatio": "7:5"}), FLASH),
     (with_config(imageConfig={"imageSize": "1K"}), FLASH),
     (with_config(imageConfig={"imageSize": "4k"}), PRO),
     (with_config(imageConfig={"size": "1024x1024"}), PRO),
     (with_config(imageConfig={"aspectRatio": "1:1", "aspect_ratio": "1:1"}), PRO),
     (with_config(candidateCount=2), FLASH),
     (with_config(seed="4"), FLASH),
     (with_config(n=2), FLASH)],
)  # fmt: skip
def test_what_is_not_is_refused(upstream: TestClient, body: Any, model: str) -> None:
    assert ask(upstream, body, model) == (400, "INVALID_ARGUMENT")


def test_keys_and_models(upstream: TestClient) -> None:
    good = with_parts(*PARTS)
    assert ask(upstream, good, key=None) == (403, "PERMISSION_DENIED")
    assert ask(upstream, good, key="AIza-other") == (400, "INVALID_ARGUMENT")
    assert ask(upstream, good, "gemini-2.5-flash") == (404, "NOT_FOUND")
    assert ask(upstream, {"contents": "x" * 21 * 2**20}) == (400, "INVALID_ARGUMENT")
