"""Facial landmarks with HRNetV2-W18, 300W at 256x256.

    mim train hrnet_plugin td-hm_hrnetv2-w18_60e_300w-256x256.py
"""
_base_ = [
    'mmpose::face_2d_keypoint/topdown_heatmap/300w/td-hm_hrnetv2-w18_8xb64-60e_300w-256x256.py',
    '../_base_/pose_hrnetv2-w18_faces.py',
]
_base_.merge(_base_.pop('hrnet'))
