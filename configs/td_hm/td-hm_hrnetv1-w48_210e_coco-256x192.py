"""Top-down heatmaps with HRNetV1-W48, COCO at 256x192.

    mim train hrnet_plugin td-hm_hrnetv1-w48_210e_coco-256x192.py
"""
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py',
    '../_base_/pose_hrnetv1-w48.py',
]
_base_.merge(_base_.pop('hrnet'))
