"""Study files, runs and stored results."""

from __future__ import annotations

import json
import math

import pytest
from mmengine.config import Config

from hrnet_plugin.cli.ablate import counts
from hrnet_plugin.experiments.ablation import all_runs, list_studies, read_study

BASE = """
model = dict(width=1, part=dict(depth=2))
data_root = 'data/'
train_dataloader = dict(dataset=dict(data_root='data/'))
"""
STUDY = """
config = 'base.py'
metrics = {'AP': 'coco/AP', 'small': 'coco/AP_s'}
scale = 100
shape = (64, 48)
options = {'model.width': 3}
variants = {
    'one': dict(published=dict(AP=70.5)),
    'two & a half': dict(options={'model.part.depth': 5, 'model.width': 4}),
    'other': dict(config='other.py'),
}
"""


@pytest.fixture
def study_file(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'other.py').write_text("_base_ = './base.py'\nmodel = dict(other=True)\n")
    path = tmp_path / 'mine.py'
    path.write_text(STUDY)
    return path


def log(run, *records, session='20260101_000000'):
    """Write the log of an mmengine run."""
    folder = run.folder / 'work' / session / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))


class TestStudy:

    def test_entries(self, study_file):
        study = read_study(str(study_file))
        assert (study.name, study.metric, study.scale, study.shape, study.seeds) == ('mine', 'AP', 100, (64, 48), 3)
        assert [variant.name for variant in study.variants] == ['one', 'two & a half', 'other']
        assert study.variants[0].published == {'AP': 70.5}
        assert [variant.folder for variant in study.variants] == ['one', 'two---a-half', 'other']

    def test_options_of_a_variant_override_those_of_the_study(self, study_file):
        one, two, other = (variant.trained_config().model for variant in read_study(str(study_file)).variants)
        assert one == dict(width=3, part=dict(depth=2))
        assert two == dict(width=4, part=dict(depth=5))
        assert other == dict(width=3, part=dict(depth=2), other=True)

    @pytest.mark.parametrize(('old', 'new', 'error', 'words'), [
        ("scale = 100", "scle = 100", ValueError, "each entry must be one of .*got 'scle'"),
        ("scale = 100", "scale = '%'", ValueError, "scale must be a number above 0, got '%'"),
        ("scale = 100", "scale = 0", ValueError, 'scale must be a number above 0, got 0'),
        ("options = {'model.width': 3}", "options = 3", TypeError, 'options must be a mapping, got 3'),
        ("shape = (64, 48)", "shape = (64, )", ValueError, 'shape must have 2 entries, got 1'),
        ("shape = (64, 48)", "seeds = 3", TypeError, 'shape must be a sequence of ints, got None'),
        ("shape = (64, 48)", "shape = (64, 48)\nseeds = 0", ValueError, 'seeds must be at least 1, got 0'),
        ("metrics = {'AP': 'coco/AP', 'small': 'coco/AP_s'}", 'metrics = {}', ValueError, 'metrics must have entries'),
        ("metrics = {'AP': 'coco/AP', 'small': 'coco/AP_s'}", "metrics = {'AP': 3}", TypeError,
         r"metrics\['AP'\] must be a key of the evaluation logs, got 3"),
        ("published=dict(AP=70.5)", "published=dict(AR=70.5)", ValueError,
         r"key of variants\['one'\] published must be one of 'AP', 'small', got 'AR'"),
        ("published=dict(AP=70.5)", "published=3", TypeError, r"variants\['one'\] published must be a mapping, got 3"),
        ("published=dict(AP=70.5)", "option={}", ValueError, r"each key of variants\['one'\] must be .*got 'option'"),
        ("dict(published=dict(AP=70.5))", "3", TypeError, r"variants\['one'\] must be a mapping, got 3"),
        ("'other': dict", "'One': dict", ValueError, 'names that differ in letters and digits'),
        ("config = 'base.py'", "", TypeError,
         r"config of variants\['one'\] or of the study must be the name or path of a config, got None"),
        ("config='other.py'", "config='nowhere'", FileNotFoundError, "path of a file, got 'nowhere'"),
    ])
    def test_invalid_entries(self, study_file, old, new, error, words):
        assert old in STUDY
        study_file.write_text(STUDY.replace(old, new))
        with pytest.raises(error, match=words) as caught:
            read_study(str(study_file))
        assert error is FileNotFoundError or str(caught.value).startswith(f'{study_file}: ')

    def test_unknown_study(self):
        with pytest.raises(FileNotFoundError, match=r"study must be one of .*pose_sample.* got 'poses'"):
            read_study('poses')


class TestRun:

    def test_order(self, study_file, tmp_path):
        runs = all_runs(read_study(str(study_file)), tmp_path, None, 2)
        assert [run.title for run in runs] == [f'{name}, seed {seed}' for seed in (0, 1)
                                               for name in ('one', 'two & a half', 'other')]
        assert len({run.folder for run in runs}) == 6

    def test_config(self, study_file, tmp_path):
        run = all_runs(read_study(str(study_file)), tmp_path, str(tmp_path / 'elsewhere'), 2)[-1]
        command = run.command()
        written = Config.fromfile(command[3])
        assert written.randomness.seed == 1
        assert written.default_hooks.random_state.type == 'hrnet_plugin.RandomStateHook'
        assert written.train_dataloader.dataset.data_root == f'{tmp_path}/elsewhere/'
        assert command[-1] == str(run.folder / 'work')

    def test_result_is_the_last_evaluation(self, study_file, tmp_path):
        run = all_runs(read_study(str(study_file)), tmp_path, None, 1)[0]
        assert run.result() is None
        log(run, dict(loss=1., time=.5, epoch=1, step=1), {'coco/AP': .5, 'coco/AP_s': .1, 'step': 1},
            dict(loss=.9, time=.1, epoch=2, step=2), dict(loss=.8, time=.3, epoch=2, step=3),
            {'coco/AP': .25, 'coco/AP_s': -1, 'step': 2})  # the COCO API returns -1 for undefined metrics
        kept = run.save_result(dict(jobs=2))
        assert kept.setting == dict(jobs=2)
        assert kept.metrics == {'AP': 25.0, 'small': None}
        assert kept.step_seconds == 0.3
        assert run.result() == kept
        assert not [path for path in run.folder.iterdir() if path.suffix in ('.partial', '.part')]

    def test_no_evaluation(self, study_file, tmp_path):
        run = all_runs(read_study(str(study_file)), tmp_path, None, 1)[0]
        log(run, dict(loss=1., time=.5, epoch=1, step=1))
        with pytest.raises(FileNotFoundError, match='has no logged coco/AP'):
            run.save_result({})

    def test_nan_is_an_undefined_metric(self, study_file, tmp_path):
        run = all_runs(read_study(str(study_file)), tmp_path, None, 1)[0]
        log(run, {'coco/AP': math.nan, 'step': 1})
        assert run.save_result({}).metrics == {'AP': None, 'small': None}
        assert run.save_result({}).step_seconds is None

    def test_result_of_another_config_is_refused(self, study_file, tmp_path):
        runs = all_runs(read_study(str(study_file)), tmp_path, None, 2)
        for run in runs:
            run.command()
            if run.seed == 0:  # the others have only started
                log(run, dict(loss=1., time=.5, epoch=1, step=1), {'coco/AP': .5, 'coco/AP_s': .5, 'step': 1})
                run.save_result({})
        study_file.write_text(STUDY.replace("'model.part.depth': 5", "'model.part.depth': 6"))
        for run in all_runs(read_study(str(study_file)), tmp_path, None, 2):
            if run.variant.name == 'two & a half':
                with pytest.raises(ValueError, match='must have the current config and data root of the study'):
                    run.result()
            else:
                assert (run.result() is None) == (run.seed > 0)

    def test_half_a_config_of_a_killed_process_is_the_same_config(self, study_file, tmp_path):
        run = all_runs(read_study(str(study_file)), tmp_path, None, 1)[0]
        run.command()
        whole = (run.folder / 'config.py').read_text()
        for length in (0, len(whole) // 2):
            (run.folder / 'config.py').write_text(whole[:length])
            assert run.result() is None
            run.command()
            assert (run.folder / 'config.py').read_text() == whole

    def test_entries_in_another_order_are_the_same_config(self, study_file, tmp_path):
        """The order of entries changes when a base config is split."""
        run = all_runs(read_study(str(study_file)), tmp_path, None, 1)[0]
        run.command()
        log(run, dict(loss=1., time=.5, epoch=1, step=1), {'coco/AP': .5, 'coco/AP_s': .5, 'step': 1})
        kept = run.save_result({})
        started = Config.fromfile(str(run.folder / 'config.py')).to_dict()
        (run.folder / 'config.py').write_text(Config(dict(reversed(started.items()))).pretty_text)
        assert run.result() == kept


@pytest.mark.parametrize('name', list_studies())
class TestShippedStudies:

    def test_variants_differ_only_in_the_network(self, name):
        study = read_study(name)
        pytest.importorskip(study.variants[0].trained_config().default_scope)
        configs = [variant.trained_config() for variant in study.variants]
        assert len({str(config.model) for config in configs}) == len(configs)
        for config in configs:
            other = configs[0].to_dict()
            changed = {key for key, value in config.to_dict().items() if value != other[key]}
            assert changed <= {'model'}

    def test_matched_costs(self, name):
        """Equal depth: parameters and operations within 3 percent. Single stream: operations within 7 percent."""
        study = read_study(name)
        pytest.importorskip(study.variants[0].trained_config().default_scope)
        found = {title: count.parts['total'] for title, count in counts(study).items()}
        default = found[study.variants[0].name]
        for title, count in found.items():
            macs, parameters = count.macs / default.macs, count.parameters / default.parameters
            if title == 'equal depth':
                assert math.isclose(macs, 1, abs_tol=0.03)
                assert math.isclose(parameters, 1, abs_tol=0.03)
            if title == 'single stream':
                assert math.isclose(macs, 1, abs_tol=0.07)
            if title == 'product':
                assert (macs, parameters) == (1, 1)
