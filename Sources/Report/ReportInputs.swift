import CleanNet
import Torch

/// The report's inputs beside the workspace's tables; whoever runs it knows where they come from.
package struct ReportInputs: Sendable {
  /// The features in use; nil: no map, no references, no duplicates by features.
  package var features: (any FeatureSource)?
  /// About the features, for people.
  package var featuresAbout: [String: String]
  /// The model that judged; nil: no references are shown.
  package var model: CleanNetModel?
  /// Whether something that the scores follow from has changed since.
  package var isStale: Bool
  /// By image whether its label is truly right; nil where nobody knows.
  package var truth: [Bool?]?
  /// The column that the truth comes from.
  package var truthName: String?

  package init(
    features: (any FeatureSource)? = nil, featuresAbout: [String: String] = [:], model: CleanNetModel? = nil,
    isStale: Bool = false, truth: [Bool?]? = nil, truthName: String? = nil
  ) {
    self.features = features
    self.featuresAbout = featuresAbout
    self.model = model
    self.isStale = isStale
    self.truth = truth
    self.truthName = truthName
  }
}

/// How much of a large data set is looked at and shown.
package struct ReportLimits: Sendable, Hashable {
  /// Images that are decoded to look for bad ones and for duplicates.
  package var examined = 20_000
  /// Points of the map.
  package var mapped = 1_500
  /// Small copies of images in the page.
  package var pictures = 1_800
  /// Their longer side, in pixels; smaller where together they would have more than ``pictureBytes``.
  package var pictureSide = 96
  package var pictureBytes = 5_500_000
  /// Classes with a section of their own.
  package var sections = 150

  package init() {}
}

/// How far the report is.
package enum ReportProgress: Sendable {
  case began(String, total: Int?, unit: String)
  case reached(Int)
  case ended(String)
}
