/// Named tensors in the order of their file, found by name in constant time.
public struct TensorTable: Sendable, RandomAccessCollection {
  public typealias Element = (name: String, tensor: StoredTensor)

  private var elements: [Element] = []
  private var places: [String: Int] = [:]

  public init() {}

  /// The names, in order.
  public var names: [String] { elements.map(\.name) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { elements.count }
  public subscript(position: Int) -> Element { elements[position] }

  /// The tensor of that name.
  public subscript(name: String) -> StoredTensor? { places[name].map { elements[$0].tensor } }

  /// Adds a tensor at the end.
  ///
  /// - Returns: false, leaving the table as it was, where the name is taken.
  @discardableResult
  public mutating func append(_ tensor: StoredTensor, named name: String) -> Bool {
    guard places[name] == nil else { return false }
    places[name] = elements.count
    elements.append((name, tensor))
    return true
  }
}
