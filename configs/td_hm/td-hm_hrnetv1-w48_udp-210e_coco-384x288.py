"""Top-down heatmaps with HRNetV1-W48, COCO at 384x288, unbiased data processing (UDP, arXiv 1911.07524).

    mim train hrnet_plugin td-hm_hrnetv1-w48_udp-210e_coco-384x288.py
"""
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w48_udp-8xb32-210e_coco-384x288.py',
    '../_base_/pose_hrnetv1-w48.py',
]
_base_.merge(_base_.pop('hrnet'))
