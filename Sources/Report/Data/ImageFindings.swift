/// Images that occur more than once.
public struct Duplicates: Sendable, Codable {
  /// Images looked at.
  public var examined: Int
  /// Images there are.
  public var total: Int
  /// How they were found.
  public var method: String
  public var exactGroups: Int
  public var nearGroups: Int
  /// Images in groups.
  public var images: Int
  /// Groups with images of several splits, and of several labels.
  public var acrossSplits: Int
  public var acrossLabels: Int
  /// Why groups are not shown, if they are not.
  public var hidden: String?
  /// Some of them, those across splits and labels first.
  public var groups: [Group]

  public struct Group: Sendable, Codable {
    public var isExact: Bool
    public var acrossSplits: Bool
    public var acrossLabels: Bool
    /// The number of images; some of them are shown.
    public var count: Int
    public var images: [Int]
  }
}

/// What is wrong with images, whatever their labels.
public struct ImageChecks: Sendable, Codable {
  public var examined: Int
  public var total: Int
  public var unreadable: [Unreadable]
  /// All of them; `unreadable` has the first.
  public var unreadableCount: Int
  public var checks: [Check]

  public struct Unreadable: Sendable, Codable {
    public var path: String
    public var what: String
  }

  public struct Check: Sendable, Codable {
    public var name: String
    /// What is looked for, in words.
    public var rule: String
    public var count: Int
    /// Of the images looked at.
    public var share: Double
    /// Why images are not shown, if they are not.
    public var hidden: String?
    public var images: [Int]
  }
}
