"""Official segmentation recipe for PASCAL-Context with 59 classes. A base only."""
_base_ = ['mmseg::_base_/datasets/pascal_context_59.py', './schedule_60k.py', './crops_480.py']
_base_.merge(_base_.pop('crops_480'))

# The background is not a class.
_base_.train_pipeline[1].reduce_zero_label = True
_base_.tta_pipeline[1].transforms[2][0].reduce_zero_label = True
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
