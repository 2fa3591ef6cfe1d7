"""Metrics of mmdet's evaluators."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.hosts.metric import Metric

_SIZES = {'': '', '50': '_50', '75': '_75', 's': '_s', 'm': '_m', 'l': '_l'}
_COCO = ('CocoMetric', 'CocoVideoMetric', 'CocoOccludedSeparatedMetric', 'OVCocoMetric')
_SEMANTIC = ('mIoU', 'mAcc', 'aAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall')
_TRACKING_ERRORS = ('IDSW', 'FP', 'FN', 'Frag', 'ML', 'IDFP', 'IDFN')
_CAPTIONS = ('CIDEr', 'SPICE', 'METEOR', 'ROUGE_L', 'Bleu_#')


def metrics() -> Iterator[Metric]:
    """Yield the metrics in the order of tables: those of published tables, then by evaluator."""
    yield from _published()
    yield from _coco()
    yield from _lvis()
    yield from _boxes()
    yield from _masks()
    yield from _language()
    yield from _tracking()


def _published() -> Iterator[Metric]:
    for prefix, kind in (('', 'bbox'), ('mask ', 'segm')):
        for size, key in _SIZES.items():
            yield Metric(name=f'{prefix}AP{size}', key=f'coco/{kind}_mAP{key}', evaluators=_COCO, is_renamed=True,
                         is_drawn=not size.isdigit())
    for prefix in ('', 'mask '):
        for limit in ('1', '10', '100', 's', 'm', 'l'):  # from the evaluation of the saved detections
            yield Metric(name=f'{prefix}AR{limit}', key='', is_renamed=True, is_shown=False, is_drawn=False)


def _coco() -> Iterator[Metric]:
    for prefix, kind in (('', 'bbox_'), ('mask ', 'segm_'), ('proposal ', '')):
        yield Metric(name=f'{prefix}AR@#', key=f'coco/{kind}AR@#', evaluators=_COCO)
        for size in 'sml':
            yield Metric(name=f'{prefix}AR{size}@#', key=f'coco/{kind}AR_{size}@#', evaluators=_COCO, is_drawn=False)
    yield Metric(name='AP of *', key='coco/*_precision', evaluators=_COCO, is_shown=False, is_drawn=False,
                 is_detail=True)
    for part in ('novel', 'base'):
        yield Metric(name=f'{part} AP', key=f'coco/{part}_ap', evaluators=('OVCocoMetric', ))
        yield Metric(name=f'{part} AP50', key=f'coco/{part}_ap50', evaluators=('OVCocoMetric', ))
    for part in ('occluded', 'separated'):
        yield Metric(name=f'{part} mask recall', key=f'coco/{part}_recall', unit='percent',
                     evaluators=('CocoOccludedSeparatedMetric', ))


def _lvis() -> Iterator[Metric]:
    evaluators = ('LVISMetric', )
    for prefix, kind in (('', 'bbox'), ('mask ', 'segm')):
        for size in ('', 'r', 'c', 'f', '50', '75', 's', 'm', 'l'):
            yield Metric(name=f'LVIS {prefix}AP{size}', key=f'lvis/{kind}_AP{size}', evaluators=evaluators,
                         is_drawn=not size.isdigit())
    for prefix, kind in (('', 'bbox_'), ('mask ', 'segm_'), ('proposal ', '')):
        for size in ('', 's', 'm', 'l'):
            yield Metric(name=f'LVIS {prefix}AR{size}@#', key=f'lvis/{kind}AR{size}@#', evaluators=evaluators,
                         is_drawn=not size)
    yield Metric(name='LVIS AP of *', key='lvis/*_precision', evaluators=evaluators, is_shown=False, is_drawn=False,
                 is_detail=True)
    for size in ('', 'r', 'c', 'f', '50', '75', 's', 'm', 'l'):
        yield Metric(name=f'LVIS fixed AP{size}', key=f'lvis_fixed_ap/AP{size}', evaluators=('LVISFixedAPMetric', ),
                     is_drawn=not size.isdigit())


def _boxes() -> Iterator[Metric]:
    yield Metric(name='VOC AP', key='pascal_voc/mAP', evaluators=('VOCMetric', ))
    yield Metric(name='VOC AP#', key='pascal_voc/AP#', evaluators=('VOCMetric', ), is_drawn=False)
    yield Metric(name='VOC AR@#', key='pascal_voc/AR@#', evaluators=('VOCMetric', ))
    yield Metric(name='VOC recall@#@#', key='pascal_voc/recall@#@#', evaluators=('VOCMetric', ))
    yield Metric(name='OpenImages AP', key='openimages/mAP', evaluators=('OpenImagesMetric', ))
    yield Metric(name='OpenImages AP#', key='openimages/AP#', evaluators=('OpenImagesMetric', ), is_drawn=False)
    yield Metric(name='CrowdHuman AP', key='crowd_human/mAP', evaluators=('CrowdHumanMetric', ))
    yield Metric(name='CrowdHuman MR', key='crowd_human/mMR', evaluators=('CrowdHumanMetric', ), direction='lower')
    yield Metric(name='CrowdHuman JI', key='crowd_human/JI', evaluators=('CrowdHumanMetric', ))


def _masks() -> Iterator[Metric]:
    yield Metric(name='Cityscapes mask AP', key='cityscapes/mAP', evaluators=('CityScapesMetric', ))
    yield Metric(name='Cityscapes mask AP#', key='cityscapes/AP@#', evaluators=('CityScapesMetric', ))
    for part in ('', '_th', '_st'):
        for name in ('PQ', 'SQ', 'RQ'):
            yield Metric(name=f'{name}{part}', key=f'coco_panoptic/{name}{part}', unit='percent',
                         evaluators=('CocoPanopticMetric', ), is_drawn=name == 'PQ')
    for name in _SEMANTIC:
        evaluators = ('SemSegMetric', 'RefSegMetric') if name == 'mIoU' else ('SemSegMetric', )
        yield Metric(name=name, key=name, unit='percent', evaluators=evaluators)
    yield Metric(name='cIoU', key='cIoU', unit='percent', evaluators=('RefSegMetric', ))
    for size, key in _SIZES.items():
        yield Metric(name=f'video mask AP{size}', key=f'youtube_vis/segm_mAP{key}', evaluators=('YouTubeVISMetric', ),
                     is_drawn=not size.isdigit())
    for size, key in {'': '', 's': '_s', 'm': '_m', 'l': '_l'}.items():
        yield Metric(name=f'video mask AR{size}@#', key=f'youtube_vis/segm_AR{key}@#',
                     evaluators=('YouTubeVISMetric', ), is_drawn=not size)


def _language() -> Iterator[Metric]:
    for size, key in _SIZES.items():
        yield Metric(name=f'DOD AP{size}', key=f'dod/mAP{key}', evaluators=('DODCocoMetric', ),
                     is_drawn=not size.isdigit())
    for length in ('short', 'mid', 'long', 'very_long'):
        yield Metric(name=f'DOD AP {length.replace("_", " ")}', key=f'dod/mAP_{length}',
                     evaluators=('DODCocoMetric', ))
    for name in ('F1_score', 'T_acc', 'N_acc'):
        yield Metric(name=name, key=f'grefcoco/{name}', evaluators=('gRefCOCOMetric', ))
    yield Metric(name='RefCOCO precision', key='refexp/mean_precision', evaluators=('RefExpMetric', ))
    for data in ('refcoco', 'refcoco+', 'refcocog'):
        yield Metric(name=f'{data} precision@#', key=f'refexp/{data}_precision@#', evaluators=('RefExpMetric', ))
    yield Metric(name='phrase recall@#', key='#/all', evaluators=('Flickr30kMetric', ))
    for name in _CAPTIONS:
        yield Metric(name=name, key=name, evaluators=('COCOCaptionMetric', ))


def _tracking() -> Iterator[Metric]:
    evaluators, prefix = ('MOTChallengeMetric', ), 'motchallenge-metric'
    for name in ('HOTA', 'AssA', 'DetA', 'MOTP', 'IDF1', 'IDP', 'IDR'):
        yield Metric(name=name, key=f'{prefix}/{name}', evaluators=evaluators)
    # negative with more errors than objects
    yield Metric(name='MOTA', key=f'{prefix}/MOTA', evaluators=evaluators, lowest=float('-inf'))
    for name in ('TP', 'MT', 'IDTP'):
        yield Metric(name=name, key=f'{prefix}/{name}', evaluators=evaluators, unit='count')
    for name in _TRACKING_ERRORS:
        yield Metric(name=name, key=f'{prefix}/{name}', evaluators=evaluators, unit='count', direction='lower')
    yield Metric(name='ReID AP', key='reid-metric/mAP', evaluators=('ReIDMetrics', ))
    yield Metric(name='ReID R#', key='reid-metric/R#', evaluators=('ReIDMetrics', ))
