"""2x schedule of mmdet's detectors: 24 epochs. A base only."""
# Merged over the 1x schedule of another base: _base_.merge(_base_.pop('schedule_2x')).
schedule_2x = dict(
    train_cfg=dict(max_epochs=24),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
        dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)
    ])
