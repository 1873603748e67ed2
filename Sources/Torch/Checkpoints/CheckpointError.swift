/// Why a file of weights could not be read or written: the file, what is wrong with it, and what to do.
public struct CheckpointError: Error, CustomStringConvertible, Sendable, Hashable {
  /// The file as the caller named it.
  public var path: String
  /// The fault: a clause without a full stop.
  public var what: String
  /// The remedy: a sentence without a full stop.
  public var remedy: String
  /// Whether the disk refused to take it, rather than the bytes being wrong.
  public var isWriting: Bool

  public init(path: String, what: String, remedy: String, isWriting: Bool = false) {
    self.path = path
    self.what = what
    self.remedy = remedy
    self.isWriting = isWriting
  }

  public var description: String { "\(path): \(what). \(remedy)." }
}

/// The fault of a checkpoint's bytes, before the file's name is known.
struct CheckpointFault: Error {
  var what: String
  var remedy: String
  var isWriting: Bool

  init(
    _ what: String, remedy: String = "The file is damaged or cut short: fetch or write it again",
    isWriting: Bool = false
  ) {
    self.what = what
    self.remedy = remedy
    self.isWriting = isWriting
  }

  func error(in path: String) -> CheckpointError {
    CheckpointError(path: path, what: what, remedy: remedy, isWriting: isWriting)
  }

  /// For files that are complete but hold what CleanNet does not read.
  static let resave = """
    In Python, save the weights alone: torch.save(model.state_dict(), path), or safetensors.torch.save_file
    """
}
