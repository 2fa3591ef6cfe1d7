"""The smallest model and data set that mmengine's runner trains."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset


class Ones(Dataset):
    """As many images as are asked for, with meta information if there is some."""

    def __init__(self, length, metainfo=None):
        self.length = length
        if metainfo is not None:
            self.metainfo = metainfo

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return dict(inputs=torch.ones(2))


class LinearModel(BaseModel):

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, inputs, mode='loss'):
        return dict(loss=self.layer(torch.stack(inputs)).sum())
