from hrnet_plugin.models.classifiers.classifier import HRNetClassifier
from hrnet_plugin.models.classifiers.head import ClassificationHead

__all__ = ['ClassificationHead', 'HRNetClassifier']
