"""Comparison of the metrics in the adapters with the evaluators that the installed hosts register.

Evaluators run on generated results where that needs no other package or dataset. The keys of the others are listed here
and compared with those that their source assigns.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib import import_module

import numpy as np
import pytest
import torch

from hrnet_plugin.evaluation.leaderboard.metrics import rename_metrics
from hrnet_plugin.hosts import HOSTS
from hrnet_plugin.hosts.metric_lookup import find_logged

COCO = [f'mAP{size}' for size in ('', '_50', '_75', '_s', '_m', '_l')]
RECALL = ['AR@100', 'AR@300', 'AR@1000', 'AR_s@1000', 'AR_m@1000', 'AR_l@1000']
POSE = ['AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)']
CAPTION = ['Bleu_1', 'Bleu_2', 'Bleu_3', 'Bleu_4', 'METEOR', 'ROUGE_L', 'CIDEr', 'SPICE']
LVIS = [f'AP{size}' for size in ('', '50', '75', 's', 'm', 'l', 'r', 'c', 'f')]
LVIS_RECALL = ['AR@300', 'ARs@300', 'ARm@300', 'ARl@300']

#: Host -> evaluator -> keys without the default prefix.
LISTED = dict(
    mmdet=dict(
        CityScapesMetric=['mAP', 'AP@50'], COCOCaptionMetric=CAPTION, CrowdHumanMetric=['mAP', 'mMR', 'JI'],
        CocoOccludedSeparatedMetric=[f'segm_{key}' for key in COCO] + ['occluded_recall', 'separated_recall'],
        CocoVideoMetric=[f'bbox_{key}' for key in COCO],
        DODCocoMetric=[*COCO, 'mAP_short', 'mAP_mid', 'mAP_long', 'mAP_very_long'],
        Flickr30kMetric=['1/all', '10/all', '-1/all'],
        LVISMetric=[f'{kind}{key}' for kind in ('', 'bbox_', 'segm_') for key in [*LVIS, *LVIS_RECALL]
                    if kind or key not in LVIS] + ['traffic_light_precision'],
        LVISFixedAPMetric=LVIS,
        MOTChallengeMetric=['HOTA', 'AssA', 'DetA', 'MOTA', 'MOTP', 'IDSW', 'TP', 'FP', 'FN', 'Frag', 'MT', 'ML',
                            'IDF1', 'IDTP', 'IDFN', 'IDFP', 'IDP', 'IDR'],
        OVCocoMetric=[f'bbox_{key}' for key in COCO] + ['base_ap', 'novel_ap', 'base_ap50', 'novel_ap50'],
        OpenImagesMetric=['mAP', 'AP50'], YouTubeVISMetric=[f'segm_{key}' for key in COCO] + [
            'segm_AR@1', 'segm_AR_s@100', 'segm_AR_m@100', 'segm_AR_l@100'],
        RefExpMetric=['mean_precision', 'refcoco_precision@1', 'refcoco+_precision@5', 'refcocog_precision@10'],
        gRefCOCOMetric=['F1_score', 'T_acc', 'N_acc']),
    mmpose=dict(
        CocoMetric=[*POSE, 'AP(E)', 'AP(M)', 'AP(H)'], CocoWholeBodyMetric=POSE,
        PoseTrack18Metric=['Head AP', 'Shou AP', 'Elb AP', 'Wri AP', 'Hip AP', 'Knee AP', 'Ankl AP', 'AP']),
    mmseg=dict(CityscapesMetric=['averageScoreCategories', 'averageScoreInstCategories']),
    mmpretrain=dict(
        ANLS=['ANLS'], COCOCaption=CAPTION, GQAAcc=['acc'], VQAAcc=['acc'], VisualGroundingMetric=['acc', 'miou'],
        RetrievalRecall=['Recall@1'], RetrievalAveragePrecision=['mAP@10', 'mAP@None'],
        ScienceQAMetric=['all_acc', 'acc_natural', 'acc_social', 'acc_language', 'acc_has_text', 'acc_has_image',
                         'acc_no_context', 'acc_grade_1_6', 'acc_grade_7_12'],
        VOCMultiLabelMetric=['precision', 'recall', 'f1-score'], VOCAveragePrecision=['mAP']))
#: Evaluators without a number, and those whose keys are the keys of others after the name of a part or task.
OTHERS = dict(mmdet={'DumpDetResults', 'DumpODVGResults', 'DumpProposals'}, mmpose={'KeypointPartitionMetric'},
              mmseg=set(),
              # a task's name precedes with '_'; ShapeBiasMetric logs Accuracy's key as a fraction
              mmpretrain={'ConfusionMatrix', 'MultiTasksMetric', 'NocapsSave', 'ReportVQA', 'ShapeBiasMetric'})


def evaluate(metric, results, **meta):
    metric.dataset_meta = meta
    return {f'{metric.prefix}/{key}' if metric.prefix else key: value
            for key, value in metric.compute_metrics(results).items()}


def run_mmdet(metrics):
    box, mask = np.array([[2., 2., 22., 22.]]), np.zeros((50, 50), np.uint8, order='F')
    mask[2:22, 2:22] = 1
    from pycocotools.mask import encode
    rle = encode(mask)
    truth = dict(img_id=0, width=50, height=50, anns=[dict(bbox_label=0, bbox=list(box[0]), mask=rle)])
    found = dict(img_id=0, bboxes=box, scores=np.array([.9]), labels=np.array([0]), masks=[rle])
    coco = dict(classwise=True, proposal_nums=(100, 300, 1000))
    yield 'CocoMetric', evaluate(metrics.CocoMetric(metric=['bbox', 'segm', 'proposal_fast'], **coco), [(truth, found)],
                                 classes=('car', ))
    yield 'CocoMetric', evaluate(metrics.CocoMetric(metric=['proposal'], **coco), [(truth, found)], classes=('car', ))
    items = metrics.CocoMetric(metric=['bbox', 'segm'], metric_items=RECALL, **coco)
    yield 'CocoMetric', evaluate(items, [(truth, found)], classes=('car', ))
    objects = dict(bboxes=box, labels=np.array([0]), bboxes_ignore=np.zeros((0, 4)), labels_ignore=np.zeros(0, int))
    boxes = [np.array([[*box[0], .9]])]
    for options in (dict(iou_thrs=[.5, .75]), dict(metric='recall', iou_thrs=[.5, .75], proposal_nums=(1, 100))):
        yield 'VOCMetric', evaluate(metrics.VOCMetric(**options), [(objects, boxes)], classes=('car', ))
    people = [dict(pred_feature=torch.tensor([float(k), 1.]), gt_label=torch.tensor([k // 2])) for k in range(4)]
    yield 'ReIDMetrics', evaluate(metrics.ReIDMetrics(metric=['mAP', 'CMC'], metric_options=dict(rank_list=[1, 2],
                                                                                               max_rank=2)), people)
    yield 'RefSegMetric', evaluate(metrics.RefSegMetric(), [(torch.tensor(3), torch.tensor(4), torch.tensor(.75), 1)])
    areas = [{f'area_{part}': torch.tensor([3., 4.]) for part in ('intersect', 'union', 'pred_label', 'label')}]
    semantic = metrics.SemSegMetric(iou_metrics=['mIoU', 'mDice', 'mFscore'])
    yield 'SemSegMetric', evaluate(semantic, areas, classes=('a', 'b'))
    quality = import_module('mmdet.evaluation.metrics.coco_panoptic_metric').parse_pq_results(
        {part: dict(pq=.5, sq=.5, rq=.5) for part in ('All', 'Things', 'Stuff')})
    yield 'CocoPanopticMetric', {f'coco_panoptic/{key}': value for key, value in quality.items()}


def run_mmpose(metrics):
    rng = np.random.default_rng(0)
    points, mask, sizes = rng.random((2, 16, 2)), np.ones((2, 16), bool), np.ones((2, 2))
    common = dict(pred_coords=points, gt_coords=points + .01, mask=mask, bbox_size=sizes, head_size=sizes,
                  torso_size=sizes)
    yield 'PCKAccuracy', evaluate(metrics.PCKAccuracy(norm_item=['bbox', 'head', 'torso']), [common])
    yield 'MpiiPCKAccuracy', evaluate(metrics.MpiiPCKAccuracy(), [common])
    yield 'JhmdbPCKAccuracy', evaluate(metrics.JhmdbPCKAccuracy(norm_item=['bbox', 'torso']), [common])
    yield 'AUC', evaluate(metrics.AUC(), [common])
    yield 'EPE', evaluate(metrics.EPE(), [common])
    yield 'NME', evaluate(metrics.NME('use_norm_item', norm_item='bbox_size'), [dict(common, bbox_size=sizes[:, :1])])
    lifted = dict(pred_coords=rng.random((2, 16, 3)), gt_coords=rng.random((2, 16, 3)), mask=mask,
                  actions=['Walking_1', 'Eating_2'])
    simple = import_module('mmpose.evaluation.metrics.simple_keypoint_3d_metrics').SimpleMPJPE
    for mode in ('mpjpe', 'p-mpjpe', 'n-mpjpe'):
        yield 'MPJPE', evaluate(metrics.MPJPE(mode), [lifted])
        yield 'SimpleMPJPE', evaluate(simple(mode), [lifted])
    hands = dict(lifted, single_mask=mask, interacting_mask=mask, pred_hand_type=np.ones((1, 2)),
                 gt_hand_type=np.ones((1, 2)), hand_type_mask=np.array([True]), rel_root_mask=np.array([True]),
                 pred_rel_root_coords=np.zeros((1, 1, 3)), gt_rel_root_coords=np.ones((1, 1, 3)))
    yield 'InterHandMetric', evaluate(metrics.InterHandMetric(['MPJPE', 'MRRPE', 'HandednessAcc']), [hands])


def run_mmseg(metrics):
    areas = [tuple(torch.tensor([3., 4.]) for _ in range(4))]
    yield 'IoUMetric', evaluate(metrics.IoUMetric(iou_metrics=['mIoU', 'mDice', 'mFscore']), areas, classes=('a', 'b'))
    depth = torch.tensor([1., 2.])
    yield 'DepthMetric', evaluate(metrics.DepthMetric(), [(depth, depth + .1)])


def run_mmpretrain(metrics):
    scores = [dict(pred_score=torch.tensor([.1, .6, .3, 0., 0., 0.]), gt_label=torch.tensor([1])),
              dict(pred_score=torch.tensor([.5, .2, .3, 0., 0., 0.]), gt_label=torch.tensor([2]))]
    yield 'Accuracy', evaluate(metrics.Accuracy(topk=(1, 3, 5)), scores)
    yield 'Accuracy', evaluate(metrics.Accuracy(topk=(1, ), thrs=(.1, None)), scores)
    items = ('precision', 'recall', 'f1-score', 'support')
    for average in ('macro', 'micro'):
        yield 'SingleLabelMetric', evaluate(metrics.SingleLabelMetric(items=items, average=average), scores)
        several = [dict(pred_score=one['pred_score'], gt_score=torch.tensor([0, 1, 1, 0, 0, 0])) for one in scores]
        yield 'MultiLabelMetric', evaluate(metrics.MultiLabelMetric(items=items, average=average), several)
    yield 'MultiLabelMetric', evaluate(metrics.MultiLabelMetric(topk=2), several)
    yield 'AveragePrecision', evaluate(metrics.AveragePrecision(), several)


RUNS = dict(mmdet=run_mmdet, mmpose=run_mmpose, mmseg=run_mmseg, mmpretrain=run_mmpretrain)


@pytest.fixture(scope='module', params=HOSTS)
def found(request):
    """Return the host, its registered evaluators, and (evaluator, keys) of each evaluation."""
    pytest.importorskip(request.param)
    if request.param == 'mmdet':
        pytest.importorskip('pycocotools')
    metrics = import_module(f'{request.param}.evaluation.metrics')
    registered = import_module(f'{request.param}.registry').METRICS.module_dict
    logged = list(RUNS[request.param](metrics))
    for name, keys in LISTED[request.param].items():
        prefix = getattr(registered[name], 'default_prefix', None)
        logged.append((name, {f'{prefix}/{key}' if prefix else key: 0. for key in keys}))
    return HOSTS[request.param], registered, logged


def test_each_evaluator_has_metrics(found):
    host, registered, logged = found
    assert set(registered) == {name for name, _ in logged} | OTHERS[host.name]


def test_each_key_is_in_the_adapter(found):
    host, _, logged = found
    missing = []
    for name, values in logged:
        keys = {key for key, value in values.items() if torch.as_tensor(value).numel() == 1}
        metrics = {key: find_logged(host.metrics, key, keys) for key in keys}
        missing += [(name, key) for key, metric in metrics.items()
                    if name not in metric.evaluators or metric.name.startswith(f'{key.rpartition("/")[0]}/')]
    assert missing == []


def test_each_metric_of_the_adapter_is_logged(found):
    host, _, logged = found
    evaluated = {(metric.key, name) for name, values in logged
                 for metric in (find_logged(host.metrics, key, values) for key in values)}
    unused = [metric.key for metric in host.metrics
              if metric.evaluators and not any((metric.key, name) in evaluated for name in metric.evaluators)]
    assert unused == []


def test_all_numbers_are_recorded(found):
    host, _, logged = found
    for _, values in logged:
        numbers = {key for key, value in values.items() if torch.as_tensor(value).numel() == 1}
        assert len(rename_metrics(host.task, values)) == len(numbers)


def test_the_listed_keys_are_those_of_the_source(found):
    host, registered, _ = found
    for name, keys in LISTED[host.name].items():
        assert assigned_keys(registered[name]) <= set(keys), name


def assigned_keys(evaluator):
    """Return the constant keys of the dictionaries that the evaluator's class fills in ``compute_metrics``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(evaluator)))
    functions = [node for node in ast.walk(tree) if getattr(node, 'name', '') == 'compute_metrics']
    targets = [target for function in functions for node in ast.walk(function) if isinstance(node, ast.Assign)
               for target in node.targets]
    return {target.slice.value for target in targets if isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant) and target.value.id in ('eval_results', 'metrics', 'metric')}
