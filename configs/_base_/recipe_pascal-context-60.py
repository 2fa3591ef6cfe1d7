"""Official segmentation recipe for PASCAL-Context with 60 classes. A base only."""
_base_ = ['mmseg::_base_/datasets/pascal_context.py', './schedule_60k.py', './crops_480.py']
_base_.merge(_base_.pop('crops_480'))
