"""Top-down heat maps, HRNetV1-W48, MPII, 256x256.

PCKh on the MPII validation set, at a half and at a tenth of the head: 90.1; 33.7 in mmpose's model zoo.

    mim train hrnet_plugin td-hm_hrnetv1-w48_210e_mpii-256x256.py
"""
_base_ = 'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_hrnet-w48_8xb64-210e_mpii-256x256.py'

# mmpose's inferencers read a checkpoint before they build the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w48', host='mmpose',
        init_cfg=dict(
            type='hrnet_plugin.Pretrained', checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth')))
