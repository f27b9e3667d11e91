"""Embedding models: the protocol, the ONNX implementation, the catalogue, the test fake."""
