"""Tests of the dialog with the config of a row on the HTML page."""

from __future__ import annotations

import re

from leaderboard_rows import make_entry
from page_actions import choose, column, fresh, phone, run, texts, violations

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.leaderboard.page.configs import config_texts
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank

pytest_plugins = 'page_fixtures'

NAME = 'htc_hrnetv2p-w48_28e_coco'


def test_configs_are_looked_up_by_name(tmp_path):
    (tmp_path / 'secret.py').write_text('secret')
    common = dict(task='detection', place='x', data='x', split='val', metrics={'AP': 1.})
    rows = [make_entry(source='mmdet', config=name, **common)
            for name in (NAME, NAME, '', 'unknown', str(tmp_path / 'secret'), f'../{NAME}', '__proto__')]
    own = make_entry(source='own', config='fcos_hrnetv2p-w18_1x_coco', **common)
    with open(cfg(NAME)) as file:
        assert config_texts([*rows, own]) == {NAME: file.read()}


def test_the_config_of_a_row(coco):
    row = next(row for row in rank(published_entries())[0].entries if row.config == NAME and 'checkpoint' in row.links)
    choose(coco, '[data-filter=source]', row.source)
    coco.find_element('xpath', f'//button[text()="{NAME}"]').click()
    assert texts(coco, '#config-title') == [NAME]
    with open(cfg(NAME)) as file:
        assert texts(coco, '#config-text') == [file.read()]
    assert texts(coco, '#config-commands') == [f'mim train hrnet_plugin {NAME}.py\nhrnet config {NAME}']
    found = run(coco, '[...document.querySelectorAll("#config-links a")].map((a) => [a.textContent, a.href])')
    assert found == [[name, row.links[name]] for name in ('checkpoint', 'source', 'paper')]
    assert violations(coco) == []
    from selenium.webdriver import ActionChains, Keys
    ActionChains(coco).send_keys(Keys.ESCAPE).perform()
    assert coco.find_element('id', 'config').is_displayed() is False
    assert run(coco, 'document.activeElement.textContent') == NAME
    assert not coco.get_log('browser')


def test_local_configs_have_no_dialog(opened):
    assert column(opened, 'config') == ['mine'] * 4
    assert not opened.find_elements('css selector', '#table .config')


def test_configs_on_phones(browser, page):
    with phone(browser):
        fresh(browser, page, '#board=detection,+COCO+val2017')
        browser.find_element('css selector', '#table td.model .config').click()
        assert re.search(r'mim train hrnet_plugin \S+\.py', browser.find_element('id', 'config-commands').text)
        box = run(browser, '((r) => [r.left, r.right])(document.getElementById("config").getBoundingClientRect())')
        assert 0 <= box[0] < box[1] <= 390
