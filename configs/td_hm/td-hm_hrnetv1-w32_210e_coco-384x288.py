"""Top-down heat maps, HRNetV1-W32, 384x288.

Keypoint AP on COCO val2017 (persons found by a detector of 56.4 AP): 75.8 in the paper (table 1) and in the official
repository; 76.1 in mmpose's model zoo. On test-dev (60.9 AP): 74.9 in the paper (table 2).

    mim train hrnet_plugin td-hm_hrnetv1-w32_210e_coco-384x288.py
"""
_base_ = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-384x288.py'

# mmpose's inferencers read a checkpoint before they build the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w32', host='mmpose',
        init_cfg=dict(
            type='hrnet_plugin.Pretrained', checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth')))
