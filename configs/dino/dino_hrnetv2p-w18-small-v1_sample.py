"""DINO on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin dino_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./dino_hrnetv2p-w18_12e_coco.py', '../_base_/sample_detection.py']
_base_.merge(_base_.pop('sample'))

# Few layers and queries: at its default size, the transformer would cost several times as much as this backbone.
model = dict(
    backbone=dict(norm_eval=False),
    num_queries=100,
    encoder=dict(num_layers=2, layer_cfg=dict(ffn_cfg=dict(feedforward_channels=256))),
    decoder=dict(num_layers=2, layer_cfg=dict(ffn_cfg=dict(feedforward_channels=256))),
    dn_cfg=dict(group_cfg=dict(num_dn_queries=20)),
    test_cfg=dict(max_per_img=100))
optim_wrapper = dict(optimizer=dict(lr=0.0004))
