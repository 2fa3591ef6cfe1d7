"""Valid dataset in COCO's format, and changes that break it."""

from __future__ import annotations

NAN, INF = float('nan'), float('inf')
SQUARE = [[10, 10, 30, 10, 30, 40, 10, 40]]
POINTS = [11, 12, 2, 20, 21, 1, 0, 0, 0]


def dataset():
    """Return a valid dataset: four images of 64 x 48 pixels, two categories, twelve annotations."""
    images = [dict(id=number, file_name=f'{number}.png', height=48, width=64) for number in range(1, 5)]
    notes = [dict(id=number, image_id=1 + number % 4, category_id=1 + number % 2, bbox=[10, 10, 20, 30], area=600,
                  iscrowd=0, segmentation=SQUARE, keypoints=POINTS, num_keypoints=2) for number in range(1, 13)]
    categories = [dict(id=1, name='cat', keypoints=['a', 'b', 'c']), dict(id=2, name='dog', keypoints=['a', 'b', 'c'])]
    return dict(images=images, annotations=notes, categories=categories)


def third(**values):
    """Return a change of the third annotation, which has ID 3 and belongs to image 4."""
    return lambda data: data['annotations'][2].update(values)


def drop(key, section='annotations'):
    """Return a change that removes a key from the third entry, or the second of a shorter section."""
    return lambda data: data[section][min(2, len(data[section]) - 1)].pop(key)


def image(**values):
    return lambda data: data['images'][1].update(values)


def category(**values):
    return lambda data: data['categories'][1].update(values)


def every(change, section='annotations'):
    """Return a change of all entries of a section."""
    def change_all(data):
        for entry in data[section]:
            change(entry)
    return change_all


# change, is_error, words: problems that mmdet and the COCO API have
BOX_CASES = [
    (drop('area'), True, "1 of 12 annotations without area (ID 3; image 4). mmdet raises KeyError: 'area'"),
    (third(area='600'), True, 'whose area is not a number'),
    (third(area=None), True, 'whose area is not a number'),
    (third(area=NAN), True, 'whose area is NaN or infinite'),
    (third(area=0), False, 'with zero or negative area'),
    (third(area=9000), False, 'with an area larger than the box'),
    (drop('iscrowd'), True, "without iscrowd (ID 3; image 4). The COCO API raises KeyError: 'iscrowd'"),
    (third(iscrowd='0'), True, 'whose iscrowd is not 0 or 1'),
    (third(iscrowd=None), True, 'whose iscrowd is null (ID 3; image 4). The COCO API raises TypeError'),
    (third(iscrowd=2), True, 'whose iscrowd is not 0 or 1'),
    (third(ignore=1), False, 'with ignore'),
    (drop('bbox'), True, "without bbox (ID 3; image 4). mmdet raises KeyError: 'bbox'"),
    (third(bbox=[1, 2, 3]), True, 'whose bbox is not four numbers (ID 3; image 4; e.g. [1, 2, 3])'),
    (third(bbox=['1', '2', '3', '4']), True, "not four numbers (ID 3; image 4; e.g. ['1', '2', '3', '4'])"),
    (third(bbox=None), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, None, 3, 4]), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, True, 3, 4]), True, 'whose bbox is not four numbers'),
    (third(bbox=[1, NAN, 3, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[1, 2, INF, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[1, 2, 10**400, 4]), True, 'whose bbox is NaN or infinite'),
    (third(bbox=[10, 10, 0, 30], area=1), False, 'with zero or negative width or height'),
    (third(bbox=[30, 10, -20, 30], area=1), False, 'with zero or negative width or height'),
    (third(bbox=[10, 10, .5, 30], area=1), False, 'with a box of less than 1 pixel'),
    (third(bbox=[64, 10, 20, 30]), False, 'with a box outside of the image'),
    (third(bbox=[50, 10, 20, 30]), False, 'with a box that extends over the edge of the image'),
    (third(bbox=[-5, 10, 20, 30]), False, 'with a box that extends over the edge of the image'),
    (drop('id'), True, "without id (position 2; image 4). The COCO API raises KeyError: 'id'"),
    (third(id=1), True, 'with an ID of another one (ID 1; image 4). mmdet raises AssertionError'),
    (third(id=0), False, 'with the ID 0'),
    (third(id='x'), True, 'whose id is text'),
    (third(id=[3]), True, 'whose id is a list or object'),
    (drop('image_id'), True, 'without image_id'),
    (third(image_id=99), False, 'whose image_id is not one of the images (ID 3; image 99)'),
    (third(image_id='2'), True, 'with image_id of another type'),
    (third(image_id={}), True, 'whose image_id is a list or object'),
    (drop('category_id'), True, 'without category_id'),
    (third(category_id=9), False, 'whose category_id is not one of the categories'),
    (third(category_id=1.5), False, 'whose category_id is not one of the categories'),
    (third(category_id=None), False, 'whose category_id is not one of the categories'),
    (third(category_id='1'), True, 'with category_id of another type'),
    (drop('name', 'categories'), True, 'categories without a name'),
    (category(name='cat'), True, "with the name of another one (ID 2; name 'cat')"),
    (drop('file_name', 'images'), True, 'without a file_name'),
    (image(file_name=2), True, 'without a file_name that is text'),
    (image(file_name='1.png'), False, "with the file_name of another one (ID 2; file '1.png')"),
    (image(file_name='/data/2.png'), False, 'with an absolute file_name'),
    (image(file_name='C:/data/2.png'), False, 'with an absolute file_name'),
    (image(file_name='a\\2.png'), False, 'with a backslash in file_name'),
    (image(height=None), True, 'images without valid height and width'),
    (image(width='64'), True, 'images without valid height and width'),
    (image(width=63.5), True, 'images without valid height and width'),
    (image(width=0), True, 'images without valid height and width'),
    (drop('width', 'images'), True, 'images without valid height and width'),
]

#: Changes that mmdet and the COCO API accept without effect.
HARMLESS = [third(category_id=1.0), third(category_id=True), third(id=3.0), image(width=64.0),
            third(iscrowd=False), third(id='3'), third(bbox=[0, 0, 64, 48]),
            third(bbox=[-.5, 10, 20, 38.5]), third(image_id=2.0),
            every(lambda entry: entry.update(iscrowd=0.)), drop('segmentation'),
            lambda data: data['categories'].append(dict(id=7, name='bird'))]

MASK_CASES = [
    (drop('segmentation'), True, "without segmentation (ID 3; image 4). mmdet raises KeyError: 'mask'"),
    (third(segmentation=[]), True, 'without segmentation'),
    (third(segmentation=None), True, 'without segmentation'),
    (third(segmentation=[[1, 2, 3, 4]]), True, 'with a polygon of less than 3 points'),
    (third(segmentation=[[]]), True, 'with a polygon of less than 3 points'),
    (third(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), True, 'with a polygon of less than 3 points or half a point'),
    (third(segmentation=[1, 2, 3, 4, 5, 6]), True, 'with an invalid segmentation'),
    (third(segmentation=[[1, 2, NAN, 4, 5, 6]]), True, 'with an invalid segmentation'),
    (third(segmentation=[['1', '2', '3', '4', '5', '6']]), True, 'with an invalid segmentation'),
    (third(segmentation=[[1.5, 10**400, 3, 4, 5, 6]]), True, 'with an invalid segmentation'),
    (third(segmentation=dict(size=[32, 32], counts=[0, 1024])), True, 'with an RLE of another size'),
    (third(segmentation=dict(size=[48, 64], counts=[1, 2])), True, 'e.g. segmentation.counts must be runs that add up'),
    (third(segmentation=dict(size=[48, 64], counts='~~')), True, 'with an invalid segmentation'),
    (third(segmentation=dict(size=[48, 64], counts=[1, 2, 0, 3, 48 * 64 - 6])), False, 'with a run of 0 pixels'),
    (third(segmentation=dict(counts=[1, 2])), True, 'with an invalid segmentation'),
]

KEYPOINT_CASES = [
    (drop('area'), True, "without area (ID 3; image 4). xtcocotools raises KeyError: 'area'"),
    (drop('iscrowd'), False, 'without iscrowd (ID 3; image 4). xtcocotools takes it as 0'),
    (drop('keypoints'), True, 'without keypoints'),
    (third(keypoints=None), True, 'whose keypoints have a wrong length (ID 3; image 4; e.g. no list)'),
    (third(keypoints=POINTS[:6]), True, 'e.g. 6 numbers instead of 9'),
    (third(keypoints=[]), True, 'e.g. 0 numbers instead of 9'),
    (third(keypoints=[*POINTS, 1]), True, 'e.g. 10 numbers instead of 9'),
    (third(keypoints=[str(value) for value in POINTS]), True, 'whose keypoints contain text or null'),
    (third(keypoints=[None, *POINTS[1:]]), True, 'whose keypoints contain text or null'),
    (third(keypoints=[NAN, *POINTS[1:]]), True, 'whose keypoints are NaN or infinite'),
    (third(keypoints=[1, 2, -1, *POINTS[3:]], num_keypoints=1), True, 'with a negative visibility'),
    (third(keypoints=[1, 2, 3, *POINTS[3:]]), False, 'with a visibility other than 0, 1 and 2'),
    (third(keypoints=[1, 2, .5, *POINTS[3:]]), False, 'with a visibility other than 0, 1 and 2'),
    (third(keypoints=[99, 2, 2, *POINTS[3:]]), False, 'with labeled keypoints outside of the image'),
    (third(num_keypoints=0), False, 'whose num_keypoints is not the number of labeled keypoints'),
    (drop('num_keypoints'), False, 'without num_keypoints'),
    (third(keypoints=[0] * 9, num_keypoints=0), False, 'without labeled keypoints'),
    (category(keypoints=[]), False, "categories without names in 'keypoints'"),
]
