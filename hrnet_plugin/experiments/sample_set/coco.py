"""COCO's categories: what annotation files of the format list, whether all of them occur or not."""

from __future__ import annotations

NAMES = (
    'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat', 'traffic light',
    'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant',
    'bear', 'zebra', 'giraffe', 'backpack', 'umbrella', 'handbag', 'tie', 'suitcase', 'frisbee', 'skis', 'snowboard',
    'sports ball', 'kite', 'baseball bat', 'baseball glove', 'skateboard', 'surfboard', 'tennis racket', 'bottle',
    'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple', 'sandwich', 'orange', 'broccoli',
    'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch', 'potted plant', 'bed', 'dining table', 'toilet',
    'tv', 'laptop', 'mouse', 'remote', 'keyboard', 'cell phone', 'microwave', 'oven', 'toaster', 'sink',
    'refrigerator', 'book', 'clock', 'vase', 'scissors', 'teddy bear', 'hair drier', 'toothbrush')

# Ids that were planned and never used.
_GAPS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))

# Name -> id, from 1 to 90. The order matters: hosts number classes by it.
CATEGORY_IDS: dict[str, int] = dict(zip(NAMES, (number for number in range(1, 91) if number not in _GAPS)))

# COCO-Stuff: things keep their ids, the stuff behind them has 92 to 182; 91 was never used either. Value in the pixel
# maps (id - 1) -> number of the class among those that there are, which is how mmsegmentation's COCO-Stuff maps are
# numbered.
TRAIN_IDS: dict[int, int] = {
    number - 1: position
    for position, number in enumerate(number for number in range(1, 183) if number not in (*_GAPS, 91))
}
