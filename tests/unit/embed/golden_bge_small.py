"""Writes golden_bge_small.json: vectors of the packaged model, made without vstash's own code.

Run it from the repository's root: python tests/unit/embed/golden_bge_small.py
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

FOLDER = Path("vstash/models/bge-small-en-v1.5")
TARGET = Path(__file__).with_name("golden_bge_small.json")
TEXTS = (
    "a",
    "?",
    "How do I rotate the signing key of a web token?",
    "The kettle boils at 93 degrees in Quito, because the air is thin there.",
    "def add(left: int, right: int) -> int:\n    return left + right  # wraps nowhere\n",
    "SELECT name, COUNT(*) FROM orders WHERE created_at >= '2024-01-01' GROUP BY name;",
    "Crème brûlée, naïve façade, Łódź, Ελλάδα, Привет",
    "東京は日本の首都です。 🚀 emoji and 漢字 mixed",
    "ERR_CONNECTION_RESET at 0x7ffde4b0: https://example.org/a/b?c=d#e",
    " ".join(
        f"Paragraph {number} tells how the {animal} crossed river number {number * 7}."
        for number, animal in enumerate(["otter", "heron", "badger", "fox"] * 20)
    ),
)


def vectors(texts: tuple[str, ...]) -> list[list[float]]:
    """The first token's last hidden state, scaled to length 1, one text a run."""
    onnxruntime: Any = import_module("onnxruntime")
    session = onnxruntime.InferenceSession(
        str(FOLDER / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    rows = []
    for text in texts:
        encoding = tokenizer.encode(text)
        feed = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
        }
        row = session.run(["last_hidden_state"], feed)[0][0, 0]
        rows.append([round(float(value), 4) for value in row / np.linalg.norm(row)])
    return rows


def main() -> None:
    """Write the file."""
    lines = [
        json.dumps({"text": text, "vector": vector}, ensure_ascii=True)
        for text, vector in zip(TEXTS, vectors(TEXTS), strict=True)
    ]
    TARGET.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
