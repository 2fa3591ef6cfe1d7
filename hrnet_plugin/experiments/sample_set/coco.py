"""Categories of COCO and class indices of COCO-Stuff."""

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

# ids that COCO does not use
_GAPS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))

# name -> id, from 1 to 90, in the order of the hosts' class indices
CATEGORY_IDS: dict[str, int] = dict(zip(NAMES, (number for number in range(1, 91) if number not in _GAPS)))

# COCO-Stuff: value in the pixel maps (id - 1) -> class index in mmsegmentation (trainId). Things keep their COCO ids,
# stuff has the ids 92 to 182, and 91 is not used.
TRAIN_IDS: dict[int, int] = {
    number - 1: position
    for position, number in enumerate(number for number in range(1, 183) if number not in (*_GAPS, 91))
}
