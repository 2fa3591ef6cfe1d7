"""Analysis of one model: precision-recall curves, confusion matrix, score histograms and AP by class."""
