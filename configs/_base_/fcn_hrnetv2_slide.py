"""FCN head on HRNetV2-W18 with the crops and sliding windows of PASCAL-Context. A base only."""
_base_ = './fcn_hrnetv2_momentum.py'

model = dict(
    data_preprocessor=dict(size=(480, 480)),
    test_cfg=dict(mode='slide', crop_size=(480, 480), stride=(320, 320)))
