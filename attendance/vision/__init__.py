"""Faces to boxes, crops to embeddings. The only importers of torch, facenet_pytorch, openvino."""
