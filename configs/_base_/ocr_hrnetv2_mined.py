"""OCR on HRNetV2-W18 with hard example mining in the last output. A base only."""
_base_ = './ocr_hrnetv2.py'

model = dict(data_preprocessor=dict(size=(520, 520)))
_base_.model.decode_head[1].loss_decode.update(thresh=0.9, min_kept=131072)
