"""What neural-structured-learning makes of the same, which all of a graph is compared with."""

import pytest


@pytest.fixture(scope="session")
def nsl_tools():
    """NSL's graph tools, as sertk offers them."""
    from sertk.learning import nsl

    return nsl.tools


@pytest.fixture(scope="session")
def examples():
    """A function that writes embeddings as NSL takes them, a TFRecord of `id` and `embedding`."""
    import tensorflow as tf

    def write(path, embeddings, keys):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for key, vector in zip(keys, embeddings, strict=True):
                features = {
                    "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[key.encode()])),
                    "embedding": tf.train.Feature(float_list=tf.train.FloatList(value=vector)),
                }
                writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
        return str(path)

    return write
