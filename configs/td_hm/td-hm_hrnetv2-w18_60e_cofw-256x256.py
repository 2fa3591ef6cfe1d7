"""Facial landmarks with HRNetV2-W18, COFW at 256x256.

    mim train hrnet_plugin td-hm_hrnetv2-w18_60e_cofw-256x256.py
"""
_base_ = [
    'mmpose::face_2d_keypoint/topdown_heatmap/cofw/td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256.py',
    '../_base_/pose_hrnetv2-w18_faces.py',
]
_base_.merge(_base_.pop('hrnet'))
