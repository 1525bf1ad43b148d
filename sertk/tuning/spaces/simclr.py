"""SimCLR of paper 000: the temperature, and how far two views of a clip differ.

What is to be high is the accuracy of a linear classifier on the encoder's vectors, trained on the training part and
measured on the validation part. How well views find each other (the contrastive accuracy) won't do: it is highest
where the views hardly differ, and nothing is learnt. The paper gives no values; the bounds are chosen here around its
recipes' own.
"""

from sertk.tuning.space import SearchSpace


def choose(hp):
    """The temperature on a logarithmic scale, masks, and the shares of clips whose triangles are cut or mixed."""
    return {
        "contrastive.temperature": hp.Float("contrastive.temperature", 0.05, 1.0, sampling="log", default=0.1),
        "augmentation.time_masks": hp.Int("augmentation.time_masks", 1, 3),
        "augmentation.frequency_masks": hp.Int("augmentation.frequency_masks", 0, 2, default=1),
        "augmentation.max_width": hp.Float("augmentation.max_width", 0.05, 0.3, step=0.05, default=0.1),
        "augmentation.tri_cut": hp.Float("augmentation.tri_cut", 0.0, 1.0, step=0.5, default=0.5),
        "augmentation.tri_mix": hp.Float("augmentation.tri_mix", 0.0, 1.0, step=0.5, default=0.5),
    }


SIMCLR = SearchSpace(
    name="simclr",
    title="temperature and augmentation of contrastive learning",
    source="paper 000, section 3.1",
    recipes=tuple(f"000-{encoder}-simclr" for encoder in ("resnet50", "resnet9", "cnn6", "speech-simclr")),
    choose=choose,
    # The recipe's own folds are a cross-validation; a search wants one split.
    changes={"split.kind": "speaker"},
    objective="val_linear_accuracy",
)
