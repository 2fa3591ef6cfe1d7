"""Five test sizes of CenterNet's authors (arXiv 1904.08189). A base only."""
test_sizes = [
    dict(type='Resize', scale_factor=0.6, keep_ratio=True),
    dict(type='Resize', scale_factor=1.0, keep_ratio=True),
    dict(type='Resize', scale_factor=1.2, keep_ratio=True),
    dict(type='Resize', scale_factor=1.5, keep_ratio=True),
    dict(type='Resize', scale_factor=1.8, keep_ratio=True),
]
