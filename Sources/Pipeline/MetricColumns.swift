import Evaluation

/// Detection metrics as fields of a table.
extension DetectionMetrics {
  static let columns = [
    "images", "wrong", "auroc", "average_precision", "average_error_rate", "precision", "recall", "f1",
    "noise_among_kept", "lift_at_100", "calibration_error", "brier_score",
  ]

  var cells: [TableOutput.Cell] {
    [
      .integer(images), .integer(wrong), .float(auroc), .float(averagePrecision), .float(averageErrorRate),
      .float(precision), .float(recall), .float(f1), .float(noiseAmongKept), .float(liftAt[100]),
      .float(calibrationError), .float(brierScore),
    ]
  }
}
