"""HRNetV2p-W18 in place of a detector's backbone and neck, with test-time augmentation of boxes. A base only."""
_base_ = ['mmdet::retinanet/retinanet_tta.py', './detector_hrnetv2p.py']
