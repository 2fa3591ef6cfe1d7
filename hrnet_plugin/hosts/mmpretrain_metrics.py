"""Metrics of mmpretrain's evaluators."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.hosts.metric import Metric

_LABELS = {'single-label': ('SingleLabelMetric', ), 'multi-label': ('MultiLabelMetric', 'VOCMultiLabelMetric')}
_SCIENCE = ('all_acc', 'acc_natural', 'acc_social', 'acc_language', 'acc_has_text', 'acc_has_image', 'acc_no_context',
            'acc_grade_1_6', 'acc_grade_7_12')


def metrics() -> Iterator[Metric]:
    """Yield the metrics in the order of tables: those of published tables, then by evaluator."""
    for count in '15':
        yield Metric(name=f'top-{count}', key=f'accuracy/top{count}', unit='percent', evaluators=('Accuracy', ),
                     is_renamed=True)
    yield Metric(name='top-#', key='accuracy/top#', unit='percent', evaluators=('Accuracy', ))
    yield Metric(name='top-#_*', key='accuracy/top#_*', unit='percent', evaluators=('Accuracy', ))
    for prefix, evaluators in _LABELS.items():
        before = 'multi-label ' if prefix == 'multi-label' else ''
        for suffix in ('', '_*'):  # average or threshold
            for name in ('precision', 'recall', 'f1-score'):
                yield Metric(name=f'{before}{name}{suffix}', key=f'{prefix}/{name}{suffix}', unit='percent',
                             evaluators=evaluators)
            yield Metric(name=f'{before}support{suffix}', key=f'{prefix}/support{suffix}', unit='count',
                         evaluators=evaluators)
    yield Metric(name='multi-label mAP', key='multi-label/mAP', unit='percent',
                 evaluators=('AveragePrecision', 'VOCAveragePrecision'))
    yield Metric(name='retrieval mAP@*', key='retrieval/mAP@*', unit='percent',
                 evaluators=('RetrievalAveragePrecision', ))
    yield Metric(name='retrieval recall@#', key='retrieval/Recall@#', unit='percent', evaluators=('RetrievalRecall', ))
    yield from _language()


def _language() -> Iterator[Metric]:
    for name in ('CIDEr', 'SPICE', 'METEOR', 'ROUGE_L', 'Bleu_#'):
        yield Metric(name=name, key=name, evaluators=('COCOCaption', ))
    yield Metric(name='VQA accuracy', key='VQA/acc', unit='percent', evaluators=('VQAAcc', ))
    yield Metric(name='GQA accuracy', key='GQA/acc', evaluators=('GQAAcc', ))
    yield Metric(name='ANLS', key='ANLS/ANLS', evaluators=('ANLS', ))
    yield Metric(name='grounding accuracy', key='visual-grounding/acc', evaluators=('VisualGroundingMetric', ))
    yield Metric(name='grounding IoU', key='visual-grounding/miou', evaluators=('VisualGroundingMetric', ))
    for name in _SCIENCE:
        yield Metric(name=name, key=name, evaluators=('ScienceQAMetric', ))
