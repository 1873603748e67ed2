"""Stages of ``pyspark.ml`` pipelines, which can be saved and loaded."""

from __future__ import annotations

from typing import Any

from pyspark import keyword_only
from pyspark.ml import Estimator, Model, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable

from . import _functions

__all__ = ["ImageEmbedder", "LabelJudge", "LabelJudgeEstimator"]


def _text(owner: Any, name: str, doc: str) -> Param:
    return Param(Params._dummy(), name, doc, typeConverter=TypeConverters.toString)


class _Columns(Params):
    featuresCol = _text(None, "featuresCol", "the column of features, array<float>")
    labelCol = _text(None, "labelCol", "the column of labels")
    program = _text(None, "program", "the program on the executors; empty: that of the installed package")

    def _given(self, param: Param) -> "str | None":
        return self.getOrDefault(param) or None


class ImageEmbedder(Transformer, _Columns, DefaultParamsReadable, DefaultParamsWritable):
    """Adds features of images; see :func:`cleannet.spark.embed`."""

    imageCol = _text(None, "imageCol", "the column of images: bytes or paths")
    quality = _text(None, "quality", "fast, good or best")

    @keyword_only
    def __init__(self, *, imageCol: str = "content", featuresCol: str = "features", quality: str = "good", program: str = ""):
        super().__init__()
        self._setDefault(imageCol="content", featuresCol="features", quality="good", program="")
        self._set(**self._input_kwargs)

    def _transform(self, dataset: Any) -> Any:
        return _functions.embed(
            dataset,
            self.getOrDefault(self.imageCol),
            output_col=self.getOrDefault(self.featuresCol),
            quality=self.getOrDefault(self.quality),
            program=self._given(self.program),
        )


class LabelJudge(Model, _Columns, DefaultParamsReadable, DefaultParamsWritable):
    """Adds judgements of labels; see :func:`cleannet.spark.judge`. Saving it keeps the name of the model's file, not the file."""

    modelPath = _text(None, "modelPath", "the file of the model")

    @keyword_only
    def __init__(self, *, modelPath: str = "", featuresCol: str = "features", labelCol: str = "label", program: str = ""):
        super().__init__()
        self._setDefault(modelPath="", featuresCol="features", labelCol="label", program="")
        self._set(**self._input_kwargs)

    def _transform(self, dataset: Any) -> Any:
        return _functions.judge(
            dataset,
            self.getOrDefault(self.modelPath),
            label_col=self.getOrDefault(self.labelCol),
            features_col=self.getOrDefault(self.featuresCol),
            program=self._given(self.program),
        )


class LabelJudgeEstimator(Estimator, _Columns, DefaultParamsReadable, DefaultParamsWritable):
    """Trains on the driver; see :func:`cleannet.spark.fit`."""

    modelPath = _text(None, "modelPath", "the file to write the model to; all machines must see it")

    @keyword_only
    def __init__(self, *, modelPath: str = "", featuresCol: str = "features", labelCol: str = "label", program: str = ""):
        super().__init__()
        self._setDefault(modelPath="", featuresCol="features", labelCol="label", program="")
        self._set(**self._input_kwargs)

    def _fit(self, dataset: Any) -> LabelJudge:
        path = _functions.fit(
            dataset,
            self.getOrDefault(self.modelPath),
            label_col=self.getOrDefault(self.labelCol),
            features_col=self.getOrDefault(self.featuresCol),
        )
        return LabelJudge(
            modelPath=path,
            featuresCol=self.getOrDefault(self.featuresCol),
            labelCol=self.getOrDefault(self.labelCol),
            program=self.getOrDefault(self.program),
        )
