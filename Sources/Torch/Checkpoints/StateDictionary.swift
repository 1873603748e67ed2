/// Finds the tensors in what a PyTorch file holds; ``Checkpoint`` says by which rules.
struct StateDictionary {
  /// Keys under which training programs keep a model's weights.
  private static let conventionalKeys = ["state_dict", "model_state_dict", "model"]
  private static let maximumDepth = 32
  private static let maximumNameLength = 1_024
  private static let maximumVisits = 400_000

  private let machine: PickleMachine
  private var reader: TensorReader
  private var checkpoint = Checkpoint()
  /// Values looked at; a small file can hold the same dictionary in many places.
  private var visits = 0

  init(machine: PickleMachine, reader: TensorReader) {
    self.machine = machine
    self.reader = reader
  }

  /// Collects the tensors below the root.
  consuming func checkpoint(from root: PickleValue) throws(CheckpointFault) -> Checkpoint {
    guard case .dictionary(var place) = root else {
      throw CheckpointFault("holds no dictionary of tensors", remedy: CheckpointFault.resave)
    }
    for _ in 0..<StateDictionary.maximumDepth {
      guard let inner = try conventional(in: place) else { break }
      for case (.string(let key), let value) in machine.heap.dictionaries[place] {
        try note(value, named: key)
      }
      place = inner
    }
    try flatten(.dictionary(place), named: "", depth: 0)
    guard !checkpoint.tensors.isEmpty else {
      throw CheckpointFault("holds no tensors", remedy: CheckpointFault.resave)
    }
    return checkpoint
  }

  /// The dictionary of weights inside this one, where there is one by convention.
  private mutating func conventional(in place: Int) throws(CheckpointFault) -> Int? {
    let items = machine.heap.dictionaries[place]
    for case (_, .tensor) in items { return nil }
    for wanted in StateDictionary.conventionalKeys {
      for case (.string(wanted), .dictionary(let inner)) in items
      where try holdsTensor(.dictionary(inner), depth: 0) {
        return inner
      }
    }
    return nil
  }

  private mutating func holdsTensor(_ value: PickleValue, depth: Int) throws(CheckpointFault) -> Bool {
    try visit(depth)
    if case .tensor = value { return true }
    if case .dictionary(let place) = value {
      for (_, value) in machine.heap.dictionaries[place] where try holdsTensor(value, depth: depth + 1) {
        return true
      }
    }
    for value in machine.sequence(value) ?? [] where try holdsTensor(value, depth: depth + 1) { return true }
    return false
  }

  private mutating func flatten(
    _ value: PickleValue, named name: String, depth: Int
  ) throws(CheckpointFault) {
    try visit(depth)
    guard name.utf8.count <= StateDictionary.maximumNameLength else {
      throw CheckpointFault("has a tensor name of \(name.utf8.count) bytes", remedy: CheckpointFault.resave)
    }
    let prefix = name.isEmpty ? "" : name + "."
    switch value {
    case .tensor(let place):
      let tensor = try reader.tensor(machine.heap.tensors[place], named: name, in: machine.heap)
      guard checkpoint.tensors.append(tensor, named: name) else {
        throw CheckpointFault("holds two tensors named '\(name)'", remedy: CheckpointFault.resave)
      }
    case .dictionary(let place):
      for (key, value) in machine.heap.dictionaries[place] {
        guard let key = text(key) else {
          throw CheckpointFault(
            "has a key in '\(name)' that is neither text nor a number", remedy: CheckpointFault.resave)
        }
        try flatten(value, named: prefix + key, depth: depth + 1)
      }
    case .list(let place):
      for (index, value) in machine.heap.lists[place].enumerated() {
        try flatten(value, named: prefix + String(index), depth: depth + 1)
      }
    case .tuple(let place):
      for (index, value) in machine.heap.tuples[place].enumerated() {
        try flatten(value, named: prefix + String(index), depth: depth + 1)
      }
    default: try note(value, named: name)
    }
  }

  /// Keeps a number, a truth value or a string as metadata; other values say nothing about weights.
  private mutating func note(_ value: PickleValue, named name: String) throws(CheckpointFault) {
    guard let text = text(value) else { return }
    guard checkpoint.metadata.updateValue(text, forKey: name) == nil else {
      throw CheckpointFault("holds two values named '\(name)'", remedy: CheckpointFault.resave)
    }
  }

  private mutating func visit(_ depth: Int) throws(CheckpointFault) {
    visits += 1
    guard depth <= StateDictionary.maximumDepth, visits <= StateDictionary.maximumVisits else {
      throw CheckpointFault("nests its dictionaries too deeply or too often", remedy: CheckpointFault.resave)
    }
  }

  private func text(_ value: PickleValue) -> String? {
    switch value {
    case .bool(let bool): String(bool)
    case .integer(let integer): String(integer)
    case .real(let real): String(real)
    case .string(let string): string
    default: nil
    }
  }
}
