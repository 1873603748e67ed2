import Foundation

/// Reads a pickle by obeying only the instructions and names that weights need.
///
/// Python's unpickler calls whatever function a file names. This one has a closed list (``PickleOpcode``,
/// ``PickleGlobal``) and refuses the file at the first instruction or name beyond it. Its memory is bounded by the
/// length of the pickle: no instruction makes more than a small value or copies without bound what it does not consume.
struct PickleMachine {
  static let maximumTextLength = 1 << 16
  private static let maximumInstructions = 4_000_000
  private static let maximumStackDepth = 1 << 16
  private static let maximumMarks = 256
  private static let maximumTensors = 200_000
  private static let maximumRank = 64

  private(set) var heap = PickleHeap()
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Items copied from lists into dictionaries, which a pickle could otherwise ask for again and again.
  private var copiedItems = 0

  /// Runs the pickle that begins at the cursor, leaving the cursor behind it; the machine's heap holds what the value
  /// refers to, together with that of the pickles before.
  mutating func run(_ cursor: inout PickleCursor) throws(CheckpointFault) -> PickleValue {
    stack = []
    marks = []
    memo = [:]
    guard try cursor.byte() == PickleOpcode.protocolVersion.rawValue else {
      throw CheckpointFault("no pickle begins at byte \(cursor.position - 1)")
    }
    let version = try cursor.byte()
    guard (2...5).contains(version) else {
      throw CheckpointFault("has pickles of protocol \(version)", remedy: CheckpointFault.resave)
    }
    for _ in 0..<PickleMachine.maximumInstructions {
      let byte = try cursor.byte()
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw refusal(of: byte, at: cursor.position - 1)
      }
      if opcode == .stop {
        let value = try pop()
        guard stack.isEmpty, marks.isEmpty else { throw damaged("ends with values left over") }
        return value
      }
      try obey(opcode, &cursor)
    }
    throw CheckpointFault("its pickle is too long", remedy: CheckpointFault.resave)
  }

  private mutating func obey(_ opcode: PickleOpcode, _ cursor: inout PickleCursor) throws(CheckpointFault) {
    switch opcode {
    case .protocolVersion, .stop: throw damaged("begins anew in its middle")
    case .frame: _ = try cursor.integer(UInt64.self)
    case .mark:
      guard marks.count < PickleMachine.maximumMarks else { throw damaged("is nested too deeply") }
      marks.append(stack.count)
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .int32: try push(.integer(Int(Int32(bitPattern: cursor.integer(UInt32.self)))))
    case .uint8: try push(.integer(Int(cursor.byte())))
    case .uint16: try push(.integer(Int(cursor.integer(UInt16.self))))
    case .long1: try push(PickleMachine.long(cursor.bytes(Int(cursor.byte()))))
    case .float64:
      // Alone among the numbers, big endian.
      try push(.real(Double(bitPattern: cursor.integer(UInt64.self).byteSwapped)))
    case .text, .byteString: try push(.string(cursor.text(Int(cursor.integer(UInt32.self)))))
    case .shortText, .shortByteString: try push(.string(cursor.text(Int(cursor.byte()))))
    case .emptyDictionary: try push(newDictionary([]))
    case .emptyList:
      heap.lists.append([])
      try push(.list(heap.lists.count - 1))
    case .emptyTuple: try push(newTuple([]))
    case .tuple: try push(newTuple(popToMark()))
    case .tuple1: try push(newTuple(pop(count: 1)))
    case .tuple2: try push(newTuple(pop(count: 2)))
    case .tuple3: try push(newTuple(pop(count: 3)))
    case .append: try extendList(by: pop(count: 1))
    case .appends: try extendList(by: popToMark())
    case .setItem: try extendDictionary(by: pop(count: 2))
    case .setItems: try extendDictionary(by: popToMark())
    case .global: try push(named(module: cursor.line(), name: cursor.line()))
    case .stackGlobal:
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw damaged("asks for an object without a name")
      }
      try push(named(module: module, name: name))
    case .reduce: try reduce()
    case .build: try discardState()
    case .persistentID: try push(storage(from: pop()))
    case .put: try remember(Int(cursor.byte()))
    case .longPut: try remember(Int(cursor.integer(UInt32.self)))
    case .memoize: try remember(memo.count)
    case .get: try push(recall(Int(cursor.byte())))
    case .longGet: try push(recall(Int(cursor.integer(UInt32.self))))
    }
  }

  // MARK: Stack and memo

  private mutating func push(_ value: PickleValue) throws(CheckpointFault) {
    guard stack.count < PickleMachine.maximumStackDepth else { throw damaged("piles up too many values") }
    stack.append(value)
  }

  private mutating func pop() throws(CheckpointFault) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("takes a value that is not there")
    }
    return value
  }

  private mutating func pop(count: Int) throws(CheckpointFault) -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else { throw damaged("takes a value that is not there") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(CheckpointFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("goes back to a mark that is not there") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func remember(_ place: Int) throws(CheckpointFault) {
    guard stack.count > (marks.last ?? 0), let value = stack.last else {
      throw damaged("takes a value that is not there")
    }
    memo[place] = value
  }

  private func recall(_ place: Int) throws(CheckpointFault) -> PickleValue {
    guard let value = memo[place] else { throw damaged("recalls a value that it never kept") }
    return value
  }

  // MARK: Containers

  private mutating func newTuple(_ values: [PickleValue]) -> PickleValue {
    heap.tuples.append(values)
    return .tuple(heap.tuples.count - 1)
  }

  private mutating func newDictionary(_ items: [(key: PickleValue, value: PickleValue)]) -> PickleValue {
    heap.dictionaries.append(items)
    return .dictionary(heap.dictionaries.count - 1)
  }

  private mutating func extendList(by values: [PickleValue]) throws(CheckpointFault) {
    guard case .list(let list)? = stack.last else { throw damaged("appends to something other than a list") }
    heap.lists[list].append(contentsOf: values)
  }

  private mutating func extendDictionary(by values: [PickleValue]) throws(CheckpointFault) {
    guard case .dictionary(let dictionary)? = stack.last, values.count.isMultiple(of: 2) else {
      throw damaged("sets items of something other than a dictionary")
    }
    for index in stride(from: 0, to: values.count, by: 2) {
      heap.dictionaries[dictionary].append((values[index], values[index + 1]))
    }
  }

  /// State dictionaries carry their modules' version numbers as an attribute, which nothing here needs.
  private mutating func discardState() throws(CheckpointFault) {
    guard case .dictionary = try pop(), case .dictionary? = stack.last else {
      throw CheckpointFault(
        "its pickle restores the state of something other than a dictionary", remedy: CheckpointFault.resave)
    }
  }

  // MARK: Names and calls

  private func named(module: String, name: String) throws(CheckpointFault) -> PickleValue {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw CheckpointFault(
        "a pickle can run code; this one asks for \(module).\(name), which weights alone do not need",
        remedy: CheckpointFault.resave)
    }
    return .global(global)
  }

  private mutating func reduce() throws(CheckpointFault) {
    guard case .tuple(let place) = try pop(), case .global(let callee) = try pop() else {
      throw damaged("calls something without a name")
    }
    let arguments = heap.tuples[place]
    switch callee {
    case .orderedDictionary: try push(orderedDictionary(arguments))
    case .size:
      guard arguments.count == 1, case .tuple = arguments[0] else {
        throw damaged("has a torch.Size of nothing")
      }
      try push(arguments[0])
    case .rebuildTensor:
      heap.tensors.append(try tensor(arguments))
      try push(.tensor(heap.tensors.count - 1))
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = first else {
        throw damaged("has a parameter that is no tensor")
      }
      try push(first)
    case .storage: throw damaged("calls a storage type")
    }
  }

  private mutating func orderedDictionary(_ arguments: [PickleValue]) throws(CheckpointFault) -> PickleValue {
    var items: [(key: PickleValue, value: PickleValue)] = []
    if let first = arguments.first {
      // Python 2 gives the items at once, as a list of pairs.
      guard arguments.count == 1, case .list(let list) = first else {
        throw damaged("has an OrderedDict of something other than a list")
      }
      copiedItems += heap.lists[list].count
      guard copiedItems <= PickleMachine.maximumInstructions else { throw damaged("copies too many items") }
      for pair in heap.lists[list] {
        guard let pair = sequence(pair), pair.count == 2 else {
          throw damaged("has an OrderedDict of no pairs")
        }
        items.append((pair[0], pair[1]))
      }
    }
    return newDictionary(items)
  }

  private func tensor(_ arguments: [PickleValue]) throws(CheckpointFault) -> PickledTensor {
    guard arguments.count == 6 || arguments.count == 7, case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3]), shape.count == strides.count
    else { throw damaged("describes a tensor in a way that PyTorch does not") }
    guard heap.tensors.count < PickleMachine.maximumTensors else { throw damaged("holds too many tensors") }
    return PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  /// A storage, as `torch.save` names it: ("storage", type, key, device, count), in legacy files with the part meant,
  /// (key, offset, count) or None, behind it.
  private mutating func storage(from identity: PickleValue) throws(CheckpointFault) -> PickleValue {
    guard case .tuple(let place) = identity, case .string(let kind)? = heap.tuples[place].first else {
      throw damaged("names a storage in a way that PyTorch does not")
    }
    let parts = heap.tuples[place]
    guard kind == "storage" else {
      throw CheckpointFault(
        "a pickle can run code; this one asks for a '\(kind)' object and its source, as a whole saved model does",
        remedy: CheckpointFault.resave)
    }
    guard parts.count == 5 || parts.count == 6, case .global(.storage(let dtype)) = parts[1],
      case .string(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
    else { throw damaged("names a storage in a way that PyTorch does not") }
    var range = 0..<count
    if parts.count == 6, let view = sequence(parts[5]) {
      guard view.count == 3, case .integer(let start) = view[1], case .integer(let length) = view[2],
        start >= 0, length >= 0, start <= count, length <= count - start
      else { throw damaged("names a part outside its storage") }
      range = start..<(start + length)
    }
    guard heap.storages.count < PickleMachine.maximumTensors else { throw damaged("holds too many storages") }
    heap.storages.append(PickledStorage(key: key, dtype: dtype, count: count, range: range))
    return .storage(heap.storages.count - 1)
  }

  // MARK: Values

  /// The elements of a tuple or a list.
  func sequence(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let place): heap.tuples[place]
    case .list(let place): heap.lists[place]
    default: nil
    }
  }

  /// The sizes or strides of a tensor.
  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let place) = value, heap.tuples[place].count <= PickleMachine.maximumRank else {
      return nil
    }
    var integers: [Int] = []
    for element in heap.tuples[place] {
      guard case .integer(let integer) = element else { return nil }
      integers.append(integer)
    }
    return integers
  }

  private static func long(_ bytes: Data) -> PickleValue {
    guard bytes.count <= 8 else { return .longInteger(Array(bytes)) }
    let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
    return .integer(bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
  }

  // MARK: Faults

  private func damaged(_ what: String) -> CheckpointFault { CheckpointFault("its pickle \(what)") }

  private func refusal(of byte: UInt8, at position: Int) -> CheckpointFault {
    let code = "0x" + String(byte, radix: 16)
    let meaning = PickleOpcode.meaning(of: byte).map { "which \($0)" } ?? "which weights do not need"
    return CheckpointFault(
      "a pickle can run code; this one holds the instruction \(code) at byte \(position), \(meaning)",
      remedy: CheckpointFault.resave)
  }
}
