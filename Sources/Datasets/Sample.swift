/// One labelled image: a row of a manifest, a file of an image folder, a member of an archive.
///
/// Everything that a format knows beyond these fields stays in `attributes`, in the order of the source's columns.
package struct Sample: Sendable, Hashable {
  /// The sample's name in the workspace. Unique there; by default the path.
  package var key: String
  /// The path as the manifest writes it, or relative to the data set's folder. Shown to users.
  package var path: String
  /// Where the image's bytes lie.
  package var location: ImageLocation
  /// The given label, right or wrong.
  package var label: String
  /// `train` unless the source or the user says otherwise.
  package var split: String
  /// `true`: a person says that the label is right. `false`: that it is wrong. `nil`: nobody looked.
  package var verification: Bool?
  package var attributes: [SampleAttribute]
  /// The file that this sample was read from: the manifest, the archive, or the image itself.
  package var source: String
  /// The line in `source`, counted from 1; 0 where there are no lines.
  package var line: Int

  package init(
    key: String, path: String, location: ImageLocation, label: String, split: String = "train",
    verification: Bool? = nil, attributes: [SampleAttribute] = [], source: String = "", line: Int = 0
  ) {
    self.key = key
    self.path = path
    self.location = location
    self.label = label
    self.split = split
    self.verification = verification
    self.attributes = attributes
    self.source = source
    self.line = line
  }

  /// `source:line`, as errors name a place.
  package var place: String { line > 0 ? "\(source):\(line)" : source }

  /// The value of the attribute of that name.
  package func attribute(_ name: String) -> String? {
    attributes.first { $0.name == name }?.value
  }
}

/// A further column of a sample, such as a truth label.
public struct SampleAttribute: Sendable, Hashable {
  public var name: String
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}
