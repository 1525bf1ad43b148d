"""What must hold of the settings that say how a network learns: told before a clip is looked at."""

import pytest

from sertk.recipes import assemble, get, override


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("003-cnn6", {"split.labelled": 0.0}, "`split.labelled` must be above 0.*labelled=0.0"),
        ("003-cnn6", {"split.labelled": 1.5}, "`split.labelled` must be above 0.*labelled=1.5"),
        ("003-cnn6", {"start.layer": 1}, "`start.layer` .* needs a `start.source`.*source=None"),
        ("003-cnn6", {"start.frozen": True}, "needs a `start.source`"),
        ("003-cnn6", {"start.source": "runs/a", "start.layer": -1}, "`start.layer` must be at least 0"),
        ("003-cnn6", {"start.source": "runs/a", "training.members": 2}, "`training.members` must be 1"),
        ("000-cnn6-simclr", {"contrastive.temperature": 0.0}, "`contrastive.temperature` must be above 0.*=0.0"),
        ("000-cnn6-simclr", {"contrastive.temperature": float("nan")}, "`contrastive.temperature` must be above 0"),
        ("000-cnn6-student", {}, "`teacher.source` must name the folder of the run that teaches"),
        ("000-cnn6-student", {"teacher.temperature": -1.0}, "`teacher.temperature` must be above 0.*=-1.0"),
        ("000-cnn6-student", {"teacher.multiplier": 1.5}, "`teacher.multiplier` .*at most 1.*=1.5"),
        ("003-cnn6", {"teacher.labels": "labels.csv"}, "set `teacher.source`"),
        ("000-cnn6-simclr", {"contrastive.loss": "triplet"}, "`contrastive.loss` must be nt_xent or supervised"),
        ("000-cnn6-simclr", {"training.batch_size": 1}, "`training.batch_size` must be at least 2.*=1"),
        (
            "000-cnn6-simclr",
            {f"augmentation.{name}": 0 for name in ("time_masks", "frequency_masks", "tri_cut", "tri_mix")},
            "two views of a clip differ",
        ),
        ("000-cnn6-simclr", {"training.monitor": "accuracy"}, "`training.monitor` has no place"),
        ("000-cnn6-simclr", {"teacher.source": "runs/a"}, "`teacher.source` has no place"),
        ("000-cnn6-simclr", {"start.source": "runs/a", "start.frozen": True}, "`start.frozen` has no place"),
        ("000-cnn6-simclr", {"training.members": 3}, "`training.members` has no place"),
        ("000-cnn6-simclr", {"adversarial.multiplier": 0.1}, "exclude each other.*adversarial.multiplier=0.1"),
        ("000-cnn6-student", {"teacher.source": "a", "adversarial.multiplier": 0.1}, "exclude each other"),
        ("003-cnn6-nsl-3", {"augmentation.tri_mix": 0.5, "upstream.source": "a"}, "exclude each other"),
        ("000-cnn6-student", {"teacher.source": "a", "augmentation.tri_mix": 0.5}, "must be 0 with a teacher"),
        ("004-vgg16-1", {"augmentation.tri_cut": 0.5}, "`augmentation.tri_cut` changes spectrograms"),
        ("003-cnn6", {"augmentation.area": [0.1, 0.9], "augmentation.tri_cut": 0.5}, "`area` must be"),
        ("003-cnn6", {"augmentation.tri_mix": 1.5}, "`probability` must be"),
    ],
)
def test_settings_at_odds_are_told_by_name(name, changes, said):
    with pytest.raises(ValueError, match=said):
        assemble.check_settings(override(get(name), changes))


@pytest.mark.parametrize("stage", ["supervised", "simclr", "teacher", "student"])
@pytest.mark.parametrize("encoder", ["resnet50", "resnet9", "cnn6", "speech-simclr"])
def test_paper_000s_settings_are_those_of_its_section_4_3(encoder, stage):
    recipe = get(f"000-{encoder}-{stage}")
    training = recipe.training
    assert (training.learning_rate, training.weight_decay, training.epochs, training.batch_size) == (1e-4, 1e-3, 80, 34)
    assert recipe.split.k == 5
    assert recipe.labels == "eight"
    assert recipe.split.labelled == (0.01 if stage == "teacher" else 1)
