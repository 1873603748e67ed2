import Dispatch
import Foundation
import Synchronization
import Torch

/// Training in the background. It reports its progress as an asynchronous sequence, which one task may read, and ends with
/// a ``LabelModel``.
///
/// ```swift
/// let run = TrainingRun(data)
/// for await event in run { print(event) }
/// let model = try await run.model
/// ```
///
/// It begins at once, on threads of its own. ``cancel()`` ends it, as does cancelling a task that waits for ``model``.
public final class TrainingRun: AsyncSequence, Sendable {
  private let events: AsyncStream<Training.Event>
  private let task: Task<LabelModel, any Error>
  private let stop = StopSignal()

  /// - Parameters:
  ///   - configuration: Of the extended objective; nil: the default, with the normalization that suits the features.
  ///   - threads: The number of threads.
  public init(
    _ data: TrainingSet, configuration: Configuration? = nil,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(configuration?.objective != .paper, "the paper's objective has no evidence; use Training")
    let (events, sender) = AsyncStream.makeStream(
      of: Training.Event.self, bufferingPolicy: .bufferingNewest(256))
    self.events = events
    task = Task { [stop] in
      try await withCheckedThrowingContinuation { continuation in
        // Neither on the threads of tasks nor on those of their quality of service: there are only as many as cores,
        // and tasks that wait for the model, or are to cancel it, need one.
        DispatchQueue.global(qos: .utility).async {
          let result = Result {
            try LabelModel(
              training: data, configuration: configuration, threads: threads, stop: stop,
              report: { sender.yield($0) })
          }
          sender.finish()
          continuation.resume(with: result)
        }
      }
    }
  }

  /// The progress. If nobody reads it, only the newest events are kept.
  public func makeAsyncIterator() -> AsyncStream<Training.Event>.Iterator { events.makeAsyncIterator() }

  /// The trained model; waits for it.
  ///
  /// - Throws: ``TrainingDataError`` if nothing can be learned from the data; `CancellationError`.
  public var model: LabelModel {
    get async throws {
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        stop.set()
      }
    }
  }

  /// Ends training soon: after the current step or class, or after the search for neighbors.
  public func cancel() { stop.set() }
}

extension LabelModel {
  /// Trains a model in the background; ``TrainingRun`` also reports its progress.
  ///
  /// - Parameters:
  ///   - configuration: Of the extended objective; nil: the default, with the normalization that suits the features.
  ///   - threads: The number of threads.
  /// - Throws: ``TrainingDataError`` if nothing can be learned from the data; `CancellationError` if the task is cancelled.
  public init(
    training data: TrainingSet, configuration: Configuration? = nil,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) async throws {
    self = try await TrainingRun(data, configuration: configuration, threads: threads).model
  }

  fileprivate init(
    training data: TrainingSet, configuration: Configuration?, threads: Int, stop: StopSignal,
    report: @escaping @Sendable (Training.Event) -> Void
  ) throws {
    try data.checkClasses()
    let training = try Training(
      data, configuration: configuration ?? .extended(suitedTo: data.features), keepsJudge: true,
      threads: threads, stop: stop, report: report)
    let outcome = try training.run(stop: stop, report: report)
    guard let evidence = outcome.evidence, let judge = outcome.judge else { throw ModelError.noModel }
    self.init(
      evidence: evidence, judge: judge, verifications: data.verifications, imageCount: data.labels.count)
  }
}

/// Says from any thread that work is to end.
final class StopSignal: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() { flag.store(true, ordering: .relaxed) }

  func check() throws(CancellationError) { if isSet { throw CancellationError() } }
}
