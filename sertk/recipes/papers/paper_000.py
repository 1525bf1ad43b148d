"""Paper 000: an encoder learns without labels, then from few, and is poured into a student.

Its section 4.3: ResNet-50 on log-mel spectrograms, Adam at 1e-4 with a "regularization" of 1e-3, 80 epochs, batches of
34, 5-fold cross-validation, eight emotions. Regularisation is taken for decoupled weight decay here, AdamW's. Clips,
bands, hop, temperatures, areas of triangles and the projection head's sizes are not given and chosen here; its folds
are taken by speaker (`split.kind=k-fold` is as published, with speakers on both sides).

Each encoder has four recipes, the stages of algorithm 1, which `sertk simclrv2` runs one after the other:

| recipe | learns from | begins with |
| :-- | :-- | :-- |
| `000-resnet50-supervised` | a labelled source: clips of one emotion are alike | random weights |
| `000-resnet50-simclr` | clips without labels: two views of a clip are alike | `start.source` |
| `000-resnet50-teacher` | the target's few labels, 1 % | `start.source`, the middle of its projection head |
| `000-resnet50-student` | what the teacher says about all clips | `start.source`, `teacher.source` |

The student here is as large as the teacher (self-distillation); with another `model` it is smaller, without a start.
"""

from sertk.recipes.groups import Augmentation, Contrastive, Features, Model, Split, Start, Teacher, Training
from sertk.recipes.recipe import Recipe

SOURCE = "paper 000, algorithm 1 and section 4.3"
ENCODERS = {
    "resnet50": (Model("resnet50"), "ResNet-50"),
    "resnet9": (Model("resnet9"), "ResNet-9"),
    "cnn6": (Model("cnn6"), "CNN-6"),
    "speech-simclr": (Model("speech_simclr"), "the transformer encoder of Speech SimCLR"),
}
SHARED = {
    "labels": "eight",
    "split": Split(kind="speaker-k-fold"),
    "features": Features(kind="log_mel", n_fft=1024, hop_length=512, n_mels=64, normalize=True),
}
LEARNING = {
    "optimizer": "adamw",
    "learning_rate": 1e-4,
    "weight_decay": 1e-3,
    "batch_size": 34,
    "epochs": 80,
    "patience": None,
}
VIEWS = Augmentation(time_masks=1, frequency_masks=1, tri_cut=0.5, tri_mix=0.5)
# A student whose teacher hears clips as they are, and a teacher with hardly a clip, see no pieces of other clips.
CUTS = Augmentation(time_masks=1, frequency_masks=1, tri_cut=0.5)

STAGES = {
    "supervised": (
        "supervised contrastive learning",
        {"contrastive": Contrastive("supervised"), "augmentation": VIEWS},
    ),
    "simclr": ("SimCLR without labels", {"contrastive": Contrastive("nt_xent"), "augmentation": VIEWS}),
    "teacher": (
        "fine-tuned on few labels from the middle of its projection head",
        {"start": Start(layer=1), "augmentation": CUTS},
    ),
    "student": ("distilled from a teacher", {"teacher": Teacher(source=""), "augmentation": CUTS}),
}

PAPER_000 = tuple(
    Recipe(
        name=f"000-{encoder}-{stage}",
        title=f"{title}, {how}",
        source=SOURCE,
        model=model,
        training=Training(**LEARNING),
        **(SHARED | {"split": Split(kind="speaker-k-fold", labelled=0.01)} if stage == "teacher" else SHARED),
        **settings,
    )
    for encoder, (model, title) in ENCODERS.items()
    for stage, (how, settings) in STAGES.items()
)
