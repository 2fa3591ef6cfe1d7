"""Write docs/checkpoints.md from the table of published checkpoints (hrnet_plugin/checkpoints/published.csv).

    python scripts/write_checkpoints_page.py
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'checkpoints.md'
sys.path.insert(0, str(ROOT))

from hrnet_plugin.checkpoints.published import Published, published  # noqa: E402

_HEAD = """\
# Which file do I need?

Every HRNet checkpoint that the authors of the network, the OpenMMLab repositories and timm have published: {count}.
(Written by `scripts/write_checkpoints_page.py` from `hrnet_plugin/checkpoints/published.csv`.)

- **To train** something new, take an ImageNet file of your width, as a path, `open-mmlab://msra/hrnetv2_w18` or
  `timm://...`, in `init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...)`. The shipped configs name one.
  Better ImageNet figures (SSLD, CutMix) do not promise better detectors. A checkpoint of any other task serves, too:
  [weights.md](weights.md).
- **To test or go on with** a published model, take the row's config. One of ours is a name; one with `::` is the
  host's own, with the [type of its backbone](drop_in.md) changed (in mmpose and mmsegmentation, its `host` said,
  too). ImageNet rows without a config are for [`HRNetClassifier`](weights.md#classification). Files of the official
  codes and of older versions have other names of tensors: `mim test hrnet_plugin` maps them; for other tools, `mim
  run hrnet_plugin convert` writes them anew.
- **Images**: the order of colours that the network was trained on; 'std 1' are pixels of 0 to 255 from which only the
  mean (102.9801, 115.9465, 122.7717) is taken off. **Upsampling**: of the fusion; the config has the same one.
- Rows of FCOS with 'std 1' need `data_preprocessor=dict(mean=[102.9801, 115.9465, 122.7717], std=[1, 1, 1],
  bgr_to_rgb=False)`; those of HRNet-FCOS also `bbox_head=dict(conv_bias=True)`.
- Figures are the publisher's; the open-mmlab files without any hold an ImageNet network without its head. Networks
  that were trained on Cityscapes' train and val sets have their figures on the test set; their configs test on val.
  None of these files was fetched or tested for this page. `mim run hrnet_plugin inspect FILE` says what a file is,
  and which row here, where its published name carries a digest.
- Known slips of the sources: two pairs of rows share an address (Faster R-CNN W32 2x and W40 1x; W32 3x and 4x). In
  the authors' table of Mask R-CNN the figures of boxes and masks of W48 are exchanged; here they are not. The first
  link of OCR for 60 classes is that of another row; here it is the second one.
"""
_ORDER = ('model', 'data', 'figures', 'images', 'upsampling', 'config')


def page() -> str:
    """The whole page."""
    parts = [_HEAD.format(count=len(published()))]
    for task, rows in groupby(published(), key=lambda row: row.task):
        parts.append(f'\n## {task.capitalize()}\n')
        for publisher, mine in groupby(rows, key=lambda row: row.publisher):
            parts.append(f'\n### {task.capitalize()}, {publisher}\n\n| ' + ' | '.join(_ORDER) + ' |\n'
                         + '|---' * len(_ORDER) + '|\n')
            parts += [_line(row) for row in mine]
    return ''.join(parts)


def _line(row: Published) -> str:
    if row.address.startswith('http'):
        model = f'[{row.model}]({row.address})'
    elif row.address:
        model = f'{row.model}: `{row.address}`'
    else:
        model = f'{row.model} (shared folder)'
    config = f'`{row.config}`' if row.config else ''
    return f'| {model} | {row.data} | {row.figures} | {row.images} | {row.upsampling} | {config} |\n'


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
