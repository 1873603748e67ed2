"""CleanNet on Spark, from 3.5 on: DataFrames in, DataFrames out.

>>> from cleannet import spark as cleannet_spark                                    # doctest: +SKIP
>>> images = session.read.format("binaryFile").load("hdfs:///photos/*.jpg")         # doctest: +SKIP
>>> features = cleannet_spark.embed(images)                                         # doctest: +SKIP
>>> model = cleannet_spark.fit(labelled, "model.safetensors")                       # doctest: +SKIP
>>> judged = cleannet_spark.judge(labelled, model)                                  # doctest: +SKIP

Only the DataFrame API is used, so that Spark Connect works, too. Each Python worker of Spark starts one program
(``cleannet worker``) and keeps it, so that a network or a model is loaded once and not once per partition.
"""

from __future__ import annotations

from ._functions import embed, fit, judge, ship

__all__ = ["embed", "judge", "fit", "ship", "ImageEmbedder", "LabelJudge", "LabelJudgeEstimator"]


def __getattr__(name: str):
    if name in ("ImageEmbedder", "LabelJudge", "LabelJudgeEstimator"):
        from . import _ml

        return getattr(_ml, name)
    raise AttributeError(f"module 'cleannet.spark' has no attribute {name!r}")
