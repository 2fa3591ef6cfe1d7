"""HRNetV2p-W18 in place of a detector's backbone and neck. A base only."""
_base_ = './plugin.py'

# mmengine merges a config over its bases, but does not merge bases over each other. So these entries have a common
# key, and a derived config merges them over the detector of its first base: _base_.merge(_base_.pop('hrnet')).
hrnet = dict(
    model=dict(
        backbone=dict(
            _delete_=True, type='hrnet_plugin.HRNet', arch='w18',
            init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')),
        neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', arch='w18', out_channels=256)))
