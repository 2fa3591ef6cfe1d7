"""Facial landmarks, HRNetV2-W18 (all streams, bilinear), 300W, 256x256.

NME (common; challenging; full; test): 2.87; 5.15; 3.32; 3.85 in the paper (tables 23 and 24); 2.91; 5.11; 3.34; 3.85
in the official repository; 2.92; 5.64; 3.45; 4.10 in mmpose's model zoo.

    mim train hrnet_plugin td-hm_hrnetv2-w18_60e_300w-256x256.py
"""
_base_ = 'mmpose::face_2d_keypoint/topdown_heatmap/300w/td-hm_hrnetv2-w18_8xb64-60e_300w-256x256.py'

# mmpose's inferencers read a checkpoint before they build the model: the plugin has to be there by then
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    backbone=dict(
        _delete_=True, type='hrnet_plugin.HRNet', arch='w18', host='mmpose', multiscale_output=True,
        upsample='bilinear', init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w18')))
