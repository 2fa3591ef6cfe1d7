"""Top-down heatmaps with HRNetV1-W32, MPII at 256x256.

    mim train hrnet_plugin td-hm_hrnetv1-w32_210e_mpii-256x256.py
"""
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py',
    '../_base_/pose_hrnetv1-w32.py',
]
_base_.merge(_base_.pop('hrnet'))
