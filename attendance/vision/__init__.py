"""Faces to boxes, crops to embeddings. The only importers of torch, facenet_pytorch, openvino."""

import sys

# OpenVINO tells Google Analytics of every import, from a process it forks for that. Pages that
# need no network must not call home: without this package it goes on silently, and faster.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
