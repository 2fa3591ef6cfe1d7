"""Top-down heatmaps with HRNetV1-W32, from the stream of stride 8, COCO at 256x192: an ablation.

    mim train hrnet_plugin td-hm_hrnetv1-w32-2x_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_210e_coco-256x192.py'

# The last fusion also computes feature maps that no head uses.
find_unused_parameters = True
codec = dict(heatmap_size=(24, 32))
model = dict(
    backbone=dict(multiscale_output=True), neck=dict(type='FeatureMapProcessor', select_index=1),
    head=dict(in_channels=64, decoder=codec))
_base_.train_pipeline[6].encoder.heatmap_size = (24, 32)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
