"""Facial landmarks, HRNetV2-W18 (all streams, bilinear), AFLW, 256x256.

NME on the test set (full; frontal): 1.57; 1.46 in the paper (table 21) and in the official repository; 1.41; 1.27 in
mmpose's model zoo.

    mim train hrnet_plugin td-hm_hrnetv2-w18_60e_aflw-256x256.py
"""
_base_ = 'mmpose::face_2d_keypoint/topdown_heatmap/aflw/td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256.py'

# mmpose's inferencers read a checkpoint before they build the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w18', host='mmpose', multiscale_output=True,
        upsample='bilinear', init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')))
