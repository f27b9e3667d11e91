"""An embedding model run by ONNX Runtime, on this machine and from local files only.

ONNX Runtime is imported when the first text is embedded: it takes longer to load than vstash.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash import deadlines
from vstash.embed.description import ModelFolder, read_checked, read_model_folder
from vstash.embed.onnx_file import MalformedOnnxError, has_external_data
from vstash.embed.tokens import ModelTokenizer
from vstash.embed.validate import validated
from vstash.errors import EmbeddingError, ForkedError, ModelInvalidError

if TYPE_CHECKING:
    from vstash.types import FloatArray, ModelInfo

__all__ = ["OnnxEmbedder"]

_INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUTS: Final = ("last_hidden_state", "token_embeddings")
_HIDDEN_RANK: Final = 3
# How soon a model that could not be loaded is tried again.
_RETRY_S: Final = 5.0


class OnnxEmbedder:
    """An `Embedder` over a folder with model.json, model.onnx and tokenizer.json.

    Nothing is loaded before it is needed: `info` reads model.json, `token_offsets` the tokenizer, and
    the first embedding the model. Each text is one run of one thread, with several runs at a time,
    because dynamic int8 models scale their activations over the whole batch: padded batches would
    make a text's vector depend on its neighbours, and are slower for long texts.

    Args:
        folder: The model's folder.
        threads: Runs at a time; 0 means one per core this process may use.

    Raises:
        ModelInvalidError: When a file is missing or the description is malformed.

    Example:
        >>> from vstash.embed.catalogue import packaged_folder
        >>> OnnxEmbedder(packaged_folder("bge-small-en-v1.5")).info.max_tokens
        512
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self._folder = read_model_folder(folder)
        self._threads = threads or _usable_cores()
        # One for each, so that a tokenizer need not wait for the model that `warm` loads.
        self._tokenizer_lock = threading.Lock()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._tokenizer: ModelTokenizer | None = None
        self._session: _Session | None = None
        self._failed: tuple[float, ModelInvalidError] | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def info(self) -> ModelInfo:
        """Name, dimension and digest; costs no model load."""
        return self._folder.info

    def warm(self) -> None:
        """Begin to load the model in a thread; who embeds meanwhile waits for it."""
        # No daemon: a process that ended while ONNX Runtime loads would abort.
        threading.Thread(target=self._try_to_load, name="vstash-warm").start()

    def _try_to_load(self) -> None:
        # The first embedding tries again and tells the error to who asked for it.
        with suppress(ModelInvalidError):
            self._load_session()

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed what is searched for.

        Args:
            texts: Any number of queries; longer ones than the model reads are cut.

        Returns:
            Array of shape (len(texts), dimension), float32, rows of length 1.

        Raises:
            ModelInvalidError: When the model's files are damaged or not a model of this kind.
            EmbeddingError: When the model fails on a text or returns what cannot be stored.
            DeadlineError: When the deadline of the work at hand has passed.
            ForkedError: In a process forked after this object was made.
        """
        return self._embed(self.info.query_prefix, texts)

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed what is searched in; arguments, result and errors as in `embed_queries`."""
        return self._embed(self.info.passage_prefix, texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Cut a text into the model's tokens, special tokens left out.

        Args:
            text: Any text, however long.

        Returns:
            Start and end of each token as character offsets into ``text``, in order; not truncated.

        Raises:
            ModelInvalidError: When the tokenizer's file is damaged.
            ForkedError: In a process forked after this object was made.
        """
        return self._load_tokenizer().offsets(text)

    def _embed(self, prefix: str, texts: Sequence[str]) -> FloatArray:
        dimension = self.info.dimension
        if not texts:
            return np.empty((0, dimension), dtype=np.float32)
        tokenizer, session = self._load_tokenizer(), self._load_session()

        def embed_one(text: str) -> FloatArray:
            deadlines.check()
            return session.run(tokenizer.ids(prefix + text))

        if len(texts) == 1 or self._threads == 1:
            rows = [embed_one(text) for text in texts]
        else:
            # One copy for each: a context is entered by one thread at a time.
            contexts = (copy_context() for _ in texts)
            rows = list(
                self._workers().map(lambda c, text: c.run(embed_one, text), contexts, texts)
            )
        return validated(np.stack(rows), count=len(texts), dimension=dimension)

    def _load_tokenizer(self) -> ModelTokenizer:
        self._refuse_fork()
        if self._tokenizer is None:
            with self._tokenizer_lock:
                if self._tokenizer is None:
                    self._tokenizer = ModelTokenizer(self._folder)
        return self._tokenizer

    def _load_session(self) -> _Session:
        self._refuse_fork()
        if self._session is None:
            with self._lock:
                if self._session is None:
                    self._session = self._loaded()
        return self._session

    def _loaded(self) -> _Session:
        # To read and hash a file that is damaged takes as long as one that is not, and every search
        # that goes on without the model would pay it.
        if self._failed is not None and time.monotonic() < self._failed[0]:
            raise ModelInvalidError(
                self._failed[1].message, local_detail=self._failed[1].local_detail
            )
        try:
            return _Session(self._folder)
        except ModelInvalidError as error:
            self._failed = (time.monotonic() + _RETRY_S, error)
            raise

    def _workers(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="vstash-embed")
            return self._pool

    def _refuse_fork(self) -> None:
        # A fork copies no threads and may copy a held lock: waiting for either would never end.
        if os.getpid() != self._pid:
            raise ForkedError(
                "The embedding model was opened before this process was forked: open it again here."
            )


class _Session:
    """A loaded model: token numbers in, one pooled vector out, from any thread."""

    def __init__(self, folder: ModelFolder) -> None:
        self._info = folder.info
        self._path = folder.path / "model.onnx"
        content = read_checked(folder, "model.onnx")
        try:
            external = has_external_data(content)
        except MalformedOnnxError as error:
            raise self._invalid("is not an ONNX file", str(error)) from error
        if external:
            raise self._invalid("keeps its weights in other files, and must hold them itself")
        self._failures = _runtime_errors()
        self._session = self._open(content)
        self._inputs = self._check_inputs()
        self._output = self._check_output()

    def run(self, ids: Sequence[int]) -> FloatArray:
        row = np.array([ids], dtype=np.int64)
        values = {
            "input_ids": row,
            "attention_mask": np.ones_like(row),
            "token_type_ids": np.zeros_like(row),
        }
        feed = {name: values[name] for name in self._inputs}
        try:
            hidden: FloatArray = self._session.run([self._output], feed)[0]
        except self._failures as error:
            raise EmbeddingError(
                "The embedding model failed on a text: check that `max_tokens` in its model.json is "
                "not above what the model reads.",
                local_detail=f"{self._path}: {error}",
            ) from error
        if hidden.shape != (1, len(ids), self._info.dimension):
            raise EmbeddingError(
                f"The embedding model returned an array of shape {hidden.shape} for {len(ids)} "
                f"tokens where one vector of {self._info.dimension} values for each was expected."
            )
        # One text a run means no padding, so the mean over the attention mask is the plain mean.
        vector: FloatArray = hidden[0, 0] if self._info.pooling == "cls" else hidden[0].mean(axis=0)
        return vector

    def _open(self, content: bytes) -> Any:
        onnxruntime: Any = import_module("onnxruntime")
        onnxruntime.disable_telemetry_events()  # builds for Windows would send some
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A plan would be kept for every length of text. Without: 88 MB for two runs at a time
        # instead of 106, at the same speed. (Without the arena: 190. With a shrinking arena: 490.)
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                content, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except self._failures as error:
            raise self._invalid("cannot be loaded by ONNX Runtime", str(error)) from error

    def _check_inputs(self) -> tuple[str, ...]:
        names = tuple(item.name for item in self._session.get_inputs())
        if "input_ids" not in names or not set(names) <= set(_INPUTS):
            raise self._invalid(f"must have inputs among {', '.join(_INPUTS)}", f"has {names}")
        types = {item.type for item in self._session.get_inputs()}
        if types != {"tensor(int64)"}:
            raise self._invalid("must have int64 inputs", f"has {types}")
        return names

    def _check_output(self) -> str:
        outputs = {item.name: item for item in self._session.get_outputs()}
        name = next((known for known in _OUTPUTS if known in outputs), next(iter(outputs)))
        shape, kind = outputs[name].shape, outputs[name].type
        if len(shape) != _HIDDEN_RANK or kind != "tensor(float)":
            raise self._invalid(
                "must return the last hidden state of every token (text x token x dimension, float)",
                f"{name} is {kind} {shape}",
            )
        if isinstance(shape[-1], int) and shape[-1] != self._info.dimension:
            raise self._invalid(
                f"returns {shape[-1]} values per token where model.json says {self._info.dimension}"
            )
        return name

    def _invalid(self, reason: str, detail: str = "") -> ModelInvalidError:
        return ModelInvalidError(
            f"The embedding model's file model.onnx {reason}.",
            local_detail=f"{self._path}: {detail}" if detail else str(self._path),
        )


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: classes without a common base of their own."""
    state = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    found: list[Any] = [item for item in vars(state).values() if isinstance(item, type)]
    return (RuntimeError, *(item for item in found if issubclass(item, Exception)))


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
