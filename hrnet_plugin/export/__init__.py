"""Export of whole models and of networks to ONNX, OpenVINO and torch.export, with a comparison of the outputs."""
