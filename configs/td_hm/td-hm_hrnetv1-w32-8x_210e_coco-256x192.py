"""Top-down heatmaps with HRNetV1-W32, from the stream of stride 32, COCO at 256x192: an ablation.

    mim train hrnet_plugin td-hm_hrnetv1-w32-8x_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32-2x_210e_coco-256x192.py'

codec = dict(heatmap_size=(6, 8))
model = dict(neck=dict(select_index=3), head=dict(in_channels=256, decoder=codec))
_base_.train_pipeline[6].encoder.heatmap_size = (6, 8)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
