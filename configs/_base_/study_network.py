"""Narrow network of the studies: the 1, 4 and 3 modules of HRNet with a quarter of the blocks. A base only."""
arch = dict(
    _delete_=True,
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(2, ), num_channels=(16, )),
    stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(16, 32)),
    stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(1, 1, 1), num_channels=(16, 32, 64)),
    stage4=dict(num_modules=3, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1), num_channels=(16, 32, 64, 128)))
