"""Top-down heat maps, HRNetV1-W48, 256x192, unbiased data processing (UDP, arXiv 1911.07524).

Keypoint AP on COCO val2017 (persons found by a detector of 56.4 AP): 76.8 in mmpose's model zoo.

    mim train hrnet_plugin td-hm_hrnetv1-w48_udp-210e_coco-256x192.py
"""
_base_ = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_udp-8xb32-210e_coco-256x192.py'

# mmpose's inferencers read a checkpoint before they build the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w48', host='mmpose',
        init_cfg=dict(
            type='hrnet_plugin.Pretrained', checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth')))
