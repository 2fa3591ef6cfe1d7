"""Official segmentation recipe for ADE20K. A base only."""
_base_ = ['mmseg::_base_/datasets/ade20k.py', './schedule_150k.py', './crops_520.py']
_base_.merge(_base_.pop('crops_520'))

optim_wrapper = dict(optimizer=dict(lr=0.02))
