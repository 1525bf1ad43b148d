"""Paper 003: small networks on DEMoS that learn from a large one on RAVDESS, through a graph or by classic transfer.

Common to all, from its section 3.2: clips cut or repeated to 95,744 samples, DEMoS's longest (`audio.seconds=longest`
asks for that of another corpus); log-mel spectrograms of 373 frames and 64 bands, each band normalised on the training
part; Adam at 1e-3, times 0.9 after every 5 epochs, with the published code's epsilon of 1e-8, 50 epochs, batches of 16;
40 %, 30 % and 30 % of the clips, by speaker. The network trained last is kept. The paper's test figures are of networks
trained on its training and validation parts together: `training.join_validation=true`.

What is passed on comes from `upstream.source`, which has to be given: a run of `003-upstream`, or any other.

The paper's figure 2 varies n (3, 6, 9), alpha (0.01, 0.1, 1) and the layer (fc1, fc2); its table 3 has the best alpha
of each n at fc2. `--set graph.neighbors=`, `graph.multiplier=` and `graph.layer=` give the others. In the published
code "fc1" is before the ReLU in VGG-15 and CNN-6 and behind it in ResNet-9; here "fc1" is before it in all of them and
"fc1_relu" behind.
"""

from sertk.recipes.groups import Audio, Features, Graph, Model, Split, Training
from sertk.recipes.recipe import Recipe

SOURCE = "paper 003, table 3"
NETWORKS = {"vgg15": "VGG-15", "resnet9": "ResNet-9", "cnn6": "CNN-6"}
# Table 3: the most neighbours, and the multiplier that is best with as many.
GRAPHS = {3: 0.01, 6: 0.1, 9: 0.1}
SHARED = {
    "labels": None,
    "split": Split(kind="speakers-40-30-30"),
    "audio": Audio(seconds=95_744 / 16_000, crop="start", pad="repeat"),
    "features": Features(kind="log_mel", n_fft=512, hop_length=256, n_mels=64, center=False, normalize=True),
    "training": Training(
        learning_rate=1e-3,
        schedule="staircase",
        decay_rate=0.9,
        decay_epochs=5.0,
        epsilon=1e-8,
        batch_size=16,
        epochs=50,
        patience=None,
    ),
}

PAPER_003 = tuple(
    recipe
    for builder, title in NETWORKS.items()
    for recipe in (
        Recipe(name=f"003-{builder}", title=title, source=SOURCE, model=Model(builder), **SHARED),
        *(
            Recipe(
                name=f"003-{builder}-{fusion}",
                title=f"{title}, {how} with an upstream's embedding",
                source=SOURCE,
                model=Model(builder, {"fusion": fusion}),
                **SHARED,
            )
            for fusion, how in (("add", "added"), ("maximum", "maximised"), ("average", "averaged"))
        ),
        *(
            Recipe(
                name=f"003-{builder}-nsl-{most}",
                title=f"{title}, neural structured learning with {most} neighbours",
                source=SOURCE,
                model=Model(builder),
                graph=Graph(neighbors=most, multiplier=multiplier, layer="fc2"),
                **SHARED,
            )
            for most, multiplier in GRAPHS.items()
        ),
    )
)
