"""The networks: functional builders, one architecture a file, and the step from waveform to features before them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attentive_cnn": ["attentive_cnn"],
        "attentive_pooling": ["AttentiveStatisticsPooling"],
        "batch_norm": ["BatchNormalization"],
        "by_lengths": ["by_lengths"],
        "cnn": ["cnn"],
        "cnn6": ["cnn6"],
        "cnn_transformer": ["cnn_transformer"],
        "encoder": ["encoder"],
        "ensemble": ["ensemble"],
        "exposed": ["exposing"],
        "fine_tuned": ["fine_tuned"],
        "masked_pooling": ["MaskedPooling"],
        "probe": ["probe"],
        "projection_head": ["encoder_and_head", "projection_head"],
        "resnet50": ["resnet50"],
        "resnet9": ["resnet9"],
        "speech_simclr": ["speech_simclr"],
        "squeezenet": ["squeezenet"],
        "ssl.encoder": ["ssl_encoder"],
        "ssl.forms": ["until", "with_hidden_states", "with_lengths", "without_lengths"],
        "ssl.pretrained": ["from_pretrained", "load_pretrained"],
        "ssl_classifier": ["ssl_classifier"],
        "transfer_head": ["transfer_head"],
        "two_cnn": ["two_cnn"],
        "vgg15": ["vgg15"],
        "waveform": [
            "from_embeddings",
            "from_features",
            "from_padded",
            "from_waveform",
            "load",
            "without_fixed_length",
        ],
        "wide_resnet": ["wide_resnet50"],
    },
)
