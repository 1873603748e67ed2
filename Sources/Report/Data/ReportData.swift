import Foundation

/// All that the report's page says: each number on the page is one of these.
///
/// Images are referred to by their number in the workspace; the images that the page shows are in ``images``. Of large
/// data sets samples are shown; ``remarks`` says which.
package struct ReportData: Sendable, Codable {
  package var about: About
  package var summary: Summary
  /// By class number.
  package var classes: [ClassReport]
  /// The images that the page shows, by number.
  package var images: [ImageCard]
  /// The most suspicious images of all classes, worst first.
  package var suspicious: [Int]
  package var confusions: Confusions
  /// nil where nothing is scored.
  package var sweep: ThresholdSweep?
  /// How good the judgement is on images whose truth is known; empty where there are none.
  package var quality: [Quality]
  package var map: FeatureMap?
  package var duplicates: Duplicates?
  package var checks: ImageChecks?
  package var classifiers: [ClassifierRun]
  package var history: [HistoryEntry]
  /// The commands that make all of it again.
  package var commands: [String]
  /// Images that look unlike all classes, and images between two classes.
  package var outliers: [Int]?
  package var ambiguous: [Int]?
  /// Classes whose images differ from the others in something that is no matter of their content.
  package var groups: [OddGroup]?
  package var comparison: Comparison?
  /// The parts that were sampled or left out, and why.
  package var remarks: [String]

  /// The data as JSON with sorted keys.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(self)
  }

  /// Reads what ``json()`` wrote.
  package init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    self = try decoder.decode(ReportData.self, from: json)
  }

  /// The numbers of the classes in the order of their names, numbers within them by their value.
  var classesByName: [Int] {
    classes.indices.sorted {
      let order = classes[$0].name.compare(classes[$1].name, options: .numeric)
      return order == .orderedSame ? $0 < $1 : order == .orderedAscending
    }
  }

  init(about: About, summary: Summary) {
    self.about = about
    self.summary = summary
    classes = []
    images = []
    suspicious = []
    quality = []
    confusions = Confusions(pairs: [], matrix: nil)
    classifiers = []
    history = []
    commands = []
    remarks = []
  }
}

/// The subject of the report.
package struct About: Sendable, Codable {
  /// The workspace folder's name.
  package var name: String
  package var workspace: String
  package var made: Date
  /// Of the program.
  package var version: String
  package var sources: [Source]
  /// Where the features come from, as settings for people.
  package var features: [String: String]
  /// `paper` or `extended`; nil where nothing is trained.
  package var objective: String?
  /// The share of the true nearest neighbors that scoring was given; nil where none were sought.
  package var neighborRecall: Double?
  /// Whether something that the scores follow from has changed since.
  package var isStale: Bool
  /// The quantity that thresholds are compared with: `probability` or `cosine`.
  package var basis: String
  /// The column of true labels, if one was named.
  package var truth: String?

  package struct Source: Sendable, Codable {
    package var path: String
    package var format: String
    package var images: Int
  }
}

/// The figures at the top.
package struct Summary: Sendable, Codable {
  package var images: Int
  package var classes: Int
  package var splits: [Split]
  /// Images with a score.
  package var judged: Int
  /// Labels called wrong: by the model, or by the person who looked.
  package var calledWrong: Int
  /// The model's expected share of wrong labels among those judged: the mean of 1 − probability.
  package var estimatedNoise: Double?
  /// The same over the verified classes alone.
  package var estimatedNoiseVerifiedClasses: Double?
  /// Wrong ones among the verified images that were drawn at random; nil where there are none.
  package var verified: Share?
  /// Images that people answered, however they were chosen, those they were not sure of included.
  package var looked: Int?
  /// Images that people could not judge, and how many of them were drawn at random.
  package var unsure: Int
  package var unsureDrawn: Int?
  /// Verdicts that the model contradicts clearly, each judged without its own verdict: some may be slips.
  package var contradicted: Int?
  /// The conclusion.
  package var conclusion: Conclusion?
  package var verifiedClasses: Int
  /// Verified images of all classes were drawn at rates that differ by more than a factor of two.
  package var verifiedUnevenly: Bool
  package var guarantee: Guarantee?
  /// Images that could not be read.
  package var unreadable: Int

  /// Whether the data set can be used, and what the next step costs.
  package struct Conclusion: Sendable, Codable {
    package enum Use: String, Sendable, Codable {
      /// Nobody knows yet.
      case unknown
      /// Without the labels called wrong.
      case use
      /// Only once people have looked at more of them.
      case clean
      /// Most of the labels that would be kept may be wrong.
      case avoid
    }

    package var use: Use
    /// Images to look at next, and how long that takes at the usual pace of the page.
    package var looks: Int
    package var minutes: Double
    /// The share of wrong labels at most left, to be shown by looking at these images, if none of them contradicts it.
    package var target: Double
  }

  package struct Split: Sendable, Codable {
    package var name: String
    package var images: Int
  }

  /// An upper bound on the share of wrong labels left among the images kept in the verified classes.
  package struct Guarantee: Sendable, Codable {
    package var confidence: Double
    package var upper: Double
    /// The bound for whoever stopped verifying because it pleased.
    package var upperAtAnyTime: Double
    package var kept: Int
    package var sample: Int
    package var wrong: Int
  }
}

/// A class whose images are darker, smaller or less sharp than those of the others.
package struct OddGroup: Sendable, Codable, Hashable {
  package var label: Int
  /// Such as "brightness".
  package var property: String
  /// Mean of the class and of all other images looked at.
  package var mean: Double
  package var elsewhere: Double
  /// How far apart, in standard deviations of all images.
  package var distance: Double
  package var images: Int
}
