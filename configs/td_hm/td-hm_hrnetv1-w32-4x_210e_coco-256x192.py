"""Top-down heatmaps with HRNetV1-W32, from the stream of stride 16, COCO at 256x192: an ablation.

    mim train hrnet_plugin td-hm_hrnetv1-w32-4x_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32-2x_210e_coco-256x192.py'

codec = dict(heatmap_size=(12, 16))
model = dict(neck=dict(select_index=2), head=dict(in_channels=128, decoder=codec))
_base_.train_pipeline[6].encoder.heatmap_size = (12, 16)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
