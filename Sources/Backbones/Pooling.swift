/// Which of a network's tokens or maps represent an image.
package enum Pooling: String, Sendable, Hashable, Codable, CaseIterable {
  /// The pooling that the network was made for: the class token, the tokens pooled by attention, or the mean.
  case auto
  /// The class token; of SigLIP, the tokens pooled by attention.
  case token = "class"
  /// The mean over the image's patches.
  case mean
  /// Class token and mean, side by side.
  case both
}
