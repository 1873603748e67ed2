/// Images that occur more than once.
package struct Duplicates: Sendable, Codable {
  /// Images looked at.
  package var examined: Int
  /// Images there are.
  package var total: Int
  /// How they were found.
  package var method: String
  package var exactGroups: Int
  package var nearGroups: Int
  /// Images in groups.
  package var images: Int
  /// Groups with images of several splits, and of several labels.
  package var acrossSplits: Int
  package var acrossLabels: Int
  /// Why groups are not shown, if they are not.
  package var hidden: String?
  /// Some of them, those across splits and labels first.
  package var groups: [Group]

  package struct Group: Sendable, Codable {
    package var isExact: Bool
    package var acrossSplits: Bool
    package var acrossLabels: Bool
    /// The number of images; some of them are shown.
    package var count: Int
    package var images: [Int]
  }
}

/// The faults of images, whatever their labels.
package struct ImageChecks: Sendable, Codable {
  package var examined: Int
  package var total: Int
  package var unreadable: [Unreadable]
  /// All of them; `unreadable` has the first.
  package var unreadableCount: Int
  package var checks: [Check]

  package struct Unreadable: Sendable, Codable {
    package var path: String
    package var what: String
  }

  package struct Check: Sendable, Codable {
    package var name: String
    /// The searched fault, in words.
    package var rule: String
    package var count: Int
    /// Of the images looked at.
    package var share: Double
    /// Why images are not shown, if they are not.
    package var hidden: String?
    package var images: [Int]
  }
}
