"""Ablation of top-down heat maps, HRNetV1-W32, 256x192: from the stream of stride 8.

No figures in the paper, which shows it as a bar (figure 9).

    mim train hrnet_plugin td-hm_hrnetv1-w32-2x_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_210e_coco-256x192.py'

codec = dict(type='MSRAHeatmap', input_size=(192, 256), heatmap_size=(24, 32), sigma=2)
model = dict(
    backbone=dict(multiscale_output=True),
    neck=dict(type='FeatureMapProcessor', select_index=1),
    head=dict(in_channels=64, decoder=codec))
# the last fusion also makes the maps that no head reads
find_unused_parameters = True
train_pipeline = [dict(step, encoder=codec) if 'encoder' in step else step for step in _base_.train_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
