from hrnet_plugin.models.losses.pixel_cross_entropy import PixelCrossEntropy

__all__ = ['PixelCrossEntropy']
