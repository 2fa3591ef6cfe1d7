from hrnet_plugin.models.backbones.hrnet import HRNet

__all__ = ['HRNet']
