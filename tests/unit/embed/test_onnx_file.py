"""Reading just enough of an ONNX file, on files built by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstash.embed.catalogue import packaged_folder
from vstash.embed.onnx_file import MalformedOnnxError, has_external_data


def varint(number: int) -> bytes:
    """A number in seven-bit groups, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def message(number: int, *content: bytes) -> bytes:
    """A field that holds bytes or another message."""
    body = b"".join(content)
    return varint(number << 3 | 2) + varint(len(body)) + body


def scalar(number: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return varint(number << 3) + varint(value)


INSIDE = message(8, b"weights") + scalar(1, 4) + scalar(2, 1) + message(9, bytes(range(200)))
LOCATED = INSIDE + scalar(14, 1)
NAMED = INSIDE + message(13, message(1, b"location"), message(2, b"other.bin"))


def places(tensor: bytes) -> dict[str, bytes]:
    """A model with the tensor at each place where ONNX allows one."""
    sparse = message(1, tensor)
    node = message(1, message(5, message(5, tensor)))
    return {
        "initializer": message(7, message(5, tensor)),
        "second initializer": message(7, message(5, INSIDE), message(5, tensor)),
        "second graph field": message(7, message(5, INSIDE)) + message(7, message(5, tensor)),
        "sparse initializer": message(7, message(15, sparse)),
        "attribute": message(7, node),
        "attribute list": message(7, message(1, message(5, message(10, tensor)))),
        "sparse attribute": message(7, message(1, message(5, message(22, sparse)))),
        "graph attribute": message(7, message(1, message(5, message(6, node)))),
        "graph attribute list": message(7, message(1, message(5, message(11, node)))),
        "function": message(25, message(7, message(5, message(5, tensor)))),
        "training": message(20, message(1, message(5, tensor))),
    }


@pytest.mark.parametrize("place", sorted(places(b"")))
@pytest.mark.parametrize("tensor", [LOCATED, NAMED], ids=["located", "named"])
def test_external_data_is_found_everywhere(place: str, tensor: bytes) -> None:
    """A tensor whose values are elsewhere is found at every place that can hold a tensor."""
    assert has_external_data(places(tensor)[place])


@pytest.mark.parametrize("place", sorted(places(b"")))
def test_tensors_with_their_own_values_pass(place: str) -> None:
    """A tensor that holds its values passes, also when it says so by a location of 0."""
    assert not has_external_data(places(INSIDE + scalar(14, 0))[place])


def test_the_packaged_model_holds_its_weights() -> None:
    """The shipped model needs no other file."""
    content = (packaged_folder("bge-small-en-v1.5") / "model.onnx").read_bytes()
    assert not has_external_data(content)


def test_other_fields_are_stepped_over() -> None:
    """Fixed-size numbers and unknown fields hide nothing that stands behind them."""
    fixed = varint(90 << 3 | 1) + bytes(8) + varint(91 << 3 | 5) + bytes(4) + scalar(1, 2**63)
    assert has_external_data(fixed + message(7, fixed, message(5, LOCATED)))
    assert not has_external_data(fixed + message(8, LOCATED))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(message(7, message(5, LOCATED))[:-1], id="cut off"),
        pytest.param(varint(7 << 3 | 3), id="group"),
        pytest.param(b"\xff" * 11, id="endless number"),
        pytest.param(b"\x80", id="unfinished number"),
        pytest.param(b"\x00\x00", id="field zero"),
        pytest.param(varint(1 << 3 | 1) + bytes(7), id="short fixed number"),
        pytest.param(message(7, varint(5 << 3 | 2) + varint(50) + bytes(3)), id="inner too long"),
    ],
)
def test_damage_is_named(bad: bytes) -> None:
    """Bytes that are not a protocol buffer raise, and never pass as a sound model."""
    with pytest.raises(MalformedOnnxError):
        has_external_data(bad)


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    """Whatever the bytes, the answer is yes, no or malformed, and it comes."""
    try:
        assert has_external_data(content) in {True, False}
    except MalformedOnnxError:
        return


def test_deep_nesting_is_no_recursion() -> None:
    """Thousands of graphs inside graphs do not exhaust the stack."""
    inner = message(5, LOCATED)
    for _ in range(3000):
        inner = message(1, message(5, message(6, inner)))
    assert has_external_data(message(7, inner))
