import Backbones
import Foundation
import Images
import Synchronization
import Torch
import Workspace

/// Embeds or judges images that come in frames on a pipe, and answers each in order: what engines such as Spark start on
/// their machines.
package struct Worker: Sendable {
  /// The work for each image.
  package enum Task: Sendable {
    case embed(EmbedStage)
    case judge(ImageJudge)
  }

  /// Bounds that end the worker, so that its client starts another.
  package struct Limits: Sendable {
    /// Bytes: a quarter of it for frames that wait; beyond it, the worker ends after the answers that are due.
    package var memory = 2 << 30
    /// Wall-clock seconds for each image of a batch; nil: none.
    package var secondsPerImage: Double?

    package init() {}
  }

  /// The first frame of every worker.
  struct Hello: Encodable {
    var proto = WorkerFrame.version
    var build: String
    /// `embed` or `judge`.
    var task: String
    /// The key of the features that are made, or the identity of the model that judges.
    var model: String
    /// Numbers in a vector of features.
    var dimension: Int
    /// Names of the classes; empty for `embed`.
    var classes: [String]
    /// Images that are worked on at once: a client keeps at least this many unanswered.
    var batch: Int
    /// The longest payload that is taken, in bytes.
    var longest: Int

    enum CodingKeys: String, CodingKey {
      case proto = "protocol"
      case build, task, model, dimension, classes, batch, longest
    }
  }

  private let limits: Limits
  private let hello: Hello
  private let answer: @Sendable ([NewImage]) throws -> [WorkerFrame]

  /// Loads what the task needs.
  ///
  /// - Parameter build: The version of the program.
  package init(_ task: Task, limits: Limits, build: String, threads: Int) throws {
    self.limits = limits
    let longest = limits.memory / 8
    switch task {
    case .judge(let judge):
      let model = judge.model
      hello = Hello(
        build: build, task: "judge", model: model.identity, dimension: model.featureDimension,
        classes: model.classNames, batch: ImageJudge.batch, longest: longest)
      answer = { images in
        try judge.judge(images).map { answer in
          if let error = answer.error { return try Self.problem(error, suggestion: answer.suggestedLabel) }
          return try WorkerFrame(.judgement, json: answer)
        }
      }
    case .embed(let stage):
      let (embedder, key) = try stage.embedder()
      let dimension = embedder.worker.dimension
      hello = Hello(
        build: build, task: "embed", model: key, dimension: dimension, classes: [],
        batch: embedder.worker.batchSize * threads, longest: longest)
      answer = { try Self.embed($0, embedder, dimension) }
    }
  }

  /// The answer to a request that cannot be met.
  private struct Problem: Encodable {
    var error: String
    var suggested_label: String?
  }

  private static func problem(_ what: String, suggestion: String? = nil) throws -> WorkerFrame {
    try WorkerFrame(.error, json: Problem(error: what, suggested_label: suggestion))
  }

  private static func embed(
    _ images: [NewImage], _ embedder: ImageEmbedder, _ dimension: Int
  ) throws -> [WorkerFrame] {
    let rows = Tensor.full([images.count, dimension], .nan)
    var errors = [String?](repeating: nil, count: images.count)
    var sources: [(source: ImageSource, place: Int)] = []
    for (place, image) in images.enumerated() {
      switch image.content {
      case .location(.file(let path)): sources.append((.file(path), place))
      case .bytes(let bytes): sources.append((.encoded(name: "the image", bytes: bytes), place))
      case .location, .features: errors[place] = "Only images can be embedded."
      case .problem(let what): errors[place] = what
      }
    }
    for (place, problem) in embedder.embed(sources, into: rows) { errors[place] = problem.explanation }
    return try images.indices.map { place in
      if let error = errors[place] { return try problem(error) }
      return WorkerFrame(.embedding, rows[place].withUnsafeBytes { Array($0) })
    }
  }

  // MARK: At work

  /// Answers frames until the input ends.
  ///
  /// - Throws: ``PipelineError`` of kind `tryAgain` where a limit was reached: at once for time, and for memory after
  ///   everything due was answered. Of kind `badInput` where the stream is out of step.
  package func run(input: CInt, output: CInt) throws {
    let reader = FrameReader(input, room: limits.memory / 4)
    try Self.write(try WorkerFrame(.hello, json: hello).bytes, to: output)
    reader.start()
    let watch = limits.secondsPerImage.map(BatchWatch.init)
    var number = 0
    while let frames = try reader.next(atMost: hello.batch) {
      watch?.begin(frames.count)
      let images = frames.enumerated().map { $1.image(number + $0) }
      number += frames.count
      let answers = try answer(images)
      watch?.end()
      try Self.write(answers.flatMap(\.bytes), to: output)
      let used = Self.residentBytes()
      guard used <= limits.memory else {
        throw PipelineError(
          .tryAgain, "The worker uses \(used >> 20) MB, more than its limit of \(limits.memory >> 20) MB",
          remedy: "All requests so far are answered; start another worker for the rest, or raise --memory")
      }
    }
  }

  private static func write(_ bytes: [UInt8], to descriptor: CInt) throws(PipelineError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Foundation.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw PipelineError(
          .tryAgain, "Answers cannot be written: \(String(cString: strerror(errno)))",
          remedy: "The client has ended; start it again")
      }
      done += count
    }
  }

  /// The process's resident memory, without pages of files.
  private static func residentBytes() -> Int {
    let fields =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else { return 0 }
    return (resident - shared) * Int(getpagesize())
  }
}

/// Ends the program when a batch takes too long: a decoder that hangs cannot be stopped otherwise.
private final class BatchWatch: Sendable {
  private let deadline = Mutex<ContinuousClock.Instant?>(nil)
  private let seconds: Double

  init(seconds: Double) {
    self.seconds = seconds
    Thread.detachNewThread { [self] in
      while true {
        Thread.sleep(forTimeInterval: min(1, seconds / 4))
        guard let due = deadline.withLock({ $0 }), ContinuousClock.now > due else { continue }
        let text =
          "error: A batch took more than \(seconds) seconds for each of its images. Send them one by one.\n"
        FileHandle.standardError.write(Data(text.utf8))
        _exit(EX_TEMPFAIL)
      }
    }
  }

  func begin(_ images: Int) {
    deadline.withLock { $0 = ContinuousClock.now + .seconds(seconds * Double(max(1, images))) }
  }

  func end() { deadline.withLock { $0 = nil } }
}
