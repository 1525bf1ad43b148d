"""Self-supervised speech transformers: wav2vec 2.0, XLSR-53, HuBERT and UniSpeech in one network."""
