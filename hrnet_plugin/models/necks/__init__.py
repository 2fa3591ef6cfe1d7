from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2

__all__ = ['HRFPN', 'HRNetV2']
