"""A published edit request of 2.3 MB: body to bytes."""

from __future__ import annotations

import base64
import json
import os

from pydantic import BaseModel

from bench.measure import Row, compare
from tollbrush.wire import jsonbody, schemas


class Declared(BaseModel):
    """What a framework's body model would be."""

    prompt: str
    image: str


def run() -> list[Row]:
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(1_730_000)
    uri = "data:image/png;base64," + base64.b64encode(picture).decode()
    body = json.dumps({"prompt": "add a hat", "image": uri}).encode()

    def ours() -> bytes:
        return schemas.read_edit(jsonbody.parse(body)).decoded(max_bytes=20 * 2**20).sources[0]

    def theirs() -> bytes:
        declared = Declared.model_validate(json.loads(body))
        return base64.b64decode(declared.image.partition(",")[2], validate=True)

    assert ours() == theirs() == picture
    return [compare("JSON and data URI, 2.3 MB", ours, theirs, peer_name="json, pydantic, base64", calls=3)]
