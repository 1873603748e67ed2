extension NpyMatrix {
  /// Rows of numbers that lie in a larger file, in C order and little endian: a member of an `.npz` archive, a tensor of
  /// a safetensors file. They are read where they lie.
  ///
  /// - Parameter shape: `[rows, dimension]`, or `[rows]`.
  /// - Throws: `WorkspaceError` if the file is shorter.
  package init(path: String, offset: Int, type: NpyType, shape: [Int]) throws(WorkspaceError) {
    precondition(
      (1...2).contains(shape.count) && [.float16, .bfloat16, .float32, .float64].contains(type))
    file = try MappedFile(path: path)
    header = NpyHeader(type: type, shape: shape, offset: offset)
    guard offset >= 0, let end = header.fileSize, end <= file.bytes.count else {
      throw WorkspaceError(
        .damaged, file: path, "ends before the \(shape) numbers at byte \(offset)", remedy: "Write it again")
    }
  }

  /// A whole `.npy` file that lies in a larger file.
  ///
  /// - Throws: `WorkspaceError` if it is no such file, or not of numbers that are read here.
  package init(path: String, npyAt range: Range<Int>) throws(WorkspaceError) {
    let file = try MappedFile(path: path)
    guard range.lowerBound >= 0, range.upperBound <= file.bytes.count else {
      throw WorkspaceError(
        .damaged, file: path, "ends before byte \(range.upperBound)", remedy: "Write it again")
    }
    let inner = UnsafeRawBufferPointer(rebasing: file.bytes[range])
    let header = try NpyHeader(parsing: inner, file: path)
    guard (1...2).contains(header.shape.count), [.float16, .float32, .float64].contains(header.type) else {
      throw WorkspaceError(
        .invalidInput, file: path, "holds \(header.type.rawValue) of shape \(header.shape)",
        remedy: "Save a matrix with one row per image, as float32 or float16")
    }
    try self.init(
      path: path, offset: range.lowerBound + header.offset, type: header.type, shape: header.shape)
  }
}
