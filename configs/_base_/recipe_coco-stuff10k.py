"""Official segmentation recipe for COCO-Stuff 10k. A base only."""
_base_ = ['mmseg::_base_/datasets/coco-stuff10k.py', './schedule_60k.py', './crops_520.py']
_base_.merge(_base_.pop('crops_520'))

optim_wrapper = dict(optimizer=dict(lr=0.001), paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))
